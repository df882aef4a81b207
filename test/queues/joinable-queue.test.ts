import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JoinableQueue, Process, Queue, SimpleQueue } from 'multiprocess';
import * as targets from '../programs/queue-targets.js';
import { hasCode } from '../support/errors.js';

const isClosed = hasCode('ERR_MULTIPROCESS_QUEUE_CLOSED');

describe('JoinableQueue', () => {
  test('workers take items and are done with them (_TestQueue.test_task_done)', async () => {
    const queue = new JoinableQueue();
    const workers = Array.from({ length: 3 }, () => new Process({ target: targets.work, args: [queue] }));
    for (const worker of workers) worker.start();
    for (let i = 0; i < 10; i++) await queue.put(i);
    assert.equal(await queue.join(), true);
    assert.equal(queue.empty(), true);
    for (const _ of workers) await queue.put(null);
    for (const worker of workers) {
      await worker.join();
      assert.equal(worker.exitCode, 0);
    }
    // Each took one more, and did not say that it is done: they have all exited.
    assert.equal(await queue.join({ timeout: 5000 }), true);
  });

  test('taskDone too often', async () => {
    const queue = new JoinableQueue();
    assert.throws(() => queue.taskDone(), hasCode('ERR_MULTIPROCESS_VALUE'));
    await queue.put(1);
    assert.throws(() => queue.taskDone(), hasCode('ERR_MULTIPROCESS_VALUE'));
    assert.equal(await queue.join({ timeout: 0 }), false);
    await queue.get();
    assert.equal(queue.joinSync({ timeout: 10 }), false);
    queue.taskDone();
    assert.throws(() => queue.taskDone(), hasCode('ERR_MULTIPROCESS_VALUE'));
    assert.equal(queue.joinSync(), true);
    assert.equal(await queue.join(), true);
  });

  test('join waits for what is leased, and acknowledging is being done', async () => {
    const queue = new JoinableQueue();
    await queue.put(1);
    const lease = await queue.get({ lease: true });
    const joined = queue.join();
    assert.equal(await queue.join({ timeout: 20 }), false);
    assert.throws(() => queue.taskDone(), hasCode('ERR_MULTIPROCESS_VALUE'));
    lease.giveBack();
    assert.equal(queue.joinSync({ timeout: 0 }), false);
    (await queue.get({ lease: true })).ack();
    assert.equal(await joined, true);
  });

  for (const leased of [false, true]) {
    test(`a consumer killed before it is done, with${leased ? '' : 'out'} leases, keeps nobody waiting`, async () => {
      const [queue, told] = [new JoinableQueue(), new Queue()];
      for (let i = 0; i < 3; i++) await queue.put(i);
      const child = leased
        ? new Process({ target: targets.leaseAndStay, args: [queue, 2, told] })
        : new Process({ target: targets.takeAndStay, args: [queue, 2, told] });
      child.start();
      await told.get();
      (await queue.get({ lease: true })).ack();
      const joined = queue.join();
      assert.equal(await queue.join({ timeout: 100 }), false);
      const since = performance.now();
      child.kill();
      if (leased) for (let i = 0; i < 2; i++) (await queue.get({ lease: true })).ack();
      assert.equal(await joined, true);
      assert.ok(performance.now() - since < 2000);
    });
  }

  test('join in a process that blocks is woken', async () => {
    const queue = new JoinableQueue();
    await queue.put(1);
    const joining = queue.join({ timeout: 10_000 });
    await queue.get();
    queue.taskDone();
    assert.equal(await joining, true);
  });

  test('closed, and disposed of, while somebody joins', async () => {
    const [closed, disposed] = [new JoinableQueue(), new JoinableQueue()];
    for (const queue of [closed, disposed]) await queue.put(1);
    const [one, other] = [closed.join(), disposed.join()];
    closed.close();
    disposed.dispose();
    await assert.rejects(one, isClosed);
    await assert.rejects(other, hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
    await assert.rejects(closed.join(), isClosed);
    assert.throws(() => closed.joinSync(), isClosed);
    assert.throws(() => closed.taskDone(), isClosed);
  });

  test('join with bad options, or aborted', async () => {
    const queue = new JoinableQueue();
    await queue.put(1);
    await assert.rejects(queue.join({ timeout: Number.NaN }), RangeError);
    assert.throws(() => queue.joinSync({ timeout: '1' as never }), TypeError);
    const reason = new Error('enough');
    const controller = new AbortController();
    const joining = queue.join({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(joining, reason);
  });
});

describe('SimpleQueue', () => {
  test('puts, gets, and is empty (TestSimpleQueue.test_empty)', async () => {
    const queue = new SimpleQueue();
    assert.equal(queue.empty(), true);
    queue.put(true);
    queue.put('foo');
    assert.equal(queue.empty(), false);
    assert.equal(await queue.get(), true);
    assert.equal(queue.getSync(), 'foo');
    assert.equal(queue.empty(), true);
  });

  test('closed: every use says so (TestSimpleQueue.test_close, test_closed)', async () => {
    const queue = new SimpleQueue();
    const waiting = queue.get();
    queue.close();
    queue.close();
    await assert.rejects(waiting, isClosed);
    assert.throws(() => queue.put(1), isClosed);
    assert.throws(() => queue.getSync(), isClosed);
    assert.throws(() => queue.empty(), isClosed);
    await assert.rejects(queue.get(), isClosed);
  });

  test('what cannot travel is an error at put', async () => {
    const queue = new SimpleQueue();
    assert.throws(() => queue.put(() => {}), hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'));
    queue.put(1);
    assert.equal(await queue.get(), 1);
  });
});
