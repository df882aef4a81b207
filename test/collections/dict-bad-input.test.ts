// Hostile bytes in a dict, and a heap that has no room for more: typed errors, and no harm done.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scratch } from '../../src/collections/dict-keys.js';
import { body, entry } from '../../src/collections/dict-layout.js';
import { DictUnit } from '../../src/collections/dict-unit.js';
import { transact, transactable } from '../../src/collections/transact.js';
import { CorruptSegmentError, MultiprocessError, StaleHandleError } from '../../src/errors/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { EXTENT_MASK, Heap } from '../../src/heap/internal.js';
import { root } from '../../src/heap/layout.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { dictIn, makeDict, write } from '../programs/dict-operations.js';
import { endHeap } from '../support/killing.js';
import { randomFrom, seedOf } from '../support/random.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 400);
const TEXT = 'a text that needs a block of its own';

/** All that is known to end, in whatever way, at once. */
const isTyped = (error: unknown) =>
  error instanceof MultiprocessError || error instanceof RangeError || error instanceof TypeError;

test('whatever bytes a dict consists of, what is done with it ends, with a result or a typed error', async (context) => {
  const seed = seedOf();
  context.diagnostic(`SEED=${seed}`);
  const random = randomFrom(seed);
  const below = (most: number) => Math.floor(random() * most);
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const heap = Heap.join(randomHex(16), true)!;
    const facts = makeDict(
      heap,
      Array.from({ length: 20 }, (_, i) => [i, i % 3 ? i : i % 2 ? TEXT : 'O'] as const),
    );
    const dict = dictIn(heap, facts);
    write(heap, facts, 'more', TEXT, 1e9);
    const at = heap.memory.load(facts['address']! + root.a);
    const first = heap.memory.load(at + body.first);
    const target = [at + below(14), first + below(entry.key + 2), heap.memory.load(at + body.segments) + below(16)][
      below(3)
    ]!;
    const bad = [0, -1, 1, below(2 ** 31), first, at, facts['address']!, heap.memory.load(first + entry.after)][
      below(8)
    ]!;
    heap.memory.at(target)[target & EXTENT_MASK] = bad;
    const uses: (() => unknown)[] = [
      () => [...dict.entries()],
      () => dict.keys(),
      () => dict.size(),
      () => Array.from({ length: 20 }, (_, i) => dict.read(i)),
      () => dict.write(below(40), TEXT, undefined),
      () => dict.write('ttl', 1, 5),
      () => dict.remove(below(20)),
      () => dict.takeLast(),
      () => dict.increment('n', 1),
      () => dict.compareAndSet(1, 1, 2),
      () => transact({ [transactable]: new DictUnit(dict) }, () => dict.write('x', 1, undefined)),
      () => dict.clear(),
    ];
    const start = performance.now();
    for (let i = 0; i < 6; i++) {
      try {
        uses[below(uses.length)]!();
      } catch (error) {
        assert.ok(isTyped(error), `word ${target} = ${bad}: ${String((error as Error).stack)}`);
        refused += 1;
      }
    }
    assert.ok(performance.now() - start < 5000, `word ${target} = ${bad} took too long`);
    heap.stopTicking();
    try {
      heap.leave();
    } catch {}
    await endHeap(heap).catch(() => undefined);
  }
  assert.ok(refused > 0, 'nothing was found amiss');
});

test('a dict whose chain or list leads into itself', async () => {
  const heap = Heap.join(randomHex(16), true)!;
  const facts = makeDict(heap, [
    ['a', 1],
    ['b', 2],
  ]);
  const dict = dictIn(heap, facts);
  const at = heap.memory.load(facts['address']! + root.a);
  const first = heap.memory.load(at + body.first);
  const words = heap.memory.at(first);
  const set = (word: number, value: number) => {
    const before = words[(first + word) & EXTENT_MASK]!;
    words[(first + word) & EXTENT_MASK] = value;
    return before;
  };
  const after = set(entry.after, first);
  for (const use of [() => dict.keys(), () => dict.entries()]) assert.throws(use, CorruptSegmentError);
  set(entry.after, after);
  set(entry.next, first);
  scratch.set('a');
  const hash = set(entry.hash, 0);
  set(entry.hash, hash ^ (1 << 30));
  assert.throws(() => dict.read('a'), CorruptSegmentError);
  set(entry.hash, hash);
  set(entry.next, 0);
  assert.equal(dict.read('a'), 1);
  assert.deepEqual(checkHeap(heap).problems, []);
  assert.throws(() => {
    heap.dispose(dict.at);
    dict.read('a');
  }, StaleHandleError);
  heap.release(facts['address']!);
  heap.release(facts['lock']!);
  await endHeap(heap);
});
