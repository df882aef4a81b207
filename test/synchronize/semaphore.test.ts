import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { BoundedSemaphore, Event, RawArray, Semaphore } from 'multiprocess';
import { testsOfAnyPrimitive } from '../support/any-primitive.js';
import { hasCode } from '../support/errors.js';
import { leavesNothing } from '../support/leaves-nothing.js';
import { allWait, clockOfRolls, hows, lastEnd, places, results, roll, start, startAll } from '../support/parties.js';
import { eventually } from '../support/shm.js';

const timedOut = hasCode('ERR_MULTIPROCESS_TIMEOUT');
const notOwner = hasCode('ERR_MULTIPROCESS_NOT_OWNER');

for (const Kind of [Semaphore, BoundedSemaphore]) {
  describe(Kind.name, () => {
    testsOfAnyPrimitive<Semaphore>(
      {
        Kind,
        args: [2],
        shown: /^(Bounded)?Semaphore \{ value: 2 \}$/,
        touched: (semaphore) => semaphore.value === 1,
        uses: {
          acquire: (semaphore) => semaphore.acquire(),
          'acquire with options': (semaphore) => semaphore.acquire({ timeout: 5 }),
          acquireSync: (semaphore) => semaphore.acquireSync(),
          tryAcquire: (semaphore) => semaphore.tryAcquire(),
          guard: (semaphore) => semaphore.guard(),
          guardSync: (semaphore) => semaphore.guardSync(),
          run: (semaphore) => semaphore.run(() => 1),
          runSync: (semaphore) => semaphore.runSync(() => 1),
          value: (semaphore) => semaphore.value,
        },
      },
      () => {
        const semaphore = new Kind(1);
        semaphore.acquireSync();
        return semaphore;
      },
    );

    test('counts', async () => {
      const semaphore = new Kind(2);
      assert.equal(semaphore.value, 2);
      assert.equal(await semaphore.acquire(), true);
      assert.equal(semaphore.value, 1);
      assert.equal(semaphore.acquireSync(), true);
      assert.equal(semaphore.value, 0);
      assert.equal(semaphore.tryAcquire(), false);
      assert.equal(semaphore.acquireSync({ timeout: 0 }), false);
      assert.equal(await semaphore.acquire({ timeout: 0 }), false);
      semaphore.release();
      assert.equal(semaphore.value, 1);
      semaphore.release(1);
      assert.equal(semaphore.value, 2);
      assert.equal(semaphore.tryAcquire(), true);
      assert.equal(semaphore.tryAcquire(), true);
      semaphore.release(2);
      assert.equal(semaphore.value, 2);
      assert.equal(new Kind().value, 1);
      assert.equal(new Kind(undefined).value, 1);
    });

    test('of nothing, lets nobody in', async () => {
      const semaphore = new Kind(0);
      assert.equal(semaphore.value, 0);
      assert.equal(semaphore.tryAcquire(), false);
      assert.equal(semaphore.acquireSync({ timeout: 5 }), false);
      assert.equal(await semaphore.acquire({ timeout: 5 }), false);
    });

    test('refuses values and counts that are none', () => {
      for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, 1n, {}, true]) {
        assert.throws(() => new Kind(value as number), TypeError, String(value));
      }
      for (const value of [-1, 2 ** 30, 2 ** 53]) assert.throws(() => new Kind(value), RangeError, String(value));
      const semaphore = new Kind(3);
      semaphore.acquireSync();
      for (const count of [1.5, Number.NaN, '1', null, 1n]) {
        assert.throws(() => semaphore.release(count as number), TypeError, String(count));
      }
      for (const count of [0, -1, 2 ** 31]) assert.throws(() => semaphore.release(count), RangeError, String(count));
      assert.equal(semaphore.value, 2);
    });

    test('timeouts: of 0 and less try once; finite ones end; NaN and other types throw, even when it is free', async () => {
      const semaphore = new Kind(1);
      for (const timeout of [0, -1, Number.NEGATIVE_INFINITY]) {
        assert.equal(await semaphore.acquire({ timeout }), true);
        assert.equal(await semaphore.acquire({ timeout }), false);
        assert.equal(semaphore.acquireSync({ timeout }), false);
        semaphore.release();
      }
      assert.equal(await semaphore.acquire({ timeout: Number.POSITIVE_INFINITY }), true);
      let since = performance.now();
      assert.equal(await semaphore.acquire({ timeout: 60 }), false);
      assert.ok(performance.now() - since >= 59);
      since = performance.now();
      assert.equal(semaphore.acquireSync({ timeout: 60 }), false);
      assert.ok(performance.now() - since >= 59);
      await assert.rejects(semaphore.guard({ timeout: 5 }), timedOut);
      assert.throws(() => semaphore.guardSync({ timeout: 5 }), timedOut);
      await assert.rejects(
        semaphore.run(() => 1, { timeout: 5 }),
        timedOut,
      );
      assert.throws(() => semaphore.runSync(() => 1, { timeout: 5 }), timedOut);
      semaphore.release();
      for (const wrong of [Number.NaN, '5', null] as unknown[]) {
        const kind = Number.isNaN(wrong) ? RangeError : TypeError;
        assert.throws(() => semaphore.acquireSync({ timeout: wrong as number }), kind);
        await assert.rejects(semaphore.acquire({ timeout: wrong as number }), kind);
        await assert.rejects(
          semaphore.run(() => 1, { timeout: wrong as number }),
          kind,
        );
      }
      assert.throws(() => semaphore.acquireSync(5 as never), TypeError);
      await assert.rejects(semaphore.acquire({ signal: {} as never }), TypeError);
      assert.equal(semaphore.value, 1);
    });

    test('a signal: aborted already, while waiting, and too late', async () => {
      const semaphore = new Kind(1);
      const reason = new Error('enough');
      await assert.rejects(semaphore.acquire({ signal: AbortSignal.abort(reason) }), reason);
      await semaphore.acquire();
      const controller = new AbortController();
      const waiting = semaphore.acquire({ signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(waiting, reason);
      semaphore.release();
      assert.equal(semaphore.value, 1);
      const late = new AbortController();
      assert.equal(await semaphore.acquire({ signal: late.signal }), true);
      late.abort(reason);
      assert.equal(semaphore.value, 0);
    });

    test('a permit that comes in the moment of the abort is had, or given back', async () => {
      const semaphore = new Kind(1);
      let won = 0;
      for (let round = 0; round < 200; round++) {
        await semaphore.acquire();
        const controller = new AbortController();
        const waiting = semaphore.acquire({ signal: controller.signal }).catch(() => false);
        for (let turn = 0; turn < round % 4; turn++) await new Promise((resolve) => setImmediate(resolve));
        const abort = () => controller.abort();
        if (round % 3 === 0) setImmediate(abort);
        semaphore.release();
        if (round % 3 === 1) setImmediate(abort);
        if (round % 3 === 2) abort();
        if (await waiting) {
          won += 1;
          assert.equal(semaphore.value, 0);
          semaphore.release();
        }
        assert.equal(semaphore.value, 1);
      }
      assert.ok(won > 0 && won < 200, `won ${won} times`);
    });

    test('waits in vain leave no listener, and nothing in the heap', async () => {
      const semaphore = new Kind(1);
      await semaphore.acquire();
      const { signal } = new AbortController();
      await leavesNothing(async () => {
        const waits = Array.from({ length: 1000 }, () => semaphore.acquire({ timeout: 1, signal }));
        assert.ok((await Promise.all(waits)).every((taken) => !taken));
      });
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      semaphore.release();
    });

    test('run and runSync let go whatever happens', async () => {
      const semaphore = new Kind(1);
      assert.equal(await semaphore.run(async () => semaphore.value), 0);
      await assert.rejects(
        semaphore.run(() => Promise.reject(new RangeError('no'))),
        RangeError,
      );
      assert.equal(
        semaphore.runSync(() => semaphore.value),
        0,
      );
      assert.throws(
        () =>
          semaphore.runSync(() => {
            throw new RangeError('no');
          }),
        RangeError,
      );
      assert.throws(() => semaphore.runSync((async () => 1) as never), TypeError);
      await assert.rejects(semaphore.run(5 as never), TypeError);
      assert.throws(() => semaphore.runSync(5 as never), TypeError);
      {
        using guard = semaphore.guardSync();
        assert.equal(guard.ownerDied, false);
        assert.equal(semaphore.value, 0);
      }
      const guard = await semaphore.guard();
      guard.release();
      guard.release();
      assert.equal(semaphore.value, 1);
    });

    test('two tasks of one process exclude each other', async () => {
      const semaphore = new Kind(1);
      let inside = 0;
      const task = async () => {
        for (let i = 0; i < 20; i++) {
          await semaphore.run(async () => {
            inside += 1;
            assert.equal(inside, 1);
            await new Promise((resolve) => setImmediate(resolve));
            inside -= 1;
          });
        }
      };
      await Promise.all([task(), task(), task()]);
      assert.equal(semaphore.value, 1);
    });

    for (const where of places) {
      test(`lets as many in as it counts, in ${where}`, { timeout: 60_000 }, async () => {
        const semaphore = new Kind(2);
        const inside = RawArray('i', 3);
        const all = startAll(where, 3, 'goInAndOut', (number) => [semaphore, inside, 200, hows[number % 2]!]);
        await results(all);
        assert.equal(inside[0], 0);
        assert.ok(inside[1]! <= 2, `${inside[1]} were inside`);
        assert.equal(semaphore.value, 2);
      });

      test(`releasing several lets several go, in ${where}`, async () => {
        const semaphore = new Kind(2);
        for (let i = 0; i < 2; i++) semaphore.acquireSync();
        const signed = roll(2);
        const waiting = startAll(where, 2, 'outcomeOf', (number) => [semaphore, signed, number, hows[number % 2]!]);
        await allWait(signed);
        semaphore.release(2);
        assert.deepEqual(await results(waiting), ['true', 'true']);
      });

      for (const how of hows) {
        test(`one who is killed while it waits, ${how}, in ${where}, takes nothing with it`, async () => {
          const semaphore = new Kind(1);
          semaphore.acquireSync();
          const signed = roll(2);
          const [first, second] = startAll(where, 2, 'outcomeOf', (number) => [semaphore, signed, number, how]);
          await allWait(signed);
          await first!.kill();
          const since = clockOfRolls();
          semaphore.release();
          assert.equal(await second!.result, 'true');
          assert.ok(lastEnd(signed, since) < 1000);
        });
      }
    }
  });
}

describe('Semaphore: anybody may release', () => {
  test('also one who never acquired, and beyond what it began with', () => {
    const semaphore = new Semaphore(0);
    semaphore.release();
    semaphore.release(5);
    assert.equal(semaphore.value, 6);
  });

  test('to 2^30 − 1, and no further', () => {
    const semaphore = new Semaphore(2 ** 30 - 2);
    semaphore.release();
    assert.throws(() => semaphore.release(), RangeError);
    assert.equal(semaphore.value, 2 ** 30 - 1);
    assert.equal(semaphore.tryAcquire(), true);
    assert.throws(() => semaphore.release(2), RangeError);
    assert.equal(semaphore.value, 2 ** 30 - 2);
  });

  for (const where of places) {
    test(`what is released in ${where} can be had here`, async () => {
      const semaphore = new Semaphore(0);
      const waiting = semaphore.acquire();
      assert.equal(await start(where, 'releaseNotOwned', semaphore).result, 'released');
      assert.equal(await waiting, true);
    });

    test(`permits of the dead are lost, in ${where}`, async () => {
      const semaphore = new Semaphore(2);
      const held = RawArray('i', 1);
      const holder = start(where, 'holdUntilTold', semaphore, held, new Event(), 'async');
      await eventually('it has one', () => Atomics.load(held, 0) === 1);
      await holder.kill();
      assert.equal(semaphore.tryAcquire(), true);
      assert.equal(semaphore.acquireSync({ timeout: 300 }), false);
      semaphore.release(2); // as anybody may
      assert.equal(semaphore.value, 2);
    });
  }
});

describe('BoundedSemaphore: each gives back its own', () => {
  test('all free: a ValueError, and nothing has changed', () => {
    const semaphore = new BoundedSemaphore(2);
    assert.throws(() => semaphore.release(), hasCode('ERR_MULTIPROCESS_VALUE'));
    semaphore.acquireSync();
    semaphore.release();
    assert.throws(() => semaphore.release(), hasCode('ERR_MULTIPROCESS_VALUE'));
    semaphore.acquireSync();
    assert.throws(() => semaphore.release(2), notOwner);
    assert.equal(semaphore.value, 1);
    semaphore.release();
    assert.equal(semaphore.value, 2);
    assert.throws(() => new BoundedSemaphore(0).release(), hasCode('ERR_MULTIPROCESS_VALUE'));
  });

  test('disposed, releasing does nothing', () => {
    const semaphore = new BoundedSemaphore(1);
    semaphore.acquireSync();
    semaphore.dispose();
    semaphore.release();
  });

  test('of as many as there can be', () => {
    const semaphore = new BoundedSemaphore(4_128_768);
    assert.equal(semaphore.value, 4_128_768);
    assert.equal(semaphore.tryAcquire(), true);
    assert.equal(semaphore.value, 4_128_767);
    semaphore.release();
    assert.throws(() => new BoundedSemaphore(4_128_769), RangeError);
    semaphore.dispose();
  });

  for (const where of places) {
    test(`those of others cannot be given back, in ${where}`, async () => {
      const semaphore = new BoundedSemaphore(2);
      semaphore.acquireSync();
      assert.equal(await start(where, 'releaseNotOwned', semaphore).result, 'ERR_MULTIPROCESS_NOT_OWNER');
      assert.equal(semaphore.value, 1);
      semaphore.release();
      assert.equal(await start(where, 'releaseNotOwned', semaphore).result, 'ERR_MULTIPROCESS_VALUE');
    });

    for (const how of hows) {
      test(`those of the dead come back, ${how}, in ${where}`, async () => {
        const semaphore = new BoundedSemaphore(2);
        const held = RawArray('i', 1);
        const go = new Event();
        const holders = startAll(where, 2, 'holdUntilTold', () => [semaphore, held, go, how]);
        await eventually('both have one', () => Atomics.load(held, 0) === 2);
        assert.equal(semaphore.value, 0);
        assert.equal(semaphore.tryAcquire(), false);
        const waiting = semaphore.acquire();
        const since = performance.now();
        await holders[0]!.kill();
        assert.equal(await waiting, true);
        assert.ok(performance.now() - since < 1000, `${performance.now() - since} ms`);
        go.set();
        await holders[1]!.result;
        semaphore.release();
        assert.equal(semaphore.value, 2);
      });
    }

    test(`and those of one that ends with them, in ${where}`, async () => {
      const semaphore = new BoundedSemaphore(1);
      await start(where, 'holdAndEnd', semaphore).result;
      assert.equal(semaphore.acquireSync({ timeout: 1000 }), true);
      semaphore.release();
      assert.equal(semaphore.value, 1);
    });
  }
});
