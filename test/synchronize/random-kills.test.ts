// Processes work on locks, semaphores, conditions, a barrier and an event while one after the other is killed at random, and in
// some of them one thread after the other is terminated. More: SECONDS=60 PROCESSES=8. Again: SEED=.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Barrier, BoundedSemaphore, Condition, Event, Lock, Process, RawArray, RLock, Semaphore } from 'multiprocess';
import { Heap } from '../../src/heap/heap.js';
import { end, flag, kinds, MOST_MS, own, stress, type World } from '../programs/synchronize-stress.js';
import { stressInThreads } from '../programs/synchronize-threads.js';
import { collectGarbage } from '../support/gc.js';
import { makeRoom, usage } from '../support/heap-usage.js';
import { randomFrom, seedOf } from '../support/random.js';
import { eventually } from '../support/shm.js';

const SECONDS = Number(process.env['SECONDS'] ?? 20);
const PROCESSES = Number(process.env['PROCESSES'] ?? 3);
const RING = 8;
const BOUNDED = 3;

function makeWorld(): World {
  const lock = new Lock();
  return {
    mutexes: [new Lock(), new RLock(), new BoundedSemaphore(1)],
    counters: RawArray('i', 3),
    notEmpty: new Condition(lock),
    notFull: new Condition(lock),
    ring: RawArray('i', RING),
    ends: RawArray('i', 2),
    bounded: new BoundedSemaphore(BOUNDED),
    semaphore: new Semaphore(0),
    event: new Event(),
    barrier: new Barrier(2),
    flags: RawArray('i', 4),
    longest: RawArray('i', kinds.length),
  };
}

/** Counted after it has happened, so each death may have lost one. */
function isCounted(what: string, happened: number, counted: number, deaths: number): void {
  assert.ok(happened >= counted && happened <= counted + deaths, `${what}: ${happened}, and ${counted} are counted`);
}

test(`random kills for ${SECONDS} s`, { timeout: (SECONDS + 60) * 1000 }, async (context) => {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  const world = makeWorld();
  const { flags } = world;
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  makeRoom(heap);
  const before = usage(heap);
  /** In a function of its own, so that nothing of it is held afterwards. */
  const killAtRandom = async () => {
    const rows: Int32Array[] = [];
    const start = (index: number) => {
      const row = RawArray('i', own.words);
      rows.push(row);
      const puts = index % 3 === 1;
      // In every other place one works in a thread that is terminated again and again. It is killed less often, to get to that.
      const child =
        index % 2 === 0
          ? new Process({ target: stress, args: [world, row, puts] })
          : new Process({ target: stressInThreads, args: [world, row, puts, seed + rows.length] });
      child.start();
      return child;
    };
    const children = Array.from({ length: PROCESSES }, (_, index) => start(index));
    let kills = 0;
    let released = 0;
    const until = performance.now() + SECONDS * 1000;
    while (performance.now() < until) {
      for (let wait = 40 + random() * 200; wait > 0; wait -= 20) {
        await delay(20);
        world.semaphore.release();
        released += 1;
        if (random() < 0.5) world.event.set();
        else world.event.clear();
      }
      const index = Math.floor(random() * children.length);
      if (index % 2 === 1 && random() < 0.7) continue;
      const victim = children[index]!;
      if (!victim.isAlive()) assert.equal(await victim.result(), 'well');
      victim.kill();
      await victim.join();
      kills += 1;
      children[index] = start(index);
    }
    // The last ones are let live long enough to have threads that are terminated.
    const terminated = Atomics.load(flags, flag.terminations);
    await eventually('threads end', () => Atomics.load(flags, flag.terminations) > terminated + 2, 20_000);
    Atomics.store(flags, flag.stop, 1);
    const stopped = performance.now();
    for (const condition of [world.notEmpty, world.notFull]) await condition.run(() => condition.notifyAll());
    for (const child of children) assert.equal(await child.result(), 'well');
    assert.ok(performance.now() - stopped < 2 * MOST_MS, 'somebody hangs');

    const deaths = kills + Atomics.load(flags, flag.terminations);
    const sum = (word: number) => rows.reduce((total, row) => total + row[word]!, 0);
    for (let at = 0; at < 3; at++) isCounted(kinds[at]!, world.counters[at]!, sum(own.mutexes + at), deaths);
    const { ends, semaphore, bounded, mutexes } = world;
    isCounted('taken', ends[end.taken]!, sum(own.taken), deaths);
    isCounted('put', ends[end.put]!, sum(own.put), deaths);
    assert.ok(ends[end.put]! >= ends[end.taken]! && ends[end.put]! - ends[end.taken]! <= RING);
    isCounted('taken from the semaphore', released - semaphore.value, sum(own.semaphore), deaths);
    const longest = kinds.map((kind, at) => `${kind} ${world.longest[at]} ms`).join(', ');
    context.diagnostic(
      `${kills} kills, ${deaths - kills} terminations, sections ${world.counters}, taken ${ends[end.taken]}, rounds ` +
        `${sum(own.rounds)}, broken ${sum(own.broken)}, starved ${flags[flag.starved]}, longest: ${longest}`,
    );
    await eventually('all permits are back', () => bounded.value === BOUNDED && mutexes[2].value === 1);
    assert.equal(flags[flag.lost], 0, 'notifications are lost');
    for (const [at, ms] of world.longest.entries()) assert.ok(ms < MOST_MS, `${kinds[at]} took ${ms} ms`);
    assert.ok(kills > SECONDS / 2 && Math.min(...world.counters, ends[end.taken]!) > 100 && sum(own.rounds) > 0);
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
