// A pool works on maps, while its workers are killed at random: each task has exactly one outcome, and nothing is left. More:
// SECONDS=60 PROCESSES=4. Again: SEED=.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool, RawArray, WorkerDiedError } from 'multiprocess';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/contents.js';
import { work } from '../programs/pool-stress.js';
import { collectGarbage } from '../support/gc.js';
import { makeRoom, usage } from '../support/heap-usage.js';
import { randomFrom, seedOf } from '../support/random.js';
import { eventually, isAlive } from '../support/shm.js';

const SECONDS = Number(process.env['SECONDS'] ?? 6);
const PROCESSES = Number(process.env['PROCESSES'] ?? 2);
const TASKS = 40;
/** Where workers take long to start, more kills than this in a row would meet only such ones, and a pool gives up at eight. */
const KILLS_WITHOUT_PROGRESS = 4;

test(`random kills for ${SECONDS} s`, { timeout: (4 * SECONDS + 60) * 1000 }, async (context) => {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  RawArray('i', 1);
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  makeRoom(heap);
  await collectGarbage();
  const before = usage(heap);
  const counts = { rounds: 0, kills: 0, done: 0, died: 0 };

  /** In a function of its own, so that nothing of it is held afterwards. */
  const killAtRandom = async () => {
    await using pool = new Pool(PROCESSES);
    const pids = new Set<number>();
    let stop = false;
    const killing = (async () => {
      let reached = 0;
      let since = 0;
      while (!stop) {
        await delay(50 + random() * 400);
        const { done } = pool.stats();
        since = done > reached ? 0 : since + 1;
        reached = done;
        if (since > KILLS_WITHOUT_PROGRESS) continue;
        const workers = pool.stats().workers.filter(({ pid }) => isAlive(pid));
        for (const { pid } of workers) pids.add(pid);
        const victim = workers[Math.floor(random() * workers.length)];
        if (victim === undefined) continue;
        process.kill(victim.pid, 'SIGKILL');
        counts.kills += 1;
      }
    })();
    const begun = performance.now();
    // On a slow machine it goes on until enough has happened.
    const lasts = () => {
      const seconds = (performance.now() - begun) / 1000;
      return seconds < SECONDS || (seconds < 4 * SECONDS && counts.kills <= SECONDS);
    };
    try {
      while (lasts()) {
        const started = RawArray('i', TASKS);
        const retries = random() < 0.3 ? 100 : 0;
        const chunksize = 1 + Math.floor(random() * 8);
        const unordered = random() < 0.5;
        const ms = random() * 8;
        const task = (index: number) => work(started, index, ms);
        const items = Array.from({ length: TASKS }, (_, i) => i);
        const results = unordered
          ? pool.imapUnordered(task, items, { retries, chunksize })
          : pool.imap(task, items, { retries, chunksize });
        const outcomes: (number | WorkerDiedError)[] = [];
        for (;;) {
          const next = await results.next().catch((error: unknown) => {
            assert.ok(error instanceof WorkerDiedError, String(error));
            return { done: false as const, value: error };
          });
          if (next.done) break;
          outcomes.push(next.value);
        }
        assert.equal(outcomes.length, TASKS);
        const done = outcomes.filter((outcome) => typeof outcome === 'number');
        assert.equal(new Set(done).size, done.length, 'a task was done twice');
        if (!unordered)
          for (const [i, outcome] of outcomes.entries()) if (typeof outcome === 'number') assert.equal(outcome, i);
        if (retries > 0) assert.equal(done.length, TASKS, 'with so many retries all get done');
        else
          assert.ok(
            [...started].every((count) => count <= 1),
            'a task was begun twice',
          );
        for (const index of done) assert.ok(started[index]! >= 1);
        counts.rounds += 1;
        counts.done += done.length;
        counts.died += TASKS - done.length;
      }
    } finally {
      stop = true;
      await killing;
    }
    for (const { pid } of pool.stats().workers) pids.add(pid);
    pool.close();
    assert.equal(await pool.join({ timeout: 10_000 }), true);
    await eventually('all workers have ended', () => ![...pids].some(isAlive));
  };
  try {
    await killAtRandom();
    context.diagnostic(JSON.stringify(counts));
    assert.ok(counts.kills > SECONDS && counts.rounds > 0);
    await eventually(
      'what was made is dropped',
      async () => {
        await collectGarbage();
        heap.lookAround(512);
        heap.bury();
        return usage(heap).roots <= before.roots;
      },
      10_000,
    );
    assert.deepEqual(usage(heap), before);
  } finally {
    heap.leave();
  }
});
