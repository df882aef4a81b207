// Servers that do not answer, because they are stopped, busy or never ready: nobody who has set a limit waits for longer.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import * as mp from 'multiprocess';
import { TimeoutError } from 'multiprocess';
// For the check of the heap.
import '../../src/collections/index.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/index.js';
import * as targets from '../programs/manager-targets.js';
import { callBothWays, callPatiently, SteadyManager } from '../programs/unanswered-targets.js';
import { withFullQueue } from '../support/full-queue.js';
import { usage } from '../support/heap-usage.js';
import { ownRuntimeDirectory } from '../support/runtime-directory.js';
import { eventually, isAlive } from '../support/shm.js';

const directory = ownRuntimeDirectory();
beforeEach(() => rmSync(directory, { recursive: true, force: true }));

const isLate = (error: unknown) =>
  error instanceof TimeoutError && /not answered a call within 200 ms/.test(error.message);

test('calls to a server that is stopped, and goes on', { timeout: 60_000 }, async () => {
  const manager = new targets.PidManager({ callTimeout: 200 });
  await manager.start();
  const [, id] = /^mp:\w+:[^:]*:([0-9a-f]{16}):/.exec(manager.handle)!;
  const heap = Heap.join(id!, false)!;
  try {
    const counter = await manager.Counter(3);
    const pid = await (await manager.Marked()).pid();
    assert.equal(counter.incrementSync(), 4); // it has a connection that blocks
    const before = usage(heap).roots;
    process.kill(pid, 'SIGSTOP');
    try {
      await assert.rejects(counter.increment(), isLate);
      assert.throws(() => counter.incrementSync(), isLate);
      // What nobody takes any more when it comes.
      await assert.rejects(counter.lock(), isLate);
      assert.throws(() => counter.lockSync(), isLate);
      await assert.rejects(counter.watched().next(), isLate);
      assert.throws(() => counter.watchedSync().next(), isLate);
      // More than the kernel keeps for it.
      assert.throws(() => counter.echoSync(new Uint8Array(4_000_000)), isLate);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually('both have been done all the same', async () => {
      try {
        return (await counter.increment(0)) === 6;
      } catch (error) {
        assert.ok(isLate(error)); // not yet
        return false;
      }
    });
    assert.equal(counter.incrementSync(0), 6);
    await eventually('nothing is kept for who did not wait', () => usage(heap).roots === before);
  } finally {
    heap.leave();
  }
  await manager.shutdown();
});

test('calls to a server that is busy', { timeout: 60_000 }, async () => {
  await using manager = new targets.MarkedManager({ callTimeout: 200 });
  await manager.start();
  const marked = await manager.Marked();
  const busy = assert.rejects(marked.block(1000), isLate);
  assert.throws(() => marked.markSync(), isLate);
  await busy;
  await assert.rejects(marked.mark(), isLate);
  await eventually('it answers again', () => marked.pid().then(Boolean, () => false));
});

test('what is said in one turn of the loop is there when this thread blocks in the next line', {
  timeout: 60_000,
}, async () => {
  await using manager = new targets.CounterManager();
  await manager.start();
  const counter = await manager.Counter();
  for (const wait of ['waitSync', 'acquireSync', 'getSync', 'echoSync'] as const) {
    const events = [manager.Event(), manager.Event(), manager.Event()];
    const lock = manager.Lock();
    const queue = manager.Queue<number>();
    const calls = events.map((event) => counter.set(event));
    if (wait === 'waitSync') for (const event of events) assert.equal(event.waitSync({ timeout: 20_000 }), true);
    if (wait === 'acquireSync') {
      const holding = [counter.holdFor(lock, 50), counter.holdFor(lock, 50)];
      while (!lock.locked()) counter.incrementSync(0);
      assert.equal(lock.acquireSync({ timeout: 20_000 }), true);
      lock.release();
      await Promise.all(holding);
    }
    if (wait === 'getSync') {
      calls.push(counter.put(queue, 1), counter.put(queue, 2));
      assert.deepEqual([queue.getSync({ timeout: 20_000 }), queue.getSync({ timeout: 20_000 })], [1, 2]);
    }
    if (wait === 'echoSync') assert.equal(counter.echoSync(5), 5);
    await Promise.all(calls);
  }
});

const late =
  "The manager's server has not answered a call within 200 ms. It goes on with it, unless it is stopped (SIGSTOP).";

test('those who are given a manager, or its objects, go by the limit that it was started with', {
  timeout: 60_000,
}, async () => {
  const manager = new SteadyManager({ callTimeout: 200 });
  await manager.start();
  const steady = await manager.Steady();
  const pid = await steady.pid();
  process.kill(pid, 'SIGSTOP');
  try {
    const child = new mp.Process({ target: callBothWays, args: [steady] });
    child.start();
    assert.deepEqual(await child.result(), [late, late]);
    await assert.rejects(manager.Steady(), isLate);
    await assert.rejects(manager.Pool(1), isLate);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await manager.shutdown();
});

test('more clients than the kernel queues for a stopped server block nobody', { timeout: 60_000 }, async () => {
  const asked = mp.Event();
  for (const callTimeout of [200, undefined]) {
    const manager = new SteadyManager(callTimeout === undefined ? {} : { callTimeout });
    await manager.start();
    const steady = await manager.Steady();
    const pid = await steady.pid();
    process.kill(pid, 'SIGSTOP');
    const child =
      callTimeout === undefined
        ? new mp.Process({ target: callPatiently, args: [steady, asked] })
        : new mp.Process({ target: callBothWays, args: [steady] });
    await withFullQueue(manager.address, async () => {
      try {
        child.start();
        if (callTimeout === undefined) assert.equal(await asked.wait({ timeout: 20_000 }), true);
        else assert.deepEqual(await child.result(), [late, late]);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    });
    if (callTimeout === undefined) assert.equal(await child.result(), 20);
    await manager.shutdown();
  }
});

test('a server that is killed while clients wait to connect', { timeout: 60_000 }, async () => {
  const manager = new SteadyManager();
  await manager.start();
  const steady = await manager.Steady();
  const pid = await steady.pid();
  process.kill(pid, 'SIGSTOP');
  const asked = mp.Event();
  const child = new mp.Process({ target: callPatiently, args: [steady, asked] });
  await withFullQueue(manager.address, async () => {
    child.start();
    await asked.wait();
    process.kill(pid, 'SIGKILL');
  });
  await assert.rejects(child.result(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  await manager.closed;
});

test('what has been answered is there when the server blocks in the next call', { timeout: 60_000 }, async () => {
  await using manager = new SteadyManager();
  await manager.start();
  const steady = await manager.Steady();
  const event = manager.Event();
  const calls = [steady.increment(), steady.increment(), steady.waited(event)] as const;
  await calls[1]; // went out together with the last
  event.set();
  assert.equal(await calls[2], true);
});

/** For a server to get as far as its initializer. */
const LONG_ENOUGH = 5000;

test('a server of its own that never serves is ended', { timeout: 120_000 }, async () => {
  // One of a name that is started here has half a minute at least.
  for (const [how, name] of [['timeout'], ['signal'], ['signal', 'never']] as const) {
    const pid = mp.Value('i', 0);
    const limit = how === 'timeout' ? { timeout: LONG_ENOUGH } : { signal: AbortSignal.timeout(LONG_ENOUGH) };
    const manager = new mp.SyncManager({ ...limit, ...(name === undefined ? {} : { name, linger: 0 }) });
    await assert.rejects(manager.start(targets.neverReady, [pid]), (error: Error) => {
      if (limit.signal !== undefined) return error === limit.signal.reason;
      return error instanceof TimeoutError && /did not serve within 5000 ms/.test(error.message);
    });
    assert.notEqual(pid.value, 0, 'it has got as far as that');
    assert.equal(isAlive(pid.value), false);
    if (name === undefined) continue;
    await using next = await mp.Manager({ name, linger: 0 });
    next.Lock();
  }
  await assert.rejects(new mp.SyncManager({ signal: AbortSignal.abort(5) }).start(), (error) => error === 5);
});

test('the shutdown of a named one that is stopped, and a door that it is to open', { timeout: 120_000 }, async () => {
  const manager = new targets.MarkedManager({ name: 'stopped', linger: 0, timeout: 0 });
  await manager.start();
  const pid = await (await manager.Marked()).pid();
  process.kill(pid, 'SIGSTOP');
  try {
    const door = assert.rejects(manager.serve('tcp://127.0.0.1:0', { authkey: 'a key' }), {
      code: 'ERR_MULTIPROCESS_TIMEOUT',
      message: /not answered a call within 30000 ms/,
    });
    await assert.rejects(manager.shutdown(), (error: Error) => {
      assert.ok(error instanceof TimeoutError);
      assert.match(error.message, /did not end within 30000 ms.*SIGSTOP/);
      return true;
    });
    await door;
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await eventually('it has been told', () => !isAlive(pid));
  await manager.closed;
});

test('wrong limits', () => {
  assert.throws(() => new mp.SyncManager({ callTimeout: '1' as never }), TypeError);
  assert.throws(() => new mp.SyncManager({ callTimeout: Number.NaN }), RangeError);
});
