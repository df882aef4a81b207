// What remote clients have comes back when they are killed, and what they wait for is forgotten; and when the server is
// killed, all of them hear of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, Manager, type RemoteManager, type SyncManager } from 'multiprocess';
// For the check of the heap.
import '../../src/collections/index.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/index.js';
import { MarkedManager } from '../programs/manager-targets.js';
import { usage } from '../support/heap-usage.js';
import { program } from '../support/paths.js';
import { type Running, startNode } from '../support/run.js';
import { eventually, isAlive, shmEntries } from '../support/shm.js';

const authkey = 'a key';
let manager: SyncManager;
let address: string;
let remote: RemoteManager;
before(async () => {
  manager = await Manager();
  address = await manager.serve('tcp://127.0.0.1:0', { authkey });
  remote = await connect(address, { authkey });
});
after(() => manager.shutdown());

async function client(action: string, at = address): Promise<{ running: Running; done: unknown }> {
  const running = startNode(program('remote-client'), [at, authkey, action]);
  const [, done] = await running.line(/^done (.*)$/);
  return { running, done: JSON.parse(done!) };
}

const soon = { timeout: 3000 };

test('killed while it holds', { timeout: 60_000 }, async () => {
  const actions = ['holdLock', 'holdCondition', 'holdPermits', 'waitAtBarrier', 'leaseItem', 'takeTask', 'holdValue'];
  const queue = manager.Queue<string>(0, { name: 'queue' });
  const tasks = manager.JoinableQueue<number>(0, { name: 'tasks' });
  queue.putSync('item');
  tasks.putSync(1);
  const clients = await Promise.all(actions.map((action) => client(action)));
  assert.deepEqual(
    clients.map(({ done }) => done),
    [true, true, [true, true], 1, 'item', 1, true],
  );
  const lock = manager.Lock({ name: 'lock' });
  const condition = manager.Condition(undefined, { name: 'condition' });
  const bounded = manager.BoundedSemaphore(2, { name: 'bounded' });
  const barrier = manager.Barrier(2, { name: 'barrier' });
  const value = manager.Value('i', 0, { name: 'value' });
  const theirs = await remote.Lock({ name: 'lock' });
  assert.deepEqual(
    [lock.tryAcquire(), condition.tryAcquire(), bounded.tryAcquire(), value.tryAcquire()],
    [false, false, false, false],
  );
  assert.equal(await theirs.tryAcquire(), false);
  assert.deepEqual([barrier.nWaiting, queue.empty(), await tasks.join({ timeout: 0 })], [1, true, false]);
  await Promise.all(clients.map(({ running }) => running.kill()));
  assert.equal(await theirs.acquire(soon), true);
  assert.equal(theirs.ownerDied, true);
  await theirs.release();
  assert.equal(await lock.acquire(soon), true);
  assert.equal(await condition.acquire(soon), true);
  assert.equal(await value.acquire(soon), true);
  assert.deepEqual([await bounded.acquire(soon), await bounded.acquire(soon)], [true, true]);
  await assert.rejects(barrier.wait(soon), { code: 'ERR_MULTIPROCESS_BROKEN_BARRIER' });
  assert.equal(await queue.get(soon), 'item');
  assert.equal(await tasks.join(soon), true);
  lock.release();
  condition.release();
  value.release();
  bounded.release(2);
});

test('killed while it waits', { timeout: 60_000 }, async () => {
  const lock = manager.Lock({ name: 'lock' });
  const condition = manager.Condition(undefined, { name: 'condition' });
  const queue = manager.Queue<string>(0, { name: 'queue' });
  await lock.acquire();
  const clients = await Promise.all(['waitForLock', 'waitForCondition', 'waitForItem'].map((action) => client(action)));
  const last = await remote.Condition(undefined, { name: 'condition' });
  await last.acquire();
  const notified = last.wait(); // behind the one that dies
  await Promise.all(clients.map(({ running }) => running.kill()));
  await delay(50);
  lock.release();
  assert.equal(await lock.acquire(soon), true);
  lock.release();
  await eventually('a notification is for who lives', async () => {
    await condition.run(() => condition.notify());
    return Promise.race([notified, delay(20, false)]);
  });
  await last.release();
  queue.putSync('not for the dead');
  assert.equal(await queue.get(soon), 'not for the dead');
});

test('one that is stopped is alive, and not robbed', { timeout: 60_000 }, async () => {
  const { running } = await client('holdLock');
  const theirs = await remote.Lock({ name: 'lock' });
  process.kill(running.pid, 'SIGSTOP');
  assert.equal(await theirs.acquire({ timeout: 500 }), false);
  const waiting = theirs.acquire(soon);
  await running.kill();
  assert.equal(await waiting, true);
  await theirs.release();
});

test('close gives back, too', async () => {
  const closing = await connect(address, { authkey });
  const lock = await closing.Lock({ name: 'lock' });
  const theirs = await remote.Lock({ name: 'lock' });
  await lock.acquire();
  let lost = false;
  void lock.lost.then(() => {
    lost = true;
  });
  const waiting = theirs.acquire(soon);
  const pending = lock.acquire();
  const rejected = assert.rejects(pending, { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  await closing.close();
  await closing.close();
  await rejected;
  assert.equal(await waiting, true);
  await theirs.release();
  assert.deepEqual([lock.token, lost], [undefined, true]);
  await closing.closed;
  await assert.rejects(closing.Lock(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  await assert.rejects(lock.release(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
});

test('a program that closes with something under way does not end before it has', { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await startNode(program('remote-closing'), [address, authkey]).finished;
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^closed$/m);
});

test('what killed clients have made is gone, and the heap is sound', { timeout: 60_000 }, async () => {
  const [, id] = /^mp:\w+:[^:]*:([0-9a-f]{16}):/.exec(manager.handle)!;
  const heap = Heap.join(id!, false)!;
  try {
    const clients = await Promise.all([client('makeMany'), client('makeMany')]);
    const full = usage(heap);
    await Promise.all(clients.map(({ running }) => running.kill()));
    await eventually('the lists are gone', () => usage(heap).roots <= full.roots - 100);
  } finally {
    heap.leave();
  }
});

test('the server is killed', { timeout: 60_000 }, async () => {
  const dying = new MarkedManager();
  await dying.start();
  const at = await dying.serve('tcp://127.0.0.1:0', { authkey });
  const [, id] = /^mp:\w+:[^:]*:([0-9a-f]{16}):/.exec(dying.handle)!;
  const here = await connect(at, { authkey });
  const lock = await here.Lock({ name: 'lock' });
  const local = dying.Lock({ name: 'lock' });
  const queue = await here.Queue();
  await lock.acquire();
  const pending = assert.rejects(queue.get(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  const { running } = await client('waitForLock', at);
  const server = await (await dying.Marked()).pid();
  process.kill(server, 'SIGKILL');
  await pending;
  await here.closed;
  await lock.lost;
  await assert.rejects(here.dict(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  // The server was who held it for the client; what is in shared memory goes on working.
  assert.equal(await local.acquire(soon), true);
  assert.equal(local.ownerDied, true);
  local.release();
  await running.kill();
  await dying.shutdown();
  assert.equal(isAlive(server), false);
  assert.ok(
    [...shmEntries()].some((entry) => entry.includes(id!)),
    'while somebody has it',
  );
});

test('a named manager stays for remote clients', { timeout: 60_000 }, async () => {
  const named = new MarkedManager({ name: `remote-${process.pid}`, linger: 50 });
  await named.start();
  const at = await named.serve('tcp://127.0.0.1:0', { authkey });
  const server = await (await named.Marked()).pid();
  const { running } = await client('holdLock', at);
  await named.close();
  await delay(200);
  assert.ok(isAlive(server));
  const here = await connect(at, { authkey });
  assert.equal(await (await here.Lock({ name: 'lock' })).tryAcquire(), false);
  await running.kill();
  await here.close();
  await eventually('it ends when its last client has gone', () => !isAlive(server));
});

test('restarted on the same address', { timeout: 60_000 }, async () => {
  let at = 'tcp://127.0.0.1:0';
  for (const round of [1, 2, 3]) {
    const one = await Manager();
    at = await one.serve(at, { authkey });
    const client = await connect(at, { authkey });
    const queue = await client.Queue(0, { name: 'queue' });
    // Values and text of all kinds, as CPython's test of remote managers.
    const values = [
      'hello world',
      null,
      true,
      2.25,
      'hall\xe5 v\xe4rlden',
      '\u043f\u0440\u0438\u0432\u0456\u0442 \u0441\u0432\u0456\u0442',
      new Uint8Array([1, 2]),
      round,
    ];
    for (const item of values) await queue.put(item);
    for (const item of values) assert.deepEqual(await queue.get(), item);
    await assert.rejects(one.serve(at, { authkey }), { code: 'EADDRINUSE' });
    await one.shutdown();
    await client.closed;
    await assert.rejects(connect(at, { authkey }), { code: 'ECONNREFUSED' });
  }
});
