// Managers that are used from other machines, which here are other connections.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import {
  connect,
  fromMessage,
  handleOf,
  Lock,
  Process,
  RawArray,
  type RemoteInstance,
  type RemoteManager,
  SharedMemory,
  Struct,
  toMessage,
} from 'multiprocess';
// For the check of the heap.
import '../../src/collections/index.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/index.js';
import { call } from '../programs/knows-nothing.js';
import { type Counter, CounterManager, type Failing, type WithSync } from '../programs/manager-targets.js';
import { collectGarbage } from '../support/gc.js';
import { usage } from '../support/heap-usage.js';
import { eventually } from '../support/shm.js';

type Types = { Counter: typeof Counter; Failing: typeof Failing; WithSync: typeof WithSync };

const authkey = 'the key of these tests';
const manager = new CounterManager();
let address: string;
let remote: Awaited<ReturnType<typeof connect<Types>>>;
let other: RemoteManager;

before(async () => {
  await manager.start();
  address = await manager.serve('tcp://127.0.0.1:0', { authkey });
  remote = await connect<Types>(address, { authkey: Buffer.from(authkey) });
  other = await connect(address, { authkey });
});
after(() => manager.shutdown());

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('dicts', async () => {
  const dict = await remote.dict<string, any>([['a', 1]], { name: 'dict' });
  const here = manager.dict<string, any>(null, { name: 'dict' });
  assert.equal(await dict.get('a'), 1);
  assert.deepEqual([await dict.get('b'), await dict.get('b', 5)], [undefined, 5]);
  assert.equal(await dict.set('b', { c: [1n, new Date(0)] }), undefined);
  assert.deepEqual(here.get('b'), { c: [1n, new Date(0)] });
  assert.deepEqual([await dict.has('b'), await dict.delete('b'), await dict.delete('b')], [true, true, false]);
  await dict.update(new Map([['x', 1]]));
  await dict.update({ y: 2 });
  assert.deepEqual([await dict.size(), await dict.keys(), await dict.values()], [3, ['a', 'x', 'y'], [1, 1, 2]]);
  assert.deepEqual(await all(dict), [...here]);
  assert.deepEqual([await dict.entries(), await dict.toObject()], [[...here], here.toObject()]);
  assert.deepEqual([await dict.setdefault('z', 3), await dict.popitem(), await dict.pop('x')], [3, ['z', 3], 1]);
  assert.deepEqual([await dict.increment('n'), await dict.increment('n', 5)], [1, 6]);
  assert.deepEqual([await dict.compareAndSet('n', 6, 7), await dict.compareAndSet('n', 6, 8)], [true, false]);
  assert.deepEqual(await dict.copy(), here.copy());
  const changed = dict.changed('n');
  await eventually('a write is noticed', async () => {
    here.increment('n');
    return Promise.race([changed, new Promise<false>((resolve) => setTimeout(resolve, 5, false))]);
  });
  assert.equal(await dict.changed('n', { timeout: 1 }), false);
  const ttl = await remote.dict<string, number>(null, { maxEntries: 2 });
  await ttl.update([...'abc'].map((key, i) => [key, i] as const));
  assert.deepEqual(await ttl.keys(), ['b', 'c']);
  await dict.clear();
  assert.equal(here.size, 0);
});

test('compute runs here, again and again, and nothing is lost', async () => {
  const dict = await remote.dict<string, number>();
  const list = await remote.list([0]);
  const namespace = await remote.Namespace({ n: 0 });
  const value = await remote.Value('i');
  const tasks = Array.from({ length: 20 }, () => [
    dict.compute('n', (old = 0) => old + 1),
    list.compute(0, (old) => old + 1),
    namespace.compute('n', (old) => old + 1),
    namespace.increment('n'),
    value.update((old) => old + 1),
  ]).flat();
  await Promise.all(tasks);
  assert.deepEqual(
    [await dict.get('n'), await list.get(0), await namespace.get('n'), await value.get()],
    [20, 20, 40, 20],
  );
  assert.equal(await dict.compute('n', () => undefined), undefined);
  assert.equal(await dict.has('n'), false);
  await assert.rejects(dict.compute('n', (async () => 1) as never), TypeError);
  await assert.rejects(dict.compute('n', 5 as never), TypeError);
});

test('lists and namespaces', async () => {
  const list = await remote.list([3, 1, 2]);
  await list.append(4);
  assert.deepEqual(
    [await list.push(5, 6), await list.length(), await list.get(-1), await list.at(9)],
    [6, 6, 6, undefined],
  );
  await list.extend(new Set([7]));
  await list.insert(0, 0);
  await list.sort();
  assert.deepEqual(await list.copy(), [0, 1, 2, 3, 4, 5, 6, 7]);
  await list.reverse();
  assert.deepEqual([await list.pop(), await list.pop(0), await list.slice(0, 2)], [0, 7, [6, 5]]);
  assert.deepEqual([await list.splice(0, 4, 9), await list.index(9), await list.count(1)], [[6, 5, 4, 3], 0, 1]);
  await list.remove(9);
  await list.set(0, 8);
  assert.deepEqual(await all(list), [8, 1]);
  await assert.rejects(list.get(5), RangeError);
  await assert.rejects(list.remove(77), { code: 'ERR_MULTIPROCESS_VALUE' });
  await list.clear();

  const namespace = await remote.Namespace<{ a: number; b?: string }>({ a: 1 }, { name: 'namespace' });
  await namespace.set('b', 'x');
  assert.deepEqual({ ...manager.Namespace({}, { name: 'namespace' }) }, { a: 1, b: 'x' });
  assert.deepEqual(
    [await namespace.get('a'), await namespace.has('c'), await namespace.keys()],
    [1, false, ['a', 'b']],
  );
  assert.deepEqual([await namespace.delete('b'), await namespace.delete('b')], [true, false]);
  assert.deepEqual(await namespace.toObject(), { a: 1 });
});

test('locks: each connection is an owner of its own', async () => {
  for (const kind of ['Lock', 'RLock'] as const) {
    const name = `${kind} of two`;
    const lock = await remote[kind]({ name });
    const theirs = await other[kind]({ name });
    const here = manager[kind]({ name });
    assert.equal(lock.token, undefined);
    assert.equal(await lock.acquire(), true);
    const token = lock.token!;
    assert.deepEqual([await lock.locked(), here.locked(), here.tryAcquire()], [true, true, false]);
    assert.deepEqual([await theirs.tryAcquire(), await theirs.acquire({ timeout: 10 })], [false, false]);
    assert.deepEqual([await lock.tryAcquire(), await lock.acquire({ timeout: 10 })], [false, false]);
    await assert.rejects(theirs.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
    await assert.rejects(theirs.acquire({ signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
    await assert.rejects(theirs.acquire({ signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' });
    const waiting = theirs.acquire();
    await lock.release();
    assert.equal(await waiting, true);
    assert.ok(theirs.token! > token);
    assert.deepEqual([lock.token, theirs.ownerDied], [undefined, false]);
    await theirs.release();
    await assert.rejects(
      lock.run(async () => assert.fail('in it')),
      { message: 'in it' },
    );
    assert.equal(await here.acquire({ timeout: 1000 }), true);
    await assert.rejects(
      lock.run(() => {}, { timeout: 10 }),
      { code: 'ERR_MULTIPROCESS_TIMEOUT' },
    );
    here.release();
  }
  const strict = await remote.Lock();
  await assert.rejects(strict.acquire(5 as never), TypeError);
  await assert.rejects(strict.acquire({ timeout: 'x' as never }), TypeError);
  await assert.rejects(strict.acquire({ timeout: Number.NaN }), RangeError);
  await assert.rejects(strict.acquire({ signal: 5 as never }), TypeError);
  assert.equal(await strict.locked(), false);
  const rlock = await remote.RLock();
  const inner = () => rlock.run(async () => [await rlock.tryAcquire(), await rlock.release()].length);
  assert.equal(await rlock.run(() => rlock.run(inner)), 2);
  assert.equal(await rlock.locked(), false);
  let outside: Promise<boolean> | undefined;
  await rlock.run(async () => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    assert.equal(await rlock.acquire({ timeout: 5 }), true, 'inside');
    await rlock.release();
  });
  const lock = await remote.Lock();
  await lock.run(async () => {
    outside = lock.acquire({ timeout: 5 });
    assert.equal(await outside, false, 'a Lock is not acquired twice');
  });
});

test('semaphores, events, barriers, conditions', async () => {
  for (const kind of ['Semaphore', 'BoundedSemaphore'] as const) {
    const semaphore = await remote[kind](2);
    assert.deepEqual(
      [await semaphore.acquire(), await semaphore.tryAcquire(), await semaphore.value()],
      [true, true, 0],
    );
    assert.deepEqual([await semaphore.tryAcquire(), await semaphore.acquire({ timeout: 5 })], [false, false]);
    await semaphore.release(2);
    assert.equal(await semaphore.run(() => semaphore.value()), 1);
    if (kind === 'BoundedSemaphore') await assert.rejects(semaphore.release(), { code: 'ERR_MULTIPROCESS_VALUE' });
  }
  const event = await remote.Event({ name: 'event' });
  assert.deepEqual([await event.isSet(), await event.wait({ timeout: 5 })], [false, false]);
  const waiting = event.wait();
  manager.Event({ name: 'event' }).set();
  assert.deepEqual([await waiting, await event.isSet()], [true, true]);
  await event.clear();
  await event.set();

  const barrier = await remote.Barrier(3, { name: 'barrier' });
  const theirs = await other.Barrier(3, { name: 'barrier' });
  const here = manager.Barrier(3, { name: 'barrier' });
  assert.deepEqual((await Promise.all([barrier.wait(), theirs.wait(), here.wait()])).sort(), [0, 1, 2]);
  assert.deepEqual([await barrier.parties(), await barrier.nWaiting(), await barrier.broken()], [3, 0, false]);
  await assert.rejects(barrier.wait({ timeout: 5 }), { code: 'ERR_MULTIPROCESS_BROKEN_BARRIER' });
  assert.equal(await theirs.broken(), true);
  await barrier.reset();
  await barrier.abort();
  await assert.rejects(theirs.wait(), { code: 'ERR_MULTIPROCESS_BROKEN_BARRIER' });
  await assert.rejects(remote.Barrier(1, { action: () => {} } as never), { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' });

  const condition = await remote.Condition(await remote.Lock(), { name: 'condition' });
  await assert.rejects(condition.wait(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
  await assert.rejects(condition.notify(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
  let ready = false;
  const waitingFor = condition.run(() => condition.waitFor(() => ready));
  const lateOne = condition.run(() => condition.wait({ timeout: 5 }));
  assert.equal(await lateOne, false);
  const local = manager.Condition(undefined, { name: 'condition' });
  await local.run(() => {
    ready = true;
    local.notifyAll();
  });
  assert.equal(await waitingFor, true);
  assert.equal(await (await condition.getLock()).locked(), false);
});

test('queues', async () => {
  const queue = await remote.Queue<unknown>(2, { name: 'queue' });
  await queue.put('a');
  assert.deepEqual([await queue.tryPut({ b: 1 }), await queue.tryPut('c'), await queue.full()], [true, false, true]);
  await assert.rejects(queue.put('c', { timeout: 5 }), { code: 'ERR_MULTIPROCESS_QUEUE_FULL' });
  assert.deepEqual([await queue.qsize(), await queue.get(), await queue.tryGet()], [2, 'a', { value: { b: 1 } }]);
  await assert.rejects(queue.get({ timeout: 5 }), { code: 'ERR_MULTIPROCESS_QUEUE_EMPTY' });
  assert.deepEqual(
    [await queue.tryGet(), await queue.tryGet({ lease: true }), await queue.empty()],
    [undefined, undefined, true],
  );
  const waiting = queue.get();
  manager.Queue(2, { name: 'queue' }).putSync('from here');
  assert.equal(await waiting, 'from here');
  await queue.put('lent');
  const lease = await queue.get({ lease: true });
  assert.deepEqual([lease.value, lease.deliveries, inspect(lease)], ['lent', 1, "RemoteLease { 'lent' }"]);
  await lease.giveBack();
  const again = (await queue.tryGet({ lease: true }))!;
  assert.deepEqual([again.value, again.deliveries], ['lent', 2]);
  await again.ack();
  await again.ack();
  const aborted = queue.get({ signal: AbortSignal.timeout(10) });
  await assert.rejects(aborted, { name: 'TimeoutError' });
  await queue.put('not for who gave up');
  await queue.end();
  assert.deepEqual(await all(queue), ['not for who gave up']);
  await assert.rejects(queue.put(1), { code: 'ERR_MULTIPROCESS_QUEUE_CLOSED' });

  const tasks = await remote.JoinableQueue<number>();
  await tasks.put(1);
  assert.equal(await tasks.join({ timeout: 5 }), false);
  assert.equal(await tasks.get(), 1);
  const joined = tasks.join();
  await tasks.taskDone();
  assert.equal(await joined, true);
  await assert.rejects(tasks.taskDone(), { code: 'ERR_MULTIPROCESS_VALUE' });
});

test('values and arrays', async () => {
  const value = await remote.Value('q', 41n, { name: 'value' });
  assert.deepEqual([await value.add(1), await value.get(), await value.exchange(5n)], [41n, 42n, 42n]);
  assert.deepEqual([await value.compareExchange(5, 6), await value.update((old) => old * 2n)], [5n, 12n]);
  await value.set(7);
  assert.equal(manager.Value('q', 0, { name: 'value' }).value, 7n);
  await assert.rejects(value.set('x' as never), TypeError);
  assert.equal(await value.run(async () => (await value.getLock()).locked()), true);
  assert.equal(await value.tryAcquire(), true);
  await value.release();

  const Point = Struct({ x: 'd', id: 'i' });
  const point = await remote.Value(Point, { x: 1.5 });
  assert.deepEqual(await point.get(), { x: 1.5, id: 0 });
  await point.set({ id: 3 });
  assert.deepEqual(await point.get(), { x: 1.5, id: 3 });

  const array = await remote.Array('i', [1, 2, 3]);
  assert.deepEqual(
    [await array.get(0), await array.at(-1), await array.at(5), await array.length()],
    [1, 3, undefined, 3],
  );
  await array.set(0, 10);
  await array.setSlice(1, new Set([20, 30]));
  assert.deepEqual([await array.slice(1), await all(array), await array.add(0, 1)], [[20, 30], [10, 20, 30], 10]);
  assert.deepEqual([await array.exchange(0, 5), await array.compareExchange(0, 5, 6), await array.get(0)], [11, 5, 6]);
  await assert.rejects(array.get(3), RangeError);
  const points = await remote.Array(Point, [{ x: 1 }]);
  assert.deepEqual(await points.slice(), [{ x: 1, id: 0 }]);

  const text = await remote.Array('c', 4);
  await text.setValue(Buffer.from('ab'));
  assert.deepEqual(
    [await text.getValue(), await text.getRaw()],
    [new Uint8Array([97, 98]), new Uint8Array([97, 98, 0, 0])],
  );
  await text.setRaw(new Uint8Array(4));
  assert.deepEqual(await text.getValue(), new Uint8Array(0));
});

test('objects of registered types', async () => {
  const counter = await remote.Counter(2);
  assert.deepEqual([await counter.increment(), await counter.increment(2)], [3, 5]);
  assert.equal((counter as unknown as { _hidden?: unknown })._hidden, undefined);
  assert.deepEqual(
    [await all(counter.below()), await all(counter.slowly())],
    [
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ],
  );
  for await (const _ of counter.watched()) break;
  for await (const left of counter.watched()) {
    assert.equal(left, 1, 'what is not taken to its end is ended there');
    break;
  }
  const failing = counter.failing();
  assert.deepEqual(await failing.next(), { done: false, value: 1 });
  await assert.rejects(failing.next(), { code: 'ERR_MULTIPROCESS_REMOTE', message: 'after the first' });
  await assert.rejects(counter.fail(), {
    code: 'ERR_MULTIPROCESS_REMOTE',
    remoteName: 'TypeError',
    message: 'as told',
  });
  await assert.rejects(remote.Counter(-1), { remoteName: 'RangeError' });
  await assert.rejects(remote.Failing(), { message: 'never made' });
  await assert.rejects(counter.unsharable(), { remoteName: 'NotShareableError', message: /result\.inside/ });
  assert.equal(await counter.itself(), counter, 'the same object, the same proxy');
  const made: RemoteInstance<Counter> = (await counter.other(10)) as never;
  assert.equal(await made.increment(), 11);
  const lock = (await counter.lock()) as never as { acquire(): Promise<boolean>; release(): Promise<void> };
  assert.equal(await lock.acquire(), true);
  await lock.release();
  const event = await remote.Event();
  await counter.set(event as never);
  assert.equal(await event.isSet(), true, 'it arrives there as the object');
  assert.equal(inspect(counter), `Counter { ${address} }`);
});

test('objects in objects come back as themselves', async () => {
  const dict = await remote.dict<string, any>(null, { name: 'nested' });
  const list = await remote.list([{ deep: [dict] }]);
  const counter = await remote.Counter();
  await dict.update({ list, lock: await remote.Lock(), counter, queue: await remote.Queue() });
  assert.equal(await dict.get('list'), list);
  assert.equal(await dict.get('counter'), counter);
  assert.equal((await list.get(0)).deep[0], dict);
  const theirs = await other.dict<string, any>(null, { name: 'nested' });
  const theirList = await theirs.get('list');
  assert.equal((await theirList.get(0)).deep[0], theirs);
  assert.equal(await (await theirs.get('counter')).increment(), 1);
  await (await theirs.get('queue')).put({ counter: await theirs.get('counter') });
  assert.equal((await (await dict.get('queue')).get()).counter, counter);
  const here = manager.dict<string, any>(null, { name: 'nested' });
  assert.equal(await here.get('counter').increment(), 2);
  assert.equal(here.get('list').get(0).deep[0], here);
});

test('what cannot travel', async () => {
  const dict = await remote.dict();
  const refused = { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' };
  await assert.rejects(dict.set('x', { f: () => 1 }), { ...refused, message: /args\[1\]\.f is a function/ });
  await assert.rejects(dict.set('x', Lock()), { ...refused, message: /Lock/ });
  await assert.rejects(dict.set('x', RawArray('i', 1)), refused);
  using block = SharedMemory.create(8);
  await assert.rejects(dict.set('x', block), refused);
  await assert.rejects(dict.set('x', await other.list()), { ...refused, message: /RemoteList .* another connection/ });
  await assert.rejects(other.Condition(await remote.Lock()), refused);
  // nor the other way
  manager.dict(null, { name: 'holds memory' }).set('raw', RawArray('i', 1));
  const holding = await remote.dict(null, { name: 'holds memory' });
  await assert.rejects(holding.get('raw'), { remoteName: 'NotShareableError' });
  // nor anywhere else
  assert.throws(() => handleOf(dict), refused);
  assert.throws(() => toMessage([dict]), refused);
  assert.throws(() => fromMessage(toMessage({ a: 1 }).replace('mp1.', 'mp1.A')), { code: 'ERR_MULTIPROCESS_VALUE' });
  assert.throws(() => new Process({ target: call, args: [dict, 'x'] as never }).start(), refused);
  assert.throws(() => JSON.stringify(dict), TypeError);
  if ('markAsUncloneable' in process.getBuiltinModule('node:worker_threads')) {
    assert.throws(() => structuredClone(dict), { name: 'DataCloneError' });
  }
});

test('what is disposed of, and what a name is of already', async () => {
  const lock = await remote.Lock({ name: 'disposed' });
  await lock.acquire();
  // Found before it is disposed of: by its name, another one would be made then.
  const theirs = await other.Lock({ name: 'disposed' });
  const waiting = assert.rejects(theirs.acquire(), { code: 'ERR_MULTIPROCESS_STALE_HANDLE' });
  await lock.dispose();
  await waiting;
  await assert.rejects(lock.acquire(), { code: 'ERR_MULTIPROCESS_STALE_HANDLE' });
  await remote.list([], { name: 'a list' });
  await assert.rejects(remote.Lock({ name: 'a list' }), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
  await assert.rejects(remote.Semaphore(-1), RangeError);
  await assert.rejects(remote.Value('z' as never), TypeError);
});

test('nothing is kept of what a client has let go of', async () => {
  const [, id] = /^mp:\w+:[^:]*:([0-9a-f]{16}):/.exec(manager.handle)!;
  const heap = Heap.join(id!, false)!;
  try {
    await collectGarbage();
    await eventually('what came before is gone', async () => {
      await collectGarbage();
      const first = usage(heap).roots;
      await new Promise((resolve) => setTimeout(resolve, 200));
      await collectGarbage();
      return usage(heap).roots === first;
    });
    const start = usage(heap);
    await (async () => {
      const made = await Promise.all(Array.from({ length: 100 }, (_, i) => remote.list<unknown>([i])));
      const counters = await Promise.all(Array.from({ length: 20 }, () => remote.Counter(1)));
      await Promise.all([...made.map((list) => list.append(counters[0]!)), ...counters.map((c) => c.other(2))]);
      await Promise.all(counters.map((c) => c.itself()));
      const locks = await Promise.all(Array.from({ length: 20 }, () => remote.Lock()));
      for (const lock of locks) await lock.run(() => {});
    })();
    await eventually('all are gone', async () => {
      await collectGarbage();
      const now = usage(heap);
      return now.roots <= start.roots && now.blocks <= start.blocks;
    });
  } finally {
    heap.leave();
  }
});
