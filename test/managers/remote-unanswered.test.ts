// Remote clients of a server that is stopped: who has set a limit does not wait for longer, and what is done for those who have
// given up is undone when it goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, TimeoutError } from 'multiprocess';
import { type Steady, SteadyManager } from '../programs/unanswered-targets.js';
import { eventually } from '../support/shm.js';

const authkey = 'a key';
const silent = (error: unknown) =>
  error instanceof TimeoutError && /^The manager has not answered within \d+ ms/.test(error.message);

test('a server that is stopped, and goes on', { timeout: 60_000 }, async () => {
  const manager = new SteadyManager();
  await manager.start();
  const address = await manager.serve('tcp://127.0.0.1:0', { authkey });
  const remote = await connect<{ Steady: typeof Steady }>(address, { authkey, timeout: 200, callTimeout: 200 });
  const leaving = await connect(address, { authkey });
  const steady = await remote.Steady();
  const pid = await steady.pid();
  const dict = await remote.dict([['a', 1]]);
  const lock = await remote.Lock({ name: 'lock' });
  const other = await remote.RLock({ name: 'rlock' });
  const semaphore = await remote.Semaphore(1, { name: 'semaphore' });
  const queue = await remote.Queue<string>(0, { name: 'queue' });
  const leased = await remote.Queue<string>(0, { name: 'leased' });
  const tasks = await remote.JoinableQueue<string>(0, { name: 'tasks' });
  const condition = await remote.Condition();
  for (const each of [queue, leased, tasks]) await each.put('item');
  await condition.acquire();

  process.kill(pid, 'SIGSTOP');
  let waited = false;
  const notified = condition.wait({ timeout: 1 }).then((found) => {
    waited = true;
    return found;
  });
  try {
    await Promise.all([
      assert.rejects(dict.set('a', 2), silent),
      assert.rejects(remote.list(), silent),
      assert.rejects(remote.Steady(), silent),
      assert.rejects(steady.increment(), silent),
      assert.rejects(lock.acquire({ timeout: 5 }), silent),
      assert.rejects(other.acquire({ signal: AbortSignal.timeout(5) }), { name: 'TimeoutError', code: 23 }),
      assert.rejects(semaphore.tryAcquire(), silent),
      assert.rejects(queue.get({ timeout: 5 }), silent),
      assert.rejects(leased.get({ timeout: 5, lease: true }), silent),
      assert.rejects(tasks.tryGet(), silent),
    ]);
    await leaving.close();
    assert.equal(waited, false, 'who waits for a condition has its lock again before he hears of it');
  } finally {
    process.kill(pid, 'SIGCONT');
  }

  assert.equal(await notified, false);
  await condition.release();
  const local = {
    lock: manager.Lock({ name: 'lock' }),
    rlock: manager.RLock({ name: 'rlock' }),
    semaphore: manager.Semaphore(1, { name: 'semaphore' }),
    queue: manager.Queue(0, { name: 'queue' }),
    leased: manager.Queue(0, { name: 'leased' }),
    tasks: manager.JoinableQueue(0, { name: 'tasks' }),
  };
  await eventually('it answers again', () => dict.get('a').then((value) => value === 2, silent));
  await eventually('what was acquired is free', () => {
    return !local.lock.locked() && !local.rlock.locked() && local.semaphore.value === 1;
  });
  await eventually('what was taken is there', () => {
    return [local.queue, local.leased, local.tasks].every((each) => each.qsize() === 1);
  });
  assert.equal(await local.tasks.get(), 'item');
  local.tasks.taskDone();
  assert.equal(await local.tasks.join({ timeout: 0 }), true, 'one task was put, and one is done');
  assert.equal((await leased.get({ lease: true })).value, 'item');
  assert.equal(await steady.increment(), 2, 'a call is done all the same');
  await remote.close();
  await manager.shutdown();
});

test('wrong limits', async () => {
  for (const option of ['timeout', 'callTimeout']) {
    await assert.rejects(connect('tcp://127.0.0.1:1', { authkey, [option]: '1' as never }), TypeError);
    await assert.rejects(connect('tcp://127.0.0.1:1', { authkey, [option]: Number.NaN }), RangeError);
    await assert.rejects(connect('redis://127.0.0.1:1' as never, { [option]: 1 } as never), TypeError);
  }
});
