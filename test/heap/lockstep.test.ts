// Two or three threads do things with one heap at the same time, one step at a time, in all orders of few preemptions and in
// random ones, and one of them dies at each of its steps. More: LOCKSTEP=all npm test -- heap/lockstep. Again: SEED=, REPLAY=.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { scenes as brokenScenes } from '../programs/broken-scenes.js';
import { scenes as heapScenes } from '../programs/heap-scenes.js';
import { scenes as lockScenes } from '../programs/lock-scenes.js';
import { type Extent, explore, shrink } from '../support/lockstep/explore.js';
import { Lockstep, ScheduleFailure } from '../support/lockstep/lockstep.js';
import { Random } from '../support/lockstep/random.js';
import type { Scene } from '../support/lockstep/scene.js';
import { formatSchedule, parseSchedule } from '../support/lockstep/schedule.js';

const EXTENT: Extent =
  process.env['LOCKSTEP'] === 'all'
    ? { once: Number.POSITIVE_INFINITY, twice: 3000, kills: Number.POSITIVE_INFINITY, amid: 20, random: 3000 }
    : { once: 40, twice: 20, kills: 20, amid: 1, random: 20 };
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const [replayed, schedule] = (process.env['REPLAY'] ?? '').split(' | ');

function tableOf(name: string, scenes: readonly Scene[]): void {
  describe(name, () => {
    let lockstep: Lockstep;
    before(async () => {
      lockstep = await Lockstep.start(new URL(`../programs/${name}.js`, import.meta.url).href);
    });
    after(() => lockstep.end());
    for (const scene of scenes.filter((each) => schedule === undefined || each.name === replayed)) {
      test(scene.name, { timeout: 3_600_000 }, async (context) => {
        if (schedule !== undefined) {
          context.diagnostic(JSON.stringify(await lockstep.run(scene, parseSchedule(schedule)), undefined, 1));
          return;
        }
        context.diagnostic(`SEED=${SEED}`);
        const start = performance.now();
        try {
          const { schedules, deaths, waits, steps } = await explore(lockstep, scene, EXTENT, new Random(SEED));
          const seconds = ((performance.now() - start) / 1000).toFixed(1);
          context.diagnostic(`${schedules} schedules, ${deaths} deaths, ${waits} waits, steps ${steps}, ${seconds} s`);
          assert.ok(Math.max(...steps) >= scene.atLeast, `only ${steps} steps were met`);
        } catch (error) {
          if (!(error instanceof ScheduleFailure)) throw error;
          await lockstep.run(scene, await shrink(lockstep, scene, error.schedule));
          throw error;
        }
      });
    }
  });
}

tableOf('heap-scenes', heapScenes);
tableOf('lock-scenes', lockScenes);

describe('broken on purpose', () => {
  let lockstep: Lockstep;
  before(async () => {
    lockstep = await Lockstep.start(new URL('../programs/broken-scenes.js', import.meta.url).href);
  });
  after(() => lockstep.end());
  for (const scene of brokenScenes) {
    test(scene.name, async (context) => {
      const failure: unknown = await explore(lockstep, scene, EXTENT, new Random(SEED)).catch((error) => error);
      assert.ok(failure instanceof ScheduleFailure, `not found: ${String(failure)}`);
      const shortest = await shrink(lockstep, scene, failure.schedule);
      // What is printed shows it again.
      const again = parseSchedule(formatSchedule(shortest));
      await assert.rejects(lockstep.run(scene, again), ScheduleFailure);
      context.diagnostic(`${formatSchedule(shortest)}: ${(failure.cause as Error).message.split('\n')[0]}`);
    });
  }
});
