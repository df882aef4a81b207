import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { Condition, Event, Lock, RawArray, RLock, Semaphore } from 'multiprocess';
import { testsOfAnyPrimitive } from '../support/any-primitive.js';
import { hasCode } from '../support/errors.js';
import { leavesNothing } from '../support/leaves-nothing.js';
import {
  allWait,
  clockOfRolls,
  hows,
  lastEnd,
  type Party,
  places,
  results,
  roll,
  start,
  startAll,
  type Where,
} from '../support/parties.js';
import { eventually } from '../support/shm.js';

const notOwner = hasCode('ERR_MULTIPROCESS_NOT_OWNER');
const stale = hasCode('ERR_MULTIPROCESS_STALE_HANDLE');
const STALE = 'ERR_MULTIPROCESS_STALE_HANDLE';
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Starts so many who stand in line one after the other, by turns blocking and not. */
async function lineUp(where: Where, condition: Condition, count: number) {
  const line = { counts: RawArray('i', 2), order: RawArray('i', count) };
  const waiting: Party<boolean>[] = [];
  for (let number = 0; number < count; number++) {
    waiting.push(start(where, 'standInLine', condition, line, number, hows[number % 2]!));
    await eventually('it stands in line', () => condition.runSync(() => line.counts[0] === number + 1));
  }
  return { line, waiting, wentOn: () => condition.runSync(() => [...line.order.subarray(0, line.counts[1])]) };
}

describe('Condition', () => {
  testsOfAnyPrimitive<Condition>(
    {
      Kind: Condition,
      args: [],
      shown: /^Condition \{ RLock \{ free \} \}$/,
      touched: (condition) => {
        const free = condition.tryAcquire();
        if (free) condition.release();
        return !free;
      },
      uses: {
        wait: (condition) => condition.runSync(() => 1) && condition.run(() => condition.wait()),
        'wait with options': (condition) => condition.run(() => condition.wait({ timeout: 5 })),
        waitSync: (condition) => condition.runSync(() => condition.waitSync()),
        waitFor: (condition) => condition.run(() => condition.waitFor(() => false)),
        waitForSync: (condition) => condition.runSync(() => condition.waitForSync(() => false)),
        notify: (condition) => condition.runSync(() => condition.notify()),
        notifyAll: (condition) => condition.runSync(() => condition.notifyAll()),
      },
    },
    () => new Condition(new Lock()),
  );

  test('takes a Lock or an RLock, and nothing else', async () => {
    for (const lock of [new Lock(), new RLock()]) {
      const condition = new Condition(lock);
      condition.acquireSync();
      assert.equal(lock.locked(), true);
      assert.equal(condition.ownerDied, false);
      lock.release();
      assert.equal(await condition.acquire(), true);
      condition.release();
      assert.equal(lock.locked(), false);
      assert.equal(condition.acquireSync({ timeout: 5 }), true);
      condition.release();
      {
        using guard = condition.guardSync();
        assert.equal(guard.ownerDied, false);
        assert.equal(lock.locked(), true);
      }
      assert.equal(lock.locked(), false);
    }
    for (const wrong of [null, 5, {}, new Semaphore(), new Event(), new Condition()]) {
      assert.throws(() => new Condition(wrong as never), TypeError);
    }
  });

  test('wait, notify and release without the lock', async () => {
    for (const condition of [new Condition(), new Condition(new Lock())]) {
      await assert.rejects(condition.wait(), notOwner);
      await assert.rejects(condition.wait({ timeout: 0 }), notOwner);
      assert.throws(() => condition.waitSync(), notOwner);
      await assert.rejects(
        condition.waitFor(() => false),
        notOwner,
      );
      assert.throws(() => condition.waitForSync(() => false), notOwner);
      assert.throws(() => condition.notify(), notOwner);
      assert.throws(() => condition.notifyAll(), notOwner);
      assert.throws(() => condition.release(), notOwner);
    }
  });

  test('wrong counts, options and predicates', async () => {
    const condition = new Condition();
    await condition.run(async () => {
      for (const n of [1.5, Number.NaN, '1', null]) assert.throws(() => condition.notify(n as number), TypeError);
      assert.throws(() => condition.notify(-1), RangeError);
      condition.notify(0);
      condition.notify(5);
      for (const wrong of [Number.NaN, '5', null] as unknown[]) {
        const kind = Number.isNaN(wrong) ? RangeError : TypeError;
        const options = { timeout: wrong as number };
        await assert.rejects(condition.wait(options), kind);
        assert.throws(() => condition.waitSync(options), kind);
        await assert.rejects(
          condition.waitFor(() => true, options),
          kind,
        );
        assert.throws(() => condition.waitForSync(() => true, options), kind);
      }
      await assert.rejects(condition.wait({ signal: {} as never }), TypeError);
      await assert.rejects(
        condition.waitFor(() => true, { signal: {} as never }),
        TypeError,
      );
      await assert.rejects(condition.waitFor((async () => true) as never), TypeError);
      assert.throws(() => condition.waitForSync((async () => true) as never), TypeError);
      await assert.rejects(condition.waitFor(5 as never), TypeError);
      assert.throws(() => condition.waitForSync(undefined as never), TypeError);
      const thrown = new RangeError('mine');
      const throws = () => {
        throw thrown;
      };
      await assert.rejects(condition.waitFor(throws), thrown);
      assert.throws(() => condition.waitForSync(throws), thrown);
      // Held all the time.
      condition.notify();
    });
    assert.throws(() => condition.notify(), notOwner);
  });

  test('waits that are in vain: timeouts of 0 and less, finite ones', async () => {
    for (const condition of [new Condition(), new Condition(new Lock())]) {
      await condition.run(async () => {
        for (const timeout of [0, -1, Number.NEGATIVE_INFINITY]) {
          assert.equal(await condition.wait({ timeout }), false);
          assert.equal(condition.waitSync({ timeout }), false);
          assert.equal(await condition.waitFor(() => false, { timeout }), false);
          assert.equal(
            condition.waitForSync(() => false, { timeout }),
            false,
          );
          assert.equal(await condition.waitFor(() => true, { timeout }), true);
        }
        for (const wait of [
          () => condition.wait({ timeout: 60 }),
          () => condition.waitSync({ timeout: 60 }),
          () => condition.waitFor(() => false, { timeout: 60 }),
          () => condition.waitForSync(() => false, { timeout: 60 }),
        ]) {
          const since = performance.now();
          assert.equal(await wait(), false);
          assert.ok(performance.now() - since >= 59);
          condition.notify(); // has the lock again
        }
      });
    }
  });

  test('a signal: aborted already, and while waiting, when it has the lock again', async () => {
    for (const lock of [new Lock(), new RLock()]) {
      const condition = new Condition(lock);
      const reason = new Error('enough');
      const { signal } = new AbortController();
      await condition.run(async () => {
        await assert.rejects(condition.wait({ signal: AbortSignal.abort(reason) }), reason);
        await assert.rejects(
          condition.waitFor(() => true, { signal: AbortSignal.abort(reason) }),
          reason,
        );
        assert.equal(await condition.waitFor(() => true, { signal }), true);
        condition.notify();
      });
      const controller = new AbortController();
      let settled = false;
      const waiting = condition.run(async () => {
        try {
          await condition.wait({ signal: controller.signal });
        } finally {
          settled = true;
          condition.notify(); // has the lock
        }
      });
      await turn();
      await condition.acquire();
      controller.abort(reason);
      for (let i = 0; i < 20; i++) await turn();
      assert.equal(settled, false);
      condition.release();
      await assert.rejects(waiting, reason);
      assert.equal(lock.locked(), false);
    }
  });

  test('one who is aborted when it has been notified passes that on', async () => {
    const condition = new Condition();
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController();
      const first = condition.run(() => condition.wait({ signal: controller.signal })).catch(() => 'aborted');
      const second = condition.run(() => condition.wait({ timeout: 5000 }));
      for (let i = 0; i < 5; i++) await turn();
      await condition.run(async () => {
        if (round % 2 === 0) controller.abort();
        condition.notify();
        for (let i = 0; i < round % 5; i++) await turn();
        controller.abort();
      });
      const outcome = await first;
      assert.ok(outcome === 'aborted' || outcome === true);
      if (outcome === true) await condition.run(() => condition.notify());
      assert.equal(await second, true, `round ${round}`);
    }
  });

  test('one who is too late when it has been notified was in time', async () => {
    const condition = new Condition(new Lock());
    const first = condition.run(() => condition.wait({ timeout: 20 }));
    const second = condition.run(() => condition.wait({ timeout: 200 }));
    await turn();
    await condition.run(async () => {
      condition.notify();
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    assert.deepEqual(await Promise.all([first, second]), [true, false]);
  });

  test('waits in vain leave no listener, and nothing in the heap', async () => {
    const condition = new Condition();
    const controller = new AbortController();
    const { signal } = controller;
    await leavesNothing(async () => {
      const waits = Array.from({ length: 1000 }, () => condition.run(() => condition.wait({ timeout: 1, signal })));
      assert.ok((await Promise.all(waits)).every((notified) => !notified));
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      const aborted = Array.from({ length: 100 }, () => condition.run(() => condition.wait({ signal })));
      for (let i = 0; i < 200; i++) await turn();
      controller.abort();
      for (const { status } of await Promise.allSettled(aborted)) assert.equal(status, 'rejected');
    });
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test('an RLock is had again as often as before', async () => {
    const lock = new RLock();
    const condition = new Condition(lock);
    lock.acquireSync();
    lock.acquireSync();
    lock.acquireSync();
    assert.equal(condition.waitSync({ timeout: 5 }), false);
    lock.acquireSync(); // the same stretch still
    for (let depth = 4; depth > 0; depth--) {
      assert.equal(lock.locked(), true);
      lock.release();
    }
    assert.equal(lock.locked(), false);
    assert.throws(() => lock.release(), notOwner);

    let free = false;
    const other = (async () => {
      await turn();
      await lock.run(() => {
        free = true;
        condition.notify();
      });
    })();
    await lock.run(async () => {
      await lock.acquire();
      await lock.run(async () => {
        assert.equal(await condition.wait(), true);
        assert.equal(free, true);
        // What runs inside is inside still, across awaits.
        await turn();
        assert.equal(await lock.acquire(), true);
        lock.release();
      });
      lock.release();
      assert.equal(lock.locked(), true);
      condition.notify();
    });
    await other;
    assert.equal(lock.locked(), false);
  });

  test('two that wait inside run do not count as one another', async () => {
    const lock = new RLock();
    const condition = new Condition(lock);
    let inside = 0;
    const order: string[] = [];
    const task = (name: string) =>
      condition.run(async () => {
        assert.equal(await condition.wait(), true);
        await lock.run(async () => {
          inside += 1;
          assert.equal(inside, 1);
          for (let i = 0; i < 5; i++) await turn();
          order.push(name);
          inside -= 1;
        });
      });
    const all = [task('first'), task('second'), task('third')];
    for (let i = 0; i < 10; i++) await turn();
    await condition.run(() => condition.notifyAll());
    await Promise.all(all);
    assert.equal(order.length, 3);
    assert.equal(lock.locked(), false);
  });

  test('two tasks of one process exclude each other', async () => {
    const condition = new Condition();
    let inside = 0;
    const task = async () => {
      for (let i = 0; i < 20; i++) {
        await condition.run(async () => {
          inside += 1;
          assert.equal(inside, 1);
          await condition.run(turn); // recursion
          inside -= 1;
        });
      }
    };
    await Promise.all([task(), task(), task()]);
    assert.match(inspect(condition), /free/);
  });

  test('two conditions on one lock', async () => {
    for (const lock of [new Lock(), new RLock()]) {
      const [full, empty] = [new Condition(lock), new Condition(lock)];
      const items: number[] = [];
      const taken: number[] = [];
      const producer = async () => {
        for (let i = 0; i < 50; i++) {
          await lock.run(async () => {
            await full.waitFor(() => items.length < 2);
            items.push(i);
            empty.notify();
          });
        }
      };
      const consumer = async () => {
        for (let i = 0; i < 25; i++) {
          await lock.run(async () => {
            await empty.waitFor(() => items.length > 0);
            taken.push(items.shift()!);
            full.notify();
          });
        }
      };
      await Promise.all([producer(), consumer(), consumer()]);
      assert.deepEqual(taken, Array.from(taken.keys()));
      assert.equal(taken.length, 50);
    }
  });

  test('a waiter here waits for its turn with the lock', async () => {
    const condition = new Condition(new Lock());
    let settled = false;
    const waiting = condition.run(async () => {
      assert.equal(await condition.wait(), true);
      settled = true;
    });
    await turn();
    await condition.run(async () => {
      condition.notify();
      for (let i = 0; i < 50; i++) await turn();
      assert.equal(settled, false);
    });
    await waiting;
  });

  for (const where of places) {
    test(`notify(n) lets exactly the first n go, in ${where}`, { timeout: 60_000 }, async () => {
      const condition = new Condition();
      const { waiting, wentOn } = await lineUp(where, condition, 5);
      const notify = async (n: number, total: number) => {
        condition.runSync(() => condition.notify(n));
        await eventually(`${total} have gone on`, () => wentOn().length === total);
      };
      await notify(1, 1);
      assert.deepEqual(wentOn(), [0]);
      await notify(0, 1);
      await notify(2, 3);
      assert.deepEqual(wentOn().sort(), [0, 1, 2]);
      await new Promise((resolve) => setTimeout(resolve, 120)); // more than a slice: nobody else goes on
      assert.equal(wentOn().length, 3);
      await notify(9, 5);
      assert.deepEqual(await results(waiting), Array(5).fill(true));
      // Nobody has been let go ahead.
      assert.equal(
        condition.runSync(() => condition.waitSync({ timeout: 20 })),
        false,
      );
    });

    test(`notifyAll lets all go who wait, and nobody else, in ${where}`, async () => {
      const condition = new Condition(new Lock());
      const { waiting } = await lineUp(where, condition, 3);
      const here = condition.run(() => condition.wait());
      await turn();
      condition.runSync(() => condition.notifyAll());
      assert.equal(await here, true);
      assert.deepEqual(await results(waiting), [true, true, true]);
      assert.equal(await condition.run(() => condition.wait({ timeout: 20 })), false);
    });

    for (const how of hows) {
      test(`waitFor, ${how}, in ${where}`, async () => {
        const condition = new Condition();
        const state = RawArray('i', [-1]);
        const other = start(where, 'waitForFour', condition, state, how);
        await condition.run(() => condition.waitFor(() => state[0] === 0));
        for (let i = 0; i < 4; i++) {
          await turn();
          condition.runSync(() => {
            state[0] = state[0]! + 1;
            condition.notify();
          });
        }
        assert.equal(await other.result, true);
      });

      test(`the outcome of wait, ${how}, in ${where}`, async () => {
        const condition = new Condition(new Lock());
        condition.acquireSync();
        const other = start(where, 'waitTwice', condition, how);
        assert.equal(await condition.wait(), true);
        condition.notify();
        condition.release();
        assert.deepEqual(await other.result, [true, false]);
      });

      test(`one that is killed while it waits, ${how}, in ${where}, swallows nothing`, async () => {
        const condition = new Condition();
        const signed = roll(2);
        const first = start(where, 'outcomeOf', condition, signed, 0, how);
        await allWait(signed.subarray(0, 3));
        const second = start(where, 'outcomeOf', condition, signed, 1, how);
        await allWait(signed);
        await first.kill();
        const since = clockOfRolls();
        condition.runSync(() => condition.notify());
        assert.equal(await second.result, 'true');
        assert.ok(lastEnd(signed, since) < 1000, `${lastEnd(signed, since)} ms`);
      });

      test(`one that is killed when it has been notified, ${how}, in ${where}, passes that on`, async () => {
        const condition = new Condition();
        const signed = roll(2);
        const first = start(where, 'outcomeOf', condition, signed, 0, how);
        await allWait(signed.subarray(0, 3));
        const second = start(where, 'outcomeOf', condition, signed, 1, how);
        await allWait(signed);
        condition.acquireSync();
        condition.notify();
        await first.kill();
        condition.release();
        const since = clockOfRolls();
        assert.equal(await second.result, 'true');
        assert.ok(lastEnd(signed, since) < 1000, `${lastEnd(signed, since)} ms`);
      });
    }

    test(`its lock is handed on by one that is killed with it, in ${where}`, async () => {
      const condition = new Condition();
      const held = RawArray('i', 1);
      const holder = start(where, 'holdUntilTold', condition, held, new Event(), 'sync');
      await eventually('it has the lock', () => Atomics.load(held, 0) === 1);
      const since = performance.now();
      await holder.kill();
      assert.equal(await condition.acquire(), true);
      assert.ok(performance.now() - since < 1000);
      assert.equal(condition.ownerDied, true);
      condition.release();
    });

    test(`release and notify by one that has not the lock, in ${where}`, async () => {
      const condition = new Condition();
      condition.acquireSync();
      assert.equal(await start(where, 'releaseNotOwned', condition).result, 'ERR_MULTIPROCESS_NOT_OWNER');
      condition.release();
    });

    test(`whose lock is disposed of ends for all who wait, in ${where}`, async () => {
      const lock = new Lock();
      const condition = new Condition(lock);
      const signed = roll(2);
      const waiting = startAll(where, 2, 'outcomeOf', (number) => [condition, signed, number, hows[number]!]);
      const here = assert.rejects(
        condition.run(() => condition.wait()),
        stale,
      );
      await allWait(signed);
      const since = clockOfRolls();
      lock.dispose();
      assert.deepEqual(await results(waiting), [STALE, STALE]);
      await here;
      assert.ok(lastEnd(signed, since) < 1000, `${lastEnd(signed, since)} ms`);
    });
  }

  test('the lock stays when the condition is disposed of', async () => {
    const lock = new Lock();
    const condition = new Condition(lock);
    const waiting = lock.run(() => condition.wait().finally(() => assert.equal(lock.locked(), true)));
    const ended = assert.rejects(waiting, stale);
    await turn();
    await lock.acquire();
    condition.dispose();
    lock.release();
    await ended;
    assert.equal(lock.tryAcquire(), true);
    lock.release();
  });
});
