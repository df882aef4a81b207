// What the semaphores, conditions and barriers of every manager on another machine do alike.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { AnyManager, Check } from './remote-behaviours.js';
import { eventually, testName } from './shm.js';

const stale = { code: 'ERR_MULTIPROCESS_STALE_HANDLE' };
const notOwner = { code: 'ERR_MULTIPROCESS_NOT_OWNER' };
const brokenBarrier = { code: 'ERR_MULTIPROCESS_BROKEN_BARRIER' };

export function synchronizeBehaviours(check: Check): void {
  check('semaphores: so many, and anybody releases', async (one, other) => {
    const name = testName('semaphore');
    const semaphore = await one.Semaphore(2, { name });
    const theirs = await other.Semaphore(9, { name });
    assert.deepEqual(
      [await semaphore.acquire(), await theirs.tryAcquire(), await semaphore.value(), await theirs.tryAcquire()],
      [true, true, 0, false],
    );
    assert.deepEqual([await theirs.acquire({ timeout: 5 }), await theirs.acquire({ timeout: 0 })], [false, false]);
    const waiting = [semaphore.acquire(), theirs.acquire()];
    await delay(5);
    await theirs.release(2); // those that the other has, too
    assert.deepEqual(await Promise.all(waiting), [true, true]);
    await semaphore.release(3);
    assert.equal(await theirs.value(), 3);
    assert.equal(await theirs.run(() => semaphore.value()), 2);
    assert.equal(await semaphore.value(), 3);
    const thrown = new Error('in it');
    const failing = semaphore.run(() => {
      throw thrown;
    });
    await assert.rejects(failing, thrown);
    assert.equal(await semaphore.value(), 3, 'given back');
    await assert.rejects(semaphore.release(2 ** 30 - 3), RangeError);
    assert.equal(await semaphore.value(), 3, 'and nothing has changed');
    await checkArguments(one, 'Semaphore');
  });

  check('bounded semaphores: permits have owners', async (one, other) => {
    const name = testName('bounded');
    const semaphore = await one.BoundedSemaphore(2, { name });
    const theirs = await other.BoundedSemaphore(9, { name });
    await assert.rejects(semaphore.release(), { code: 'ERR_MULTIPROCESS_VALUE' });
    assert.equal(semaphore.token, undefined);
    assert.deepEqual([await semaphore.acquire(), await semaphore.tryAcquire()], [true, true]);
    const { token } = semaphore;
    assert.equal(typeof token, 'bigint');
    assert.deepEqual([await theirs.tryAcquire(), await theirs.acquire({ timeout: 5 })], [false, false]);
    await assert.rejects(theirs.release(), notOwner);
    await assert.rejects(semaphore.release(3), notOwner);
    assert.equal(await theirs.value(), 0, 'nothing was given back');
    const waiting = theirs.acquire();
    await semaphore.release();
    assert.equal(await waiting, true);
    assert.ok(theirs.token! > token!);
    assert.ok(semaphore.token! < token!, 'that of the other permit');
    await theirs.release();
    await semaphore.release();
    assert.deepEqual([await theirs.value(), semaphore.token, theirs.token], [2, undefined, undefined]);
    assert.equal(await semaphore.run(async () => [await theirs.value(), typeof semaphore.token].join()), '1,bigint');
    assert.deepEqual([await semaphore.acquire(), await semaphore.acquire()], [true, true]);
    await assert.rejects(
      theirs.run(() => {}, { timeout: 10 }),
      { code: 'ERR_MULTIPROCESS_TIMEOUT' },
    );
    await semaphore.release(2);
    assert.equal(await theirs.value(), 2);
    await checkArguments(one, 'BoundedSemaphore');
  });

  for (const kind of ['Semaphore', 'BoundedSemaphore'] as const) {
    check(`${kind}: who gives up, or is late, takes nothing`, async (one, other) => {
      const name = testName(kind);
      const semaphore = await one[kind](1, { name });
      const theirs = await other[kind](1, { name });
      await semaphore.acquire();
      const ending = new AbortController();
      const waits = [theirs.acquire({ timeout: 30 }), theirs.acquire({ signal: ending.signal })];
      const last = theirs.acquire();
      assert.equal(await waits[0], false);
      ending.abort(new Error('enough'));
      await assert.rejects(waits[1]!, { message: 'enough' });
      await assert.rejects(theirs.acquire({ signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
      await semaphore.release();
      assert.equal(await last, true);
      await theirs.release();
      assert.equal(await semaphore.value(), 1);
    });

    check(`${kind}: never more inside than there are permits`, async (one, other) => {
      const name = testName(kind);
      const both = await Promise.all([one[kind](3, { name }), other[kind](3, { name })]);
      let inside = 0;
      let most = 0;
      const rounds = Array.from({ length: 40 }, (_, i) =>
        both[i % 2]!.run(async () => {
          inside += 1;
          most = Math.max(most, inside);
          await delay(1);
          inside -= 1;
        }),
      );
      await Promise.all(rounds);
      assert.deepEqual([inside, most <= 3, await both[0]!.value()], [0, true, 3]);
    });

    check(`${kind}: without permits, and disposed of while somebody waits`, async (one, other) => {
      const name = testName(kind);
      const semaphore = await one[kind](0, { name });
      assert.deepEqual([await semaphore.tryAcquire(), await semaphore.value()], [false, 0]);
      const theirs = await other[kind](0, { name });
      const waiting = assert.rejects(theirs.acquire(), stale);
      await theirs.value(); // asked for behind it
      await semaphore.dispose();
      await waiting;
      await assert.rejects(theirs.acquire(), stale);
      await assert.rejects(theirs.value(), stale);
      await assert.rejects(theirs.dispose(), stale);
    });
  }

  check('conditions: exactly those that are notified, first come first served', async (one, other) => {
    const name = testName('condition');
    const condition = await one.Condition(undefined, { name });
    const theirs = await other.Condition(undefined, { name });
    await assert.rejects(condition.wait(), notOwner);
    await assert.rejects(condition.notify(), notOwner);
    await assert.rejects(condition.notifyAll(), notOwner);
    const woken: number[] = [];
    const waiters: Promise<unknown>[] = [];
    for (const [i, each] of [condition, theirs, condition, theirs].entries()) {
      await each.acquire();
      const waiting = each.wait().then(async (came) => {
        assert.equal(came, true);
        assert.equal(await each.tryAcquire(), false, 'it has the lock again');
        woken.push(i);
        await each.release();
      });
      waiters.push(waiting);
      // The lock is let go of only when it stands in the line.
      await condition.acquire();
      await condition.release();
    }
    const notify = async (n?: number) => {
      await condition.run(() => condition.notify(n));
    };
    await notify(0);
    await notify();
    await eventually('one has come', () => woken.length === 1);
    await notify(2);
    await eventually('two more have', () => woken.length === 3);
    assert.deepEqual([...woken].sort(), [0, 1, 2]);
    assert.equal(woken[0], 0);
    await theirs.run(() => theirs.notifyAll());
    await Promise.all(waiters);
    assert.equal(woken.length, 4);
    await notify(100); // nobody waits, and nothing is kept
    assert.equal(await condition.run(() => condition.wait({ timeout: 20 })), false);
  });

  check('conditions: waitFor, with the lock held', async (one, other) => {
    const name = testName('waitFor');
    const condition = await one.Condition(undefined, { name });
    const theirs = await other.Condition(undefined, { name });
    const state = await one.dict<string, number>(null, { name: testName('state') });
    const waiting = theirs.run(() => theirs.waitFor(async () => (await state.get('n', 0)) >= 3));
    for (let n = 1; n <= 3; n++) {
      await condition.run(async () => {
        await state.set('n', n);
        await condition.notify();
      });
      await delay(2);
    }
    assert.equal(await waiting, true);
    assert.equal(await theirs.run(() => theirs.waitFor(() => false, { timeout: 20 })), false);
    await theirs.run(async () => {
      const thrown = new Error('in it');
      const failing = theirs.waitFor(() => {
        throw thrown;
      });
      await assert.rejects(failing, thrown);
      await assert.rejects(theirs.waitFor(5 as never), TypeError);
      await assert.rejects(theirs.notify(0.5), TypeError);
      await assert.rejects(theirs.notify(-1), RangeError);
      await assert.rejects(theirs.wait(5 as never), TypeError);
      await assert.rejects(theirs.wait({ timeout: Number.NaN }), RangeError);
    });
    assert.equal(await (await theirs.getLock()).locked(), false);
  });

  check('conditions: who gives up has the lock again, and swallows nothing', async (one, other) => {
    const name = testName('given up');
    const condition = await one.Condition(undefined, { name });
    const theirs = await other.Condition(undefined, { name });
    const ending = new AbortController();
    await condition.acquire();
    const aborted = condition.wait({ signal: ending.signal });
    await theirs.acquire();
    ending.abort(new Error('enough'));
    let isOver = false;
    const rejected = assert.rejects(aborted, { message: 'enough' }).then(async () => {
      isOver = true;
      assert.equal(await (await condition.getLock()).locked(), true);
      await condition.release();
    });
    await delay(20);
    assert.equal(isOver, false, 'not without the lock');
    const waiting = theirs.wait();
    await rejected;
    await condition.run(() => condition.notify());
    assert.equal(await waiting, true, 'it is for the one that waits');
    await theirs.release();
    await assert.rejects(condition.wait({ signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
  });

  check('conditions: with a lock that was given, entered more than once', async (one, other) => {
    const [name, lockName] = [testName('given'), testName('its lock')];
    const lock = await one.RLock({ name: lockName });
    const condition = await one.Condition(lock, { name });
    assert.equal(await condition.getLock(), lock);
    const theirs = await other.Condition(undefined, { name });
    const theirLock = await other.RLock({ name: lockName });
    await theirs.acquire();
    assert.equal(await lock.tryAcquire(), false);
    await theirs.release();
    const deep = lock.run(() => condition.run(async () => [await condition.wait(), await lock.tryAcquire()]));
    await eventually('it is let go of altogether, and notified', async () => {
      if (!(await theirLock.tryAcquire())) return false;
      await theirs.notify();
      await theirLock.release();
      return Promise.race([deep.then(() => true), delay(5, false)]);
    });
    assert.deepEqual(await deep, [true, true]);
    assert.equal(await lock.locked(), true, 'entered once more by the last of it');
    await lock.release();
    const strict = await one.Condition(await one.Lock());
    assert.equal(await strict.run(() => strict.tryAcquire()), false, 'a Lock is not entered twice');
    await assert.rejects(one.Condition(5 as never), TypeError);
    await assert.rejects(other.Condition(lock), { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' });
    await condition.dispose();
    await assert.rejects(theirs.notify(), stale);
    assert.equal(await theirLock.tryAcquire(), true, 'the lock that was given stays');
    await theirLock.release();
  });

  check('barriers: round after round', async (one, other) => {
    const name = testName('barrier');
    const barrier = await one.Barrier(3, { name });
    const theirs = await other.Barrier(7, { name });
    assert.deepEqual([await theirs.parties(), await theirs.nWaiting(), await theirs.broken()], [3, 0, false]);
    for (let round = 0; round < 5; round++) {
      const first = barrier.wait();
      const second = theirs.wait();
      await eventually('two wait', async () => (await barrier.nWaiting()) === 2);
      const indexes = await Promise.all([first, second, barrier.wait()]);
      assert.deepEqual([...indexes].sort(), [0, 1, 2]);
    }
    assert.equal(await theirs.nWaiting(), 0);
    const alone = await one.Barrier(1);
    assert.deepEqual([await alone.wait(), await alone.wait({ timeout: 0 })], [0, 0]);
    await assert.rejects(one.Barrier(0), RangeError);
    await assert.rejects(one.Barrier(1.5), TypeError);
    await assert.rejects(one.Barrier(1, { timeout: 'x' as never }), TypeError);
    await assert.rejects(alone.wait(5 as never), TypeError);
  });

  check('barriers: who is late breaks it, until it is reset', async (one, other) => {
    const name = testName('late');
    const barrier = await one.Barrier(3, { name, timeout: 20 });
    const theirs = await other.Barrier(3, { name });
    const patient = assert.rejects(theirs.wait({ timeout: 60_000 }), brokenBarrier);
    await assert.rejects(barrier.wait(), brokenBarrier);
    await patient;
    assert.deepEqual([await theirs.broken(), await theirs.nWaiting()], [true, 0]);
    await assert.rejects(theirs.wait(), brokenBarrier);
    await theirs.reset();
    assert.equal(await barrier.broken(), false);
    await assert.rejects(theirs.wait({ timeout: 5 }), brokenBarrier, 'its own timeout counts more');
    await barrier.reset();
    const more = { timeout: 60_000 };
    assert.deepEqual((await Promise.all([barrier.wait(more), theirs.wait(more), theirs.wait(more)])).sort(), [0, 1, 2]);
  });

  check('barriers: abort, reset and dispose reach those that wait', async (one, other) => {
    const name = testName('ended');
    const barrier = await one.Barrier(2, { name });
    const theirs = await other.Barrier(2, { name });
    for (const end of ['abort', 'reset'] as const) {
      const waiting = assert.rejects(barrier.wait(), brokenBarrier);
      await eventually('it waits', async () => (await theirs.nWaiting()) === 1);
      await theirs[end]();
      await waiting;
      assert.equal(await barrier.broken(), end === 'abort');
      await theirs.reset();
    }
    const ending = new AbortController();
    const aborted = assert.rejects(barrier.wait({ signal: ending.signal }), { message: 'enough' });
    await eventually('it waits', async () => (await theirs.nWaiting()) === 1);
    ending.abort(new Error('enough'));
    await aborted;
    await eventually('it has not come', async () => (await theirs.nWaiting()) === 0);
    assert.equal(await theirs.broken(), false);
    assert.deepEqual((await Promise.all([barrier.wait(), theirs.wait()])).sort(), [0, 1]);
    const waiting = assert.rejects(barrier.wait(), stale);
    await eventually('it waits', async () => (await theirs.nWaiting()) === 1);
    await theirs.dispose();
    await waiting;
    await assert.rejects(barrier.nWaiting(), stale);
    await assert.rejects(barrier.wait(), stale);
  });
}

async function checkArguments(manager: AnyManager, kind: 'Semaphore' | 'BoundedSemaphore'): Promise<void> {
  await assert.rejects(manager[kind](-1), RangeError);
  await assert.rejects(manager[kind](0.5), TypeError);
  await assert.rejects(manager[kind]('1' as never), TypeError);
  const semaphore = await manager[kind]();
  assert.equal(await semaphore.value(), 1);
  await assert.rejects(semaphore.release(0), RangeError);
  await assert.rejects(semaphore.release(0.5), TypeError);
  await assert.rejects(semaphore.acquire(5 as never), TypeError);
  await assert.rejects(semaphore.acquire({ timeout: Number.NaN }), RangeError);
  await assert.rejects(semaphore.acquire({ signal: 5 as never }), TypeError);
  await assert.rejects(semaphore.run(5 as never), TypeError);
  assert.equal(await semaphore.value(), 1);
}
