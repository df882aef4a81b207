// Several processes work with one pool of a manager, while they and the workers are killed at random: each task has exactly one
// outcome, and nothing is left. More: SECONDS=60. Again: SEED=.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Manager, Process, Value } from 'multiprocess';
import { workWithPool } from '../programs/managed-pool-stress.js';
import { leavesNothingIn } from '../support/manager-heap.js';
import { randomFrom, seedOf } from '../support/random.js';
import { eventually, isAlive } from '../support/shm.js';

const SECONDS = Number(process.env['SECONDS'] ?? 6);
const CLIENTS = 3;
/** As in the other test: a pool gives up when eight workers in a row die before they are ready. */
const KILLS_WITHOUT_PROGRESS = 4;

test(`random kills for ${SECONDS} s`, { timeout: (4 * SECONDS + 90) * 1000 }, async (context) => {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  const manager = await Manager();
  const counts = { clients: 0, workers: 0 };
  const pids = new Set<number>();
  const rounds = Value('i', 0);
  await leavesNothingIn(
    manager,
    async () => {
      const pool = await manager.Pool(2);
      const stop = Value('i', 0);
      const start = () => {
        const client = new Process({
          target: workWithPool,
          args: [pool, stop, rounds, Math.floor(random() * 2 ** 31)],
        });
        client.start();
        return client;
      };
      const clients = Array.from({ length: CLIENTS }, start);
      const begun = performance.now();
      let reached = 0;
      let since = 0;
      // On a slow machine it goes on until enough has happened.
      const lasts = () => {
        const seconds = (performance.now() - begun) / 1000;
        return seconds < SECONDS || (seconds < 4 * SECONDS && (counts.workers === 0 || counts.clients === 0));
      };
      while (lasts()) {
        await delay(100 + random() * 500);
        const { done, workers } = pool.stats();
        for (const { pid } of workers) pids.add(pid);
        if (random() < 0.4) {
          const index = Math.floor(random() * CLIENTS);
          const victim = clients[index]!;
          if (!victim.isAlive()) await victim.result(); // throws what it has found to be wrong
          victim.kill();
          await victim.join();
          counts.clients += 1;
          clients[index] = start();
          continue;
        }
        since = done > reached ? 0 : since + 1;
        reached = done;
        const victim = workers[Math.floor(random() * workers.length)];
        if (since > KILLS_WITHOUT_PROGRESS || victim === undefined || !isAlive(victim.pid)) continue;
        process.kill(victim.pid, 'SIGKILL');
        counts.workers += 1;
      }
      stop.value = 1;
      for (const client of clients) await client.result();
      await eventually('nothing is under way', () => pool.stats().running + pool.stats().queued === 0);
      assert.equal(await pool.apply(() => 1), 1);
      for (const { pid } of pool.stats().workers) pids.add(pid);
      pool.close();
      assert.equal(await pool.join({ timeout: 10_000 }), true);
      await eventually('all workers have ended', () => ![...pids].some(isAlive));
    },
    15_000,
  );
  context.diagnostic(JSON.stringify({ ...counts, rounds: rounds.value }));
  assert.ok(counts.clients > 0 && counts.workers > 0 && rounds.value > 0);
  await manager.shutdown();
});
