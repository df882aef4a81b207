// Very many objects, made and dropped by four processes of which some are killed in the middle, leave the heap as it was.
// All of the million: OBJECTS=1000000.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lock, Process, RawArray } from 'multiprocess';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { AT_ONCE, MAILBOX_BYTES, makeAndDrop } from '../programs/make-and-drop.js';
import { eventually } from '../support/shm.js';

const OBJECTS = Number(process.env['OBJECTS'] ?? 40_000);
const PROCESSES = 4;
const EACH = Math.ceil(OBJECTS / PROCESSES);
// Four processes have at most 8 000 objects, and what they have opened, waiting to be collected, of at most 600 bytes with all
// that belongs to them: 6 MB. Extents are of 1, 1, 2, 2, 4 … MB, for structure and for raw memory.
const MOST_EXTENTS = 6;

test(`${OBJECTS} objects`, { timeout: 30_000 + OBJECTS }, async (context) => {
  const lock = new Lock();
  const mailbox = RawArray('B', MAILBOX_BYTES);
  const made = RawArray('i', PROCESSES);
  const opened = RawArray('i', 1);
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  try {
    const usage = () => {
      heap.lookAround(512);
      const { problems, roots, holds, blocks, extents } = checkHeap(heap);
      assert.deepEqual(problems, []);
      return { contents: { roots, holds, blocks }, extents };
    };
    const before = usage();
    const start = performance.now();
    const begin = (number: number) => {
      const child = new Process({ target: makeAndDrop, args: [EACH, number, made, opened, lock, mailbox] });
      child.start();
      return child;
    };
    const children = Array.from({ length: PROCESSES }, (_, number) => begin(number));
    // Two are killed, at a third and at two thirds, and others go on where they were.
    for (const [number, part] of [
      [0, 1 / 3],
      [1, 2 / 3],
    ] as const) {
      const enough = () => Atomics.load(made, number) >= EACH * part;
      await eventually('it is that far', enough, 20_000 + OBJECTS / 2);
      children[number]!.kill();
      await children[number]!.join();
      children[number] = begin(number);
    }
    for (const child of children) await child.result();
    assert.deepEqual([...made], new Array(PROCESSES).fill(EACH));
    await eventually('the dead are reaped', () => {
      heap.lookAround(512);
      return [...heap.participant.others(512)].length === 1; // this test's own, by the published package
    });
    const after = usage();
    const ms = Math.round(performance.now() - start);
    context.diagnostic(`${ms} ms, ${opened[0]} opened by another, ${after.extents} extents, ${AT_ONCE} at once`);
    assert.ok(opened[0]! > OBJECTS / 100);
    assert.deepEqual(after.contents, before.contents);
    assert.ok(after.extents <= MOST_EXTENTS, `${after.extents} extents`);
  } finally {
    heap.leave();
  }
});
