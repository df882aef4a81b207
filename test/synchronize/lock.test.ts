import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { createContext, runInContext, runInNewContext } from 'node:vm';
import { handleOf, Lock, open, Process, RawArray, RLock, SharedMemory } from 'multiprocess';
import * as targets from '../programs/lock-targets.js';
import { hasCode } from '../support/errors.js';
import { eventually } from '../support/shm.js';

for (const Kind of [Lock, RLock]) {
  describe(Kind.name, () => {
    test('is made with and without new, and can be extended', () => {
      class Own extends (Kind as typeof Lock) {
        twice() {
          return 2;
        }
      }
      assert.ok(Kind() instanceof Kind);
      assert.ok(new Kind() instanceof Kind);
      assert.equal(new Own().twice(), 2);
      assert.ok(new Own() instanceof Kind);
    });

    test('is held by one, and says so', async () => {
      const lock = new Kind();
      assert.equal(lock.locked(), false);
      assert.equal(await lock.acquire(), true);
      assert.equal(lock.locked(), true);
      assert.equal(lock.ownerDied, false);
      assert.match(inspect(lock), /^R?Lock \{ held here \}$/);
      lock.release();
      assert.equal(lock.locked(), false);
      assert.equal(lock.acquireSync(), true);
      lock.release();
      assert.equal(lock.tryAcquire(), true);
      lock.release();
      assert.match(inspect(lock), /^R?Lock \{ free \}$/);
    });

    test('release by one that does not hold it', () => {
      const lock = new Kind();
      assert.throws(() => lock.release(), hasCode('ERR_MULTIPROCESS_NOT_OWNER'));
      lock.acquireSync();
      lock.release();
      assert.throws(() => lock.release(), hasCode('ERR_MULTIPROCESS_NOT_OWNER'));
    });

    test('those who wait in one thread get it first come first served', async () => {
      const lock = new Kind();
      await lock.acquire();
      const order: number[] = [];
      const all = [1, 2, 3].map(async (number) => {
        await lock.acquire();
        order.push(number);
        lock.release();
      });
      lock.release();
      await Promise.all(all);
      assert.deepEqual(order, [1, 2, 3]);
    });

    test('timeouts: of 0 and less try once; finite ones end; NaN and other types throw', async () => {
      const lock = new Kind();
      const other = new Process({ target: targets.holdForever, args: [lock as Lock, RawArray('i', 1)] });
      other.start();
      await eventually('the child has it', () => lock.locked());
      for (const timeout of [0, -1, Number.NEGATIVE_INFINITY]) {
        assert.equal(await lock.acquire({ timeout }), false);
        assert.equal(lock.acquireSync({ timeout }), false);
      }
      let start = performance.now();
      assert.equal(await lock.acquire({ timeout: 60 }), false);
      assert.ok(performance.now() - start >= 59);
      start = performance.now();
      assert.equal(lock.acquireSync({ timeout: 60 }), false);
      assert.ok(performance.now() - start >= 59);
      await assert.rejects(lock.guard({ timeout: 5 }), hasCode('ERR_MULTIPROCESS_TIMEOUT'));
      assert.throws(() => lock.guardSync({ timeout: 5 }), hasCode('ERR_MULTIPROCESS_TIMEOUT'));
      await assert.rejects(
        lock.run(() => 1, { timeout: 5 }),
        hasCode('ERR_MULTIPROCESS_TIMEOUT'),
      );
      assert.throws(() => lock.runSync(() => 1, { timeout: 5 }), hasCode('ERR_MULTIPROCESS_TIMEOUT'));
      other.kill();
      await other.join();
      assert.equal(lock.acquireSync(), true);
      assert.equal(lock.ownerDied, true);
      lock.release();
      // Wrong even when there was no need to wait; and nothing is held afterwards.
      assert.throws(() => lock.acquireSync({ timeout: Number.NaN }), RangeError);
      assert.throws(() => lock.acquireSync({ timeout: '5' as never }), TypeError);
      await assert.rejects(lock.acquire({ timeout: Number.NaN }), RangeError);
      await assert.rejects(lock.acquire({ signal: {} as never }), TypeError);
      assert.equal(lock.locked(), false);
    });

    test('a signal: aborted already, while waiting, and too late', async () => {
      const lock = new Kind();
      const reason = new Error('enough');
      await assert.rejects(lock.acquire({ signal: AbortSignal.abort(reason) }), reason);
      assert.equal(lock.locked(), false);
      await lock.acquire();
      const controller = new AbortController();
      const waiting = lock.acquire({ signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(waiting, reason);
      lock.release();
      // It left no trace.
      assert.equal(await lock.acquire({ signal: controller.signal }).catch(() => 'aborted'), 'aborted');
      assert.equal(await lock.acquire({ timeout: 1000, signal: new AbortController().signal }), true);
      lock.release();
    });

    test('guard and using', async () => {
      const lock = new Kind();
      {
        using guard = await lock.guard();
        assert.equal(guard.ownerDied, false);
        assert.equal(lock.locked(), true);
      }
      assert.equal(lock.locked(), false);
      const guard = lock.guardSync();
      guard.release();
      guard.release();
      assert.equal(lock.locked(), false);
    });

    test('run and runSync let go whatever happens', async () => {
      const lock = new Kind();
      assert.equal(await lock.run(async () => 5), 5);
      await assert.rejects(
        lock.run(() => Promise.reject(new RangeError('no'))),
        RangeError,
      );
      assert.equal(
        lock.runSync(() => 6),
        6,
      );
      assert.throws(
        () =>
          lock.runSync(() => {
            throw new RangeError('no');
          }),
        RangeError,
      );
      assert.throws(() => lock.runSync((async () => 1) as never), TypeError);
      await assert.rejects(lock.run(5 as never), TypeError);
      assert.throws(() => lock.runSync(5 as never), TypeError);
      assert.equal(lock.locked(), false);
    });

    test('runSync that is cut short lets go in the next turns of the loop', { timeout: 30_000 }, async () => {
      const lock = new Kind();
      const context = createContext({ run: () => lock.runSync(() => runInNewContext('for (;;);')) });
      for (let round = 0; round < 3; round++) {
        assert.throws(() => runInContext('run()', context, { timeout: 20 }), /timed out/);
        assert.equal(lock.locked(), true);
        await eventually('it is let go of', () => !lock.locked());
        assert.equal(
          lock.runSync(() => lock.locked()),
          true,
        );
        assert.equal(lock.locked(), false);
      }
    });

    test('handles open the same lock, here the same object', () => {
      const lock = new Kind();
      assert.equal(open(handleOf(lock)), lock);
      assert.equal(open(lock.handle, Kind as typeof Lock), lock);
      const other = Kind === Lock ? RLock : Lock;
      assert.throws(() => open(lock.handle, other as never), TypeError);
      assert.throws(() => open(lock.handle, SharedMemory as never), TypeError);
      assert.throws(() => open(lock.handle.replace(/:[^:]*$/, ':!')), hasCode('ERR_MULTIPROCESS_VALUE'));
      assert.throws(() => open(`${lock.handle}7`), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
      assert.throws(() => JSON.stringify(lock), TypeError);
    });

    test('dispose ends it for all', async () => {
      const lock = new Kind();
      const { handle } = lock;
      await lock.acquire();
      const [flags, flagsSync] = [RawArray('i', 1), RawArray('i', 1)];
      const waiting = new Process({ target: targets.waitFor, args: [lock as Lock, flags] });
      const blocked = new Process({ target: targets.waitForSync, args: [lock as Lock, flagsSync] });
      waiting.start();
      blocked.start();
      const here = assert.rejects(lock.acquire(), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
      await eventually('both wait', () => Atomics.load(flags, 0) + Atomics.load(flagsSync, 0) === 2);
      lock.dispose();
      assert.equal(await waiting.result(), 'ERR_MULTIPROCESS_STALE_HANDLE');
      assert.equal(await blocked.result(), 'ERR_MULTIPROCESS_STALE_HANDLE');
      await here;
      lock.release(); // the owner's: silent
      assert.throws(() => lock.tryAcquire(), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
      assert.throws(() => lock.acquireSync(), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
      await assert.rejects(lock.acquire(), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
      assert.throws(() => open(handle), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
      assert.throws(() => lock.dispose(), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
      assert.match(inspect(lock), /disposed/);
    });

    test('excludes processes, blocking and not', { timeout: 60_000 }, async () => {
      const lock = new Kind();
      const numbers = RawArray('d', 2);
      const children = [
        new Process({ target: targets.addUnderLock, args: [lock, numbers, 20_000] }),
        new Process({ target: targets.addUnderLock, args: [lock, numbers, 20_000] }),
        new Process({ target: targets.addUnderAsyncLock, args: [lock, numbers, 2_000] }),
      ];
      for (const child of children) child.start();
      await targets.addUnderAsyncLock(lock, numbers, 2_000);
      for (const child of children) await child.result();
      assert.equal(numbers[0], 44_000);
    });

    test('excludes threads of one process', async () => {
      assert.equal(await targets.threadsExclude(new Kind() as Lock), 'false true');
    });

    test('is handed on when its holder is killed', { timeout: 60_000 }, async () => {
      for (const wait of ['acquire', 'acquireSync', 'tryAcquire'] as const) {
        const lock = new Kind();
        const holder = new Process({ target: targets.holdForever, args: [lock as Lock, RawArray('i', 1)] });
        holder.start();
        await eventually('the child has it', () => lock.locked());
        const start = performance.now();
        holder.kill();
        if (wait === 'acquire') assert.equal(await lock.acquire({ timeout: 5000 }), true);
        else if (wait === 'acquireSync') assert.equal(lock.acquireSync({ timeout: 5000 }), true);
        else await eventually('a try succeeds', () => lock.tryAcquire());
        assert.ok(performance.now() - start < 1000, `${wait}: ${performance.now() - start} ms`);
        assert.equal(lock.ownerDied, true);
        lock.release();
        await lock.acquire();
        assert.equal(lock.ownerDied, false);
        lock.release();
        await holder.join();
      }
    });

    test('is handed on when its holder exits with it', async () => {
      const lock = new Kind();
      const holder = new Process({ target: targets.holdAndExit, args: [lock as Lock] });
      holder.start();
      await holder.join();
      assert.equal(lock.acquireSync({ timeout: 5000 }), true);
      assert.equal(lock.ownerDied, true);
      lock.release();
    });

    test('is never taken from one that is merely stopped', { timeout: 30_000 }, async () => {
      const lock = new Kind();
      const holder = new Process({ target: targets.holdForever, args: [lock as Lock, RawArray('i', 1)] });
      holder.start();
      await eventually('the child has it', () => lock.locked());
      process.kill(holder.pid!, 'SIGSTOP');
      assert.equal(lock.acquireSync({ timeout: 1500 }), false);
      assert.equal(await lock.acquire({ timeout: 1500 }), false);
      process.kill(holder.pid!, 'SIGCONT');
      holder.kill();
      assert.equal(await lock.acquire({ timeout: 5000 }), true);
      lock.release();
      await holder.join();
    });

    test('who waits for long is let in before newcomers', { timeout: 60_000 }, async () => {
      const lock = new Kind();
      const flags = RawArray('i', 3);
      const loop = new Process({ target: targets.tightLoop, args: [lock as Lock, flags] });
      loop.start();
      await eventually('it loops', () => Atomics.load(flags, 0) === 1);
      for (let i = 0; i < 50; i++) {
        assert.equal(await lock.acquire({ timeout: 5000 }), true);
        lock.release();
      }
      for (let i = 0; i < 50; i++) {
        assert.equal(lock.acquireSync({ timeout: 5000 }), true);
        lock.release();
      }
      Atomics.store(flags, 1, 1);
      assert.ok((await loop.result()) > 0);
    });
  });
}

test('a blocking call for what this thread holds would wait for ever', async () => {
  const lock = new Lock();
  await lock.acquire();
  assert.throws(() => lock.acquireSync(), hasCode('ERR_MULTIPROCESS_DEADLOCK'));
  assert.equal(lock.acquireSync({ timeout: 1000 }), false);
  assert.equal(lock.tryAcquire(), false);
  lock.release();
});

describe('RLock recursion', () => {
  test('in one synchronous stretch', async () => {
    const lock = new RLock();
    lock.acquireSync();
    assert.equal(lock.acquireSync(), true);
    assert.equal(lock.tryAcquire(), true);
    lock.release();
    lock.release();
    assert.equal(lock.locked(), true);
    await null;
    // Another stretch, perhaps another request: it cannot be told.
    assert.throws(() => lock.acquireSync(), hasCode('ERR_MULTIPROCESS_DEADLOCK'));
    assert.equal(lock.tryAcquire(), false);
    lock.release();
    assert.equal(lock.locked(), false);
    assert.throws(() => lock.release(), hasCode('ERR_MULTIPROCESS_NOT_OWNER'));
  });

  test('inside run, across awaits, and not beside it', async () => {
    const lock = new RLock();
    const order: string[] = [];
    const inner = async (name: string) => {
      await lock.acquire();
      order.push(name);
      await null;
      lock.release();
    };
    const beside = lock.run(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      await inner('first');
      await lock.run(() => inner('second'));
      lock.runSync(() => order.push('third'));
      assert.equal(lock.acquireSync(), true);
      lock.release();
    });
    await Promise.all([beside, lock.run(() => inner('last'))]);
    assert.deepEqual(order, ['first', 'second', 'third', 'last']);
    assert.equal(lock.locked(), false);
  });

  test('ends with the callback, whatever it leaves running', async () => {
    const lock = new RLock();
    let late: Promise<string> | undefined;
    await lock.run(() => {
      late = new Promise((resolve) => setTimeout(resolve, 10)).then(() =>
        lock.acquire({ timeout: 20 }).then((taken) => (taken ? 'taken' : 'kept out')),
      );
    });
    await lock.acquire();
    assert.equal(await late, 'kept out');
    lock.release();
  });
});
