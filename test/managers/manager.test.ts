// A manager's server: how it starts and ends, and what is left then.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import * as mp from 'multiprocess';
import { type BaseManager, handleOf, Manager, open, Process, SyncManager } from 'multiprocess';
// For the check of the heap.
import '../../src/collections/index.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/index.js';
import { describe } from '../programs/knows-nothing.js';
import * as targets from '../programs/manager-targets.js';
import { usage } from '../support/heap-usage.js';
import { program } from '../support/paths.js';
import { startNode } from '../support/run.js';
import { eventually, isAlive, shmEntries } from '../support/shm.js';

function heapOf(manager: BaseManager): string {
  return /^mp:\w+:[^:]*:([0-9a-f]{16}):/.exec(manager.handle)![1]!;
}

const heapFiles = (heap: string) => [...shmEntries()].filter((entry) => entry.includes(heap));

test('makes objects of every kind, which work without it', async () => {
  const manager = await Manager();
  const lock = manager.Lock();
  const rlock = manager.RLock();
  const semaphore = manager.Semaphore(2);
  const bounded = manager.BoundedSemaphore(3);
  const condition = manager.Condition();
  const conditionOfLock = manager.Condition(lock);
  const event = manager.Event();
  const barrier = manager.Barrier(1);
  const value = manager.Value('i', 41);
  const array = manager.Array('d', [1, 2, 3]);
  const text = manager.Array('c', 10);
  const dict = manager.dict({ a: [1, 2] });
  const list = manager.list([1, dict]);
  const namespace = manager.Namespace({ list });
  const queue = manager.Queue(1);
  const joinable = manager.JoinableQueue();
  joinable.putSync(list);
  const heap = heapOf(manager);
  const objects = [lock, rlock, semaphore, bounded, condition, conditionOfLock, event, barrier, value, array, text];
  const containers = [dict, list, namespace, queue, joinable];
  for (const object of [...objects, ...containers]) assert.match(handleOf(object), new RegExp(`:${heap}:`));
  await manager.shutdown();
  lock.acquireSync();
  lock.release();
  rlock.runSync(() => rlock.runSync(() => {}));
  assert.deepEqual([semaphore.value, bounded.value, value.value, value.add(1), value.value], [2, 3, 41, 41, 42]);
  event.set();
  assert.equal(await event.wait(), true);
  assert.equal(await barrier.wait(), 0);
  assert.deepEqual([...array], [1, 2, 3]);
  text.value = Buffer.from('abc');
  assert.equal(await condition.run(() => condition.wait({ timeout: 1 })), false);
  assert.deepEqual(dict.get('a'), [1, 2]);
  assert.equal(list.at(1), dict);
  assert.equal(namespace.list, list);
  assert.equal(queue.tryPut(1), true);
  assert.equal(queue.tryPut(2), false);
  assert.equal(joinable.getSync(), list);
  joinable.taskDone();
  assert.equal(await joinable.join(), true);
  assert.ok(heapFiles(heap).length > 0, 'as long as this process has it');
});

test('children make objects in it, and return them', async () => {
  await using manager = new targets.CounterManager();
  await manager.start();
  const counter = await manager.Counter(5);
  const child = new Process({ target: targets.useManager, args: [manager, counter] });
  child.start();
  const [first, second, event, made] = await child.result();
  assert.deepEqual([first, second], [6, 11]);
  event.set();
  assert.equal(await counter.increment(0), 6);
  // The child that made it has ended; whether it still exists is decided by who was sent it.
  assert.equal(await made.increment(), 12);
});

test('travels to modules that do not know this library, and as a handle', async () => {
  await using manager = await Manager();
  const child = new Process({ target: describe, args: [manager] });
  child.start();
  assert.equal(await child.result(), `true ${manager.address}`);
  assert.equal(open(manager.handle), manager);
  const other = new Process({ target: targets.openAndClose, args: [manager.handle] });
  other.start();
  assert.equal(await other.result(), manager.address);
  assert.throws(() => JSON.stringify(manager), TypeError);
  assert.throws(() => open(manager.handle, mp.Lock), TypeError);
});

test('its states', async () => {
  const manager = new SyncManager();
  assert.equal(inspect(manager), 'SyncManager { not started }');
  for (const use of [() => manager.Lock(), () => manager.address, () => manager.closed, () => manager.handle]) {
    assert.throws(use, { code: 'ERR_MULTIPROCESS_MANAGER_NOT_STARTED' });
  }
  const starting = manager.start();
  await assert.rejects(manager.start(), { code: 'ERR_MULTIPROCESS_PROCESS_STARTED' });
  await starting;
  await assert.rejects(manager.start(), { code: 'ERR_MULTIPROCESS_PROCESS_STARTED' });
  assert.ok(existsSync(manager.address));
  const { closed, handle, address } = manager;
  await manager.shutdown();
  await closed;
  await manager.shutdown();
  await manager.close();
  assert.throws(() => manager.Event(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  await assert.rejects(manager.start(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  assert.equal(inspect(manager), 'SyncManager { closed }');
  assert.equal(existsSync(address), false);
  const opened = open(handle) as SyncManager; // its heap is there, because this process takes part
  assert.throws(() => opened.Event(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });

  const never = new SyncManager();
  await never.close();
  await assert.rejects(never.start(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
});

test('closed by its creator, it goes on for others; opened again, here too', async () => {
  const manager = await Manager();
  const { handle } = manager;
  await manager.close();
  assert.throws(() => manager.Lock(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  const child = new Process({ target: targets.openAndClose, args: [handle] });
  child.start();
  await child.result();
  const again = open(handle) as SyncManager;
  assert.notEqual(again, manager);
  again.Lock();
  await again.shutdown();
  await manager.shutdown();
});

test('the initializer runs in the server before it serves', async () => {
  const called = mp.Event();
  await using manager = new targets.MarkedManager({ initializer: targets.failToInitialize });
  await manager.start(targets.initialize, [called, 'here']);
  assert.equal(called.isSet(), true);
  assert.equal(await (await manager.Marked()).mark(), 'here');
});

test('initializers that fail, or are none', async () => {
  const failing = new SyncManager();
  await assert.rejects(failing.start(targets.failToInitialize), (error: mp.RemoteError) => {
    assert.equal(error.code, 'ERR_MULTIPROCESS_REMOTE');
    assert.equal(error.remoteName, 'RangeError');
    assert.equal(error.message, 'cannot begin');
    assert.match(error.remoteStack, /failToInitialize/);
    assert.ok(error.cause instanceof RangeError);
    return true;
  });
  await failing.start(); // may be tried again
  await failing.shutdown();
  await assert.rejects(new SyncManager().start(5 as never), TypeError);
  await assert.rejects(new SyncManager().start(targets.initialize, 5 as never), TypeError);
  const here = 1;
  await assert.rejects(
    new SyncManager().start(() => here),
    { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' },
  );
  await assert.rejects(new SyncManager().start(targets.initialize, [() => 1]), /initargs\[0\]/);
});

test('wrong options', () => {
  assert.throws(() => new SyncManager(5 as never), TypeError);
  assert.throws(() => new SyncManager({ name: 5 as never }), TypeError);
  assert.throws(() => new SyncManager({ linger: '1' as never }), TypeError);
  assert.throws(() => new SyncManager({ linger: -1 }), RangeError);
  assert.throws(() => new SyncManager({ linger: Number.NaN }), RangeError);
  assert.throws(() => new SyncManager({ initializer: 1 as never }), TypeError);
  assert.throws(() => new SyncManager({ initargs: 1 as never }), TypeError);
});

test('when the server is killed, clients keep what they have, and hear of it', async () => {
  await using manager = new targets.MarkedManager();
  await manager.start();
  const marked = await manager.Marked();
  const pid = await marked.pid();
  const lock = manager.Lock();
  const { closed, address } = manager;
  const pending = marked.block(60_000).catch((error: unknown) => error);
  process.kill(pid, 'SIGKILL');
  // Even before the event loop has turned.
  const deadline = performance.now() + 5000;
  for (;;) {
    try {
      manager.Event();
    } catch (error) {
      assert.equal((error as mp.ManagerClosedError).code, 'ERR_MULTIPROCESS_MANAGER_CLOSED');
      break;
    }
    assert.ok(performance.now() < deadline, 'it is noticed');
  }
  await closed;
  assert.ok((await pending) instanceof mp.ManagerClosedError);
  await assert.rejects(marked.mark(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  assert.throws(() => marked.markSync(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  await assert.rejects(manager.Marked(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  lock.acquireSync();
  lock.release();
  assert.equal(existsSync(address), false);
});

test('when its creator ends, normally or killed, the server does too, and nothing is left', async () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const creator = startNode(program('start-a-manager'), ['wait']);
    const [, pid, address, heap] = await creator.line(/^pid (\d+) address (\S+) handle mp:\w+:\w*:(\w+):/);
    creator.child.kill(signal);
    await creator.finished;
    await eventually('the server has ended', () => !isAlive(Number(pid)));
    assert.deepEqual([heapFiles(heap!), existsSync(address!)], [[], false]);
  }
  // Nothing but the manager keeps this one; at its exit the server has ended already.
  const { code, stdout, stderr } = await startNode(program('start-a-manager'), ['end']).finished;
  assert.equal(code, 0, stderr);
  const [, pid, address, heap] = /^pid (\d+) address (\S+) handle mp:\w+:\w*:(\w+):/m.exec(stdout)!;
  assert.deepEqual([heapFiles(heap!), existsSync(address!)], [[], false]);
  await eventually('the server has ended', () => !isAlive(Number(pid)));
});

test('clients that are killed leave nothing in the server, and their locks to others', async () => {
  await using manager = new targets.CounterManager();
  await manager.start();
  const child = new Process({ target: targets.makeAndDie, args: [manager] });
  child.start();
  await child.join();
  assert.equal(child.signalCode, 'SIGKILL');
  const heap = Heap.join(heapOf(manager), false)!;
  try {
    // The manager's own are left: itself, and the names.
    await eventually('its objects are gone', () => usage(heap).roots === 2);
  } finally {
    heap.leave();
  }
  const counter = await manager.Counter();
  assert.equal(await counter.increment(), 1);
});

test('a server that is busy is ended all the same', async () => {
  const manager = new targets.MarkedManager();
  await manager.start();
  const marked = await manager.Marked();
  const pid = await marked.pid();
  void marked.block(60_000).catch(() => {});
  const start = performance.now();
  await manager.shutdown();
  assert.ok(performance.now() - start < 20_000);
  assert.equal(isAlive(pid), false);
});
