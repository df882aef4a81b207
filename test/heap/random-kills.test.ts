// Processes work on locks and the allocator while one after the other is killed at random. More: SECONDS=60 PROCESSES=8.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Lock, Process, RawArray } from 'multiprocess';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { LOCKS, stress } from '../programs/lock-stress.js';
import { collectGarbage } from '../support/gc.js';
import { eventually } from '../support/shm.js';

const SECONDS = Number(process.env['SECONDS'] ?? 8);
const PROCESSES = Number(process.env['PROCESSES'] ?? 3);
const MOST_DEATHS = 4096;

test(`random kills for ${SECONDS} s`, { timeout: (SECONDS + 60) * 1000 }, async (context) => {
  const locks = Array.from({ length: LOCKS }, () => new Lock());
  const counters = RawArray('i', LOCKS);
  const inside = RawArray('i', LOCKS);
  const stop = RawArray('i', 1);
  const rows: Int32Array[] = [];
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  try {
    const start = () => {
      const row = RawArray('i', LOCKS);
      rows.push(row);
      const child = new Process({ target: stress, args: [locks, counters, inside, row, stop, rows.length] });
      child.start();
      return child;
    };
    const children = Array.from({ length: PROCESSES }, start);
    let kills = 0;
    const end = performance.now() + SECONDS * 1000;
    while (performance.now() < end && kills < MOST_DEATHS) {
      await delay(20 + Math.random() * 150);
      const index = Math.floor(Math.random() * children.length);
      const victim = children[index]!;
      if (!victim.isAlive()) assert.equal(await victim.result(), 'well');
      victim.kill();
      await victim.join();
      kills += 1;
      children[index] = start();
    }
    Atomics.store(stop, 0, 1);
    for (const child of children) assert.equal(await child.result(), 'well');
    let sections = 0;
    for (let at = 0; at < LOCKS; at++) {
      const counted = rows.reduce((sum, row) => sum + row[at]!, 0);
      assert.ok(
        counters[at]! >= counted && counters[at]! <= counted + kills,
        `lock ${at}: ${counters[at]} and ${counted}`,
      );
      sections += counters[at]!;
    }
    context.diagnostic(`${kills} kills, ${sections} sections`);
    assert.ok(kills > SECONDS && sections > 1000);
    // All that the children had is given back: what is left is ours.
    await collectGarbage();
    await eventually('the dead are reaped', () => {
      heap.lookAround(512);
      return [...heap.participant.others(512)].length === 1; // this test's own, by the published package
    });
    const report = checkHeap(heap);
    assert.deepEqual(report.problems, []);
    assert.equal(report.roots, LOCKS + 3 + rows.length);
  } finally {
    heap.leave();
  }
});
