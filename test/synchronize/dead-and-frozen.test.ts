// Whoever dies holding something, or waiting for it, is replaced within a second; whoever is merely stopped is not robbed.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Barrier, BoundedSemaphore, Condition, Event, Lock, Process, RawArray, RLock, Semaphore } from 'multiprocess';
import {
  clock,
  flag,
  type Held,
  hold,
  takeOver,
  terminateHolder,
  waitAtBarrier,
  waitForEvent,
  waitForNotification,
} from '../programs/holding.js';
import { eventually } from '../support/shm.js';

const KILLS = 9;
const MOST_MS = 1000;
const FROZEN_MS = 3000;

const owned: Record<string, () => Held> = {
  Lock: () => new Lock(),
  RLock: () => new RLock(),
  BoundedSemaphore: () => new BoundedSemaphore(1),
  'the lock of a Condition': () => new Condition(),
};

const flagsOf = (): Int32Array => RawArray('i', 2);
const isReady = (flags: Int32Array, count = 1) =>
  eventually('they are ready', () => Atomics.load(flags, flag.ready) === count, 10_000);

function start<T>(target: (what: T, flags: Int32Array) => unknown, what: T, flags: Int32Array): Process {
  const child = new Process({ target, args: [what, flags] });
  child.start();
  return child;
}

/** In a moment it sleeps. */
const asleep = () => delay(100);

describe('a holder that is killed', () => {
  /** How the next one waits. */
  const ways: Record<string, (held: Held, kill: () => number) => Promise<number>> = {
    'blocking, in its parent': async (held, kill) => {
      const killed = kill();
      assert.equal(held.acquireSync({ timeout: 5000 }), true);
      const ms = clock() - killed;
      held.release();
      return ms;
    },
    'not blocking, in its parent': async (held, kill) => {
      const waiting = held.acquire({ timeout: 5000 });
      await delay(20);
      const killed = kill();
      assert.equal(await waiting, true);
      const ms = clock() - killed;
      held.release();
      return ms;
    },
    'blocking, in another process': async (held, kill) => {
      const flags = flagsOf();
      const other = start(takeOver, held, flags);
      await isReady(flags);
      await asleep();
      const killed = kill();
      return ((await other.result()) as number) - killed;
    },
  };

  for (const [name, make] of Object.entries(owned)) {
    test(name, async (context) => {
      const held = make();
      const all: number[] = [];
      for (let i = 0; i < KILLS; i++) {
        const flags = flagsOf();
        const holder = start(hold, held, flags);
        await isReady(flags);
        const [way, wait] = Object.entries(ways)[i % 3]!;
        const ms = await wait(held, () => {
          holder.kill();
          return clock();
        });
        assert.ok(ms < MOST_MS, `${way}: ${ms} ms`);
        if ('ownerDied' in held && i % 3 !== 2 && !(held instanceof BoundedSemaphore))
          assert.equal(held.ownerDied, true);
        all.push(ms);
        await holder.join();
      }
      all.sort((a, b) => a - b);
      context.diagnostic(`median ${all[KILLS >> 1]!.toFixed(1)} ms of ${KILLS}, longest ${all.at(-1)!.toFixed(1)} ms`);
    });
  }
});

describe('a waiter that is killed: the others go on', () => {
  /** One is killed, and then this happens; the other has gone on within a second. */
  async function theOther<T>(
    target: (what: T, flags: Int32Array) => unknown,
    what: T,
    happens: () => unknown,
  ): Promise<void> {
    const flags = flagsOf();
    const victim = start(target, what, flags);
    await isReady(flags);
    await asleep();
    const other = start(target, what, flags);
    await isReady(flags, 2);
    await asleep();
    victim.kill();
    const killed = clock();
    await happens();
    assert.ok(((await other.result()) as number) - killed < MOST_MS);
    await victim.join();
  }

  for (const [name, make] of Object.entries(owned)) {
    test(name, async () => {
      const held = make();
      held.acquireSync();
      await theOther(takeOver, held, () => held.release());
    });
  }

  test('Semaphore', async () => {
    const semaphore = new Semaphore(0);
    await theOther(takeOver, semaphore as Held, () => semaphore.release());
  });

  test('Event', async () => {
    const event = new Event();
    await theOther(waitForEvent, event, () => event.set());
  });

  test('Condition', async () => {
    const condition = new Condition();
    await theOther(waitForNotification, condition, () => condition.run(() => condition.notify()));
  });

  test('Condition: one that had been notified passes it on', async () => {
    const condition = new Condition();
    const flags = flagsOf();
    const victim = start(waitForNotification, condition, flags);
    await isReady(flags);
    await condition.run(() => {}); // it has let go of the lock: it waits
    const other = start(waitForNotification, condition, flags);
    await isReady(flags, 2);
    // While the lock is held here, the one that is notified cannot leave.
    await condition.acquire();
    condition.notify();
    victim.kill();
    const killed = clock();
    condition.release();
    assert.ok(((await other.result()) as number) - killed < MOST_MS);
    await victim.join();
  });

  test('Barrier: it breaks', async () => {
    const barrier = new Barrier(3);
    const flags = flagsOf();
    const victim = start(waitAtBarrier, barrier, flags);
    const other = start(waitAtBarrier, barrier, flags);
    await eventually('two wait', () => barrier.nWaiting === 2, 10_000);
    const here = barrier.wait();
    here.catch(() => {});
    // The third has come: all go on. In the next round one of them is killed.
    assert.equal(typeof (await here), 'number');
    await Promise.all([victim.join(), other.join()]);
    const second = [start(waitAtBarrier, barrier, flags), start(waitAtBarrier, barrier, flags)] as const;
    await eventually('two wait', () => barrier.nWaiting === 2, 10_000);
    second[0].kill();
    const killed = clock();
    const [outcome, at] = (await second[1].result()) as [string, number];
    assert.equal(outcome, 'ERR_MULTIPROCESS_BROKEN_BARRIER');
    assert.ok(at - killed < MOST_MS);
    assert.equal(barrier.broken, true);
    await second[0].join();
  });
});

test(`a holder that is stopped for ${FROZEN_MS} ms keeps what it holds`, async () => {
  const holders = await Promise.all(
    Object.entries(owned).map(async ([name, make]) => {
      const held = make();
      const flags = flagsOf();
      const child = start(hold, held, flags);
      await isReady(flags);
      return { name, held, flags, child };
    }),
  );
  const barrier = new Barrier(2);
  const member = start(waitAtBarrier, barrier, flagsOf());
  await eventually('it waits', () => barrier.nWaiting === 1, 10_000);
  const children = [...holders.map(({ child }) => child), member];
  for (const { pid } of children) process.kill(pid!, 'SIGSTOP');
  try {
    const waiting = holders.map(({ held }) => held.acquire({ timeout: FROZEN_MS }));
    for (const until = performance.now() + FROZEN_MS - 200; performance.now() < until; await delay(20)) {
      for (const { name, held } of holders) assert.equal(held.tryAcquire(), false, `${name} is robbed`);
      assert.equal(barrier.broken, false);
    }
    assert.deepEqual(
      await Promise.all(waiting),
      holders.map(() => false),
    );
  } finally {
    for (const { pid } of children) process.kill(pid!, 'SIGCONT');
  }
  for (const { flags, child, held } of holders) {
    assert.equal(held.tryAcquire(), false);
    Atomics.store(flags, flag.go, 1);
    assert.equal(await child.result(), 'released');
    assert.equal(held.tryAcquire(), true);
    held.release();
  }
  assert.equal(await barrier.wait(), 1);
  assert.equal(((await member.result()) as [string])[0], '0');
});

test('a thread that is terminated is dead, and its process is not', async (context) => {
  const all = Object.values(owned).map((make) => make());
  const mine = new Lock();
  const flags = flagsOf();
  const child = new Process({ target: terminateHolder, args: [all, mine, flags] });
  child.start();
  await isReady(flags);
  // The main thread has its lock, whatever descriptors have been closed with the other.
  for (const until = performance.now() + 500; performance.now() < until; await delay(20)) {
    assert.equal(mine.tryAcquire(), false, 'the lock of the main thread is robbed');
  }
  Atomics.store(flags, flag.go, 1);
  const waits = (await child.result()) as number[];
  context.diagnostic(`free after ${waits.map((ms) => ms.toFixed(1)).join(', ')} ms`);
  assert.ok(Math.max(...waits) < MOST_MS);
  assert.equal(mine.tryAcquire(), true);
  mine.release();
});
