// Bytes of lists that somebody has overwritten: typed errors, and soon, whatever is there. More: ROUNDS=5000. Again: SEED=.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendPrepared, fillList, makeList } from '../../src/collections/list-aside.js';
import { body, bodyOf, ENTRY_WORDS } from '../../src/collections/list-layout.js';
import { everything } from '../../src/collections/list-snapshot.js';
import { HeapListStore } from '../../src/collections/list-store.js';
import '../../src/collections/shared-list.js';
import { MultiprocessError } from '../../src/errors/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import { EXTENT_MASK, Place } from '../../src/heap/internal.js';
import { removeFile } from '../../src/os/index.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { collectGarbage } from '../support/gc.js';
import { filesOf } from '../support/killing.js';
import { randomFrom, seedOf } from '../support/random.js';

const values = Array.from({ length: 300 }, (_, i) =>
  i % 3 === 0 ? i : i % 3 === 1 ? `a text in a block ${i}` : { i },
);

test('hostile bytes in a list: a typed error at once, or none', { timeout: 120_000 }, async (context) => {
  const rounds = Number(process.env['ROUNDS'] ?? 300);
  const first = seedOf();
  context.diagnostic(`SEED=${first}`);
  let failures = 0;
  for (let seed = first; seed < first + rounds; seed++) {
    const random = randomFrom(seed);
    const below = (n: number) => Math.floor(random() * n);
    const id = randomHex(16);
    const heap = Heap.join(id, true)!;
    heap.stopTicking();
    const [at, other] = [makeList(heap), makeList(heap)];
    fillList(heap, at, values);
    const store = new HeapListStore(new Place(heap, at));
    for (let i = 0; i < below(100); i++) store.pop(0);
    const { transaction: tx, memory } = heap;
    const list = bodyOf(tx, at);
    const directory = tx.read(list + body.directory);
    const targets = [
      ...Array.from({ length: body.words }, (_, i) => list + i),
      ...Array.from({ length: 4 * ENTRY_WORDS }, (_, i) => directory + i),
      ...Array.from({ length: 12 }, () => tx.read(directory + ENTRY_WORDS * below(3)) + below(384)),
    ];
    for (let hit = 0; hit < 1 + below(4); hit++) {
      const target = targets[below(targets.length)]!;
      const words = memory.at(target);
      const index = target & EXTENT_MASK;
      const wrong = [
        0,
        1,
        -1,
        0x7fff_ffff,
        -0x8000_0000,
        words[index]! + 1,
        words[index]! - 1,
        words[index]! ^ (1 << below(32)),
        below(2 ** 32) | 0,
        list,
        directory,
        tx.read(directory),
        bodyOf(tx, other),
      ];
      words[index] = wrong[below(wrong.length)]!;
    }
    const start = performance.now();
    const attempt = (what: () => unknown) => {
      try {
        what();
      } catch (error) {
        const isTyped =
          error instanceof MultiprocessError || error instanceof RangeError || 'errno' in (error as Error);
        assert.ok(isTyped, `seed ${seed}: ${(error as Error).stack}`);
        failures += 1;
      }
      assert.ok(performance.now() - start < 3000, `seed ${seed}: too late, at ${what}`);
    };
    const operations = [
      () => store.get(below(300)),
      () => store.get(-1),
      () => store.length(),
      () => store.values(everything),
      () => store.append('another text in a block'),
      () => store.set(below(300), 'another text in a block'),
      () => store.insert(0, 1),
      () => store.insert(below(300), 1),
      () => store.pop(0),
      () => store.pop(-1),
      () => store.pop(below(300)),
      () => store.splice(() => [50, 200], [1, 2, 3]),
      () => store.extend(values),
      () => store.reverse(),
      () => store.compute(5, () => 1),
      () => store.remove(5),
      () => checkHeap(heap),
    ];
    for (let i = 0; i < 12; i++) attempt(operations[below(operations.length)]!);
    if (below(2) === 0) attempt(() => store.clear());
    attempt(() => appendPrepared(heap, other, []));
    attempt(() => heap.release(at.address));
    attempt(() => heap.bury(500));
    attempt(() => heap.leave());
    attempt(() => sweepHeap(id));
    for (const file of filesOf(id)) removeFile(`/dev/shm/${file}`);
    if (seed % 32 === 0) await collectGarbage();
  }
  assert.ok(failures > 0, 'nothing was noticed');
});
