// Tests of a table of scenes. More: LOCKSTEP=all npm test -- lockstep. Again: SEED=, REPLAY=.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Extent, explore, shrink } from './explore.js';
import { Lockstep, ScheduleFailure } from './lockstep.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';
import { parseSchedule } from './schedule.js';

export const EXTENT: Extent =
  process.env['LOCKSTEP'] === 'all'
    ? { once: Number.POSITIVE_INFINITY, twice: 3000, kills: Number.POSITIVE_INFINITY, amid: 20, random: 3000 }
    : { once: 20, twice: 10, kills: 10, amid: 1, random: 10 };
export const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const [replayed, schedule] = (process.env['REPLAY'] ?? '').split(' | ');

/** @param name of the module with the scenes, in test/programs. */
export function testScenes(name: string, scenes: readonly Scene[]): void {
  describe(name, () => {
    let lockstep: Lockstep;
    before(async () => {
      lockstep = await Lockstep.start(new URL(`../../programs/${name}.js`, import.meta.url).href);
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
