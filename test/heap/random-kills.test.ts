// Processes work on locks and the allocator while one after the other is killed at random, and in some of them
// one thread after the other is terminated. More: SECONDS=60 PROCESSES=8.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Lock, Process, RawArray } from 'multiprocess';
import { Heap } from '../../src/heap/heap.js';
import { LOCKS, stress, stressInThreads } from '../programs/lock-stress.js';
import { collectGarbage } from '../support/gc.js';
import { makeRoom, usage } from '../support/heap-usage.js';
import { randomFrom, seedOf } from '../support/random.js';
import { eventually } from '../support/shm.js';

const SECONDS = Number(process.env['SECONDS'] ?? 8);
const PROCESSES = Number(process.env['PROCESSES'] ?? 3);
const MOST_DEATHS = 4096;

test(`random kills for ${SECONDS} s`, { timeout: (SECONDS + 60) * 1000 }, async (context) => {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  const locks = Array.from({ length: LOCKS }, () => new Lock());
  const counters = RawArray('i', LOCKS);
  const inside = RawArray('i', LOCKS);
  const stop = RawArray('i', 3);
  const terminations = RawArray('i', 1);
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  makeRoom(heap);
  const before = usage(heap);
  /** In a function of its own, so that nothing of it is held afterwards. */
  const killAtRandom = async () => {
    const rows: Int32Array[] = [];
    const start = (index: number) => {
      const row = RawArray('i', LOCKS);
      rows.push(row);
      const number = rows.length;
      const common = [locks, counters, inside, row, stop, number] as const;
      // In every other place one works in a thread that is terminated again and again. It is killed less often, to get to that.
      const child =
        index % 2 === 0
          ? new Process({ target: stress, args: [...common] })
          : new Process({ target: stressInThreads, args: [...common, terminations, seed + number] });
      child.start();
      return child;
    };
    const children = Array.from({ length: PROCESSES }, (_, index) => start(index));
    let kills = 0;
    const end = performance.now() + SECONDS * 1000;
    while (performance.now() < end && kills < MOST_DEATHS) {
      await delay(20 + random() * 150);
      const index = Math.floor(random() * children.length);
      if (index % 2 === 1 && random() < 0.8) continue;
      const victim = children[index]!;
      if (!victim.isAlive()) assert.equal(await victim.result(), 'well');
      victim.kill();
      await victim.join();
      kills += 1;
      children[index] = start(index);
    }
    // The last ones are let live long enough to have threads that are terminated.
    const terminated = Atomics.load(terminations, 0);
    await eventually('threads are terminated', () => Atomics.load(terminations, 0) > terminated + 2, 20_000);
    Atomics.store(stop, 0, 1);
    for (const child of children) assert.equal(await child.result(), 'well');
    const deaths = kills + Atomics.load(terminations, 0);
    let sections = 0;
    for (let at = 0; at < LOCKS; at++) {
      const counted = rows.reduce((sum, row) => sum + row[at]!, 0);
      assert.ok(
        counters[at]! >= counted && counters[at]! <= counted + deaths,
        `lock ${at}: ${counters[at]} and ${counted}`,
      );
      sections += counters[at]!;
    }
    context.diagnostic(`${kills} kills, ${deaths - kills} terminations, ${sections} sections`);
    assert.ok(kills > SECONDS / 2 && sections > 1000);
  };
  try {
    await killAtRandom();
    // All that the children had is given back, and what was made for them: the heap is as it was.
    await eventually('the dead are reaped', () => {
      heap.lookAround(512);
      return [...heap.participant.others(512)].length === 1; // this test's own, by the published package
    });
    await eventually('what was made is dropped', async () => {
      await collectGarbage();
      return usage(heap).roots <= before.roots;
    });
    assert.deepEqual(usage(heap), before);
  } finally {
    heap.leave();
  }
});
