// Two or three threads do things with one heap at the same time, one step at a time, in all orders of few preemptions and in
// random ones, and one of them dies at each of its steps. More: LOCKSTEP=all npm test -- heap/lockstep. Again: SEED=, REPLAY=.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { scenes as brokenScenes } from '../programs/broken-scenes.js';
import { scenes as heapScenes } from '../programs/heap-scenes.js';
import { scenes as lockScenes } from '../programs/lock-scenes.js';
import { explore, shrink } from '../support/lockstep/explore.js';
import { Lockstep, ScheduleFailure } from '../support/lockstep/lockstep.js';
import { Random } from '../support/lockstep/random.js';
import { formatSchedule, parseSchedule } from '../support/lockstep/schedule.js';
import { EXTENT, SEED, testScenes } from '../support/lockstep/test-scenes.js';

testScenes('heap-scenes', heapScenes);
testScenes('lock-scenes', lockScenes);

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
