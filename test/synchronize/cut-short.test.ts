import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createContext, runInContext } from 'node:vm';
import { treeHeap } from '../../src/heap/current-heap.js';
import { onStep } from '../../src/heap/doors.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { placeOf } from '../../src/heap/place.js';
import { Barrier, BoundedSemaphore, Condition, RLock, Semaphore } from '../../src/synchronize/index.js';
import { PermitWord } from '../../src/synchronize/permit-word.js';
import { SemaphoreWord } from '../../src/synchronize/semaphore-word.js';
import { hasCode } from '../support/errors.js';

// JavaScript that is cut short by a vm timeout, at each step of what blocks. What it had is given back by the next tick, and
// nothing that somebody has by right.

/** @returns whether it was cut. */
function cutAt(step: number, work: () => unknown): boolean {
  let steps = 0;
  try {
    runInContext(
      'work()',
      createContext({
        work: () => {
          onStep(() => {
            steps += 1;
            if (steps === step) for (;;);
          });
          work();
        },
      }),
      { timeout: 25 },
    );
    return false;
  } catch (error) {
    if (!/timed out/.test(String(error))) throw error;
    return true;
  } finally {
    onStep(undefined);
  }
}

/** What the timer does, now. */
function tick(): void {
  const heap = treeHeap();
  heap.transaction.settle();
  for (const listener of [...heap.onTick]) listener();
}

/** Makes a case for each step, until one is not cut short any more. */
async function atEachStep(make: () => { work: () => unknown; after: (at: string) => unknown }): Promise<void> {
  for (let step = 1, cut = true; cut; step++) {
    const { work, after } = make();
    cut = cutAt(step, work);
    tick();
    await after(`cut short at step ${step}`);
  }
}

test('runSync of a semaphore neither loses a permit nor makes one', { timeout: 60_000 }, () =>
  atEachStep(() => {
    const semaphore = new Semaphore(1);
    const { heap, at } = placeOf(semaphore);
    // Somebody seems to be asleep, so that giving back has to wake.
    const asleep = new SemaphoreWord(heap, at);
    return {
      work: () => semaphore.runSync(() => void asleep.prepareSleep(false)),
      after: (step) => assert.equal(semaphore.value, 1, step),
    };
  }),
);

test('runSync of a bounded semaphore gives back its own permit only', { timeout: 60_000 }, () =>
  atEachStep(() => {
    const semaphore = new BoundedSemaphore(2);
    const { heap, at } = placeOf(semaphore);
    const asleep = new PermitWord(heap, at);
    semaphore.acquireSync();
    return {
      work: () => semaphore.runSync(() => void asleep.prepareSleep(true)),
      after: (step) => {
        assert.equal(semaphore.value, 1, step);
        semaphore.release();
        assert.equal(semaphore.value, 2, step);
        assert.throws(() => semaphore.release(), hasCode('ERR_MULTIPROCESS_VALUE'));
      },
    };
  }),
);

test('who waits for a condition swallows no notification', { timeout: 120_000 }, () =>
  atEachStep(() => {
    const condition = new Condition();
    return {
      work: () => condition.runSync(() => condition.waitSync({ timeout: 1 })),
      after: async (step) => {
        const waiting = condition.run(() => condition.wait({ timeout: 5000 }));
        await condition.run(() => condition.notify(1));
        assert.equal(await waiting, true, step);
        assert.match(String(checkHeap(treeHeap()).problems), /^$/, step);
      },
    };
  }),
);

test('who has the lock by right when the wait of another was cut short can enter it again', async () => {
  const lock = new RLock();
  const condition = new Condition(lock);
  let inWait = false;
  const cut = cutAt(-1, () =>
    lock.runSync(() => {
      inWait = true;
      condition.waitSync();
    }),
  );
  assert.deepEqual([cut, inWait], [true, true]);
  await lock.run(async () => {
    tick();
    await lock.run(() => {}, { timeout: 2000 });
  });
});

test('who waits at a barrier has given up', { timeout: 120_000 }, () =>
  atEachStep(() => {
    const barrier = new Barrier(2);
    return {
      work: () => {
        try {
          barrier.waitSync({ timeout: 1 });
        } catch (error) {
          assert.ok(hasCode('ERR_MULTIPROCESS_BROKEN_BARRIER')(error));
        }
      },
      after: async (step) => {
        assert.equal(barrier.nWaiting, 0, step);
        barrier.reset();
        assert.deepEqual(await Promise.all([barrier.wait(), barrier.wait()]), [0, 1], step);
        assert.match(String(checkHeap(treeHeap()).problems), /^$/, step);
      },
    };
  }),
);

test('an action that is cut short breaks the barrier', { timeout: 10_000 }, async () => {
  const barrier = new Barrier(2, {
    action: () => {
      for (;;);
    },
  });
  const other = assert.rejects(barrier.wait(), hasCode('ERR_MULTIPROCESS_BROKEN_BARRIER'));
  await delay(1);
  assert.equal(
    cutAt(-1, () => barrier.waitSync()),
    true,
  );
  await other;
});
