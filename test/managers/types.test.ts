// Objects of registered types: they live in the server, and are called from elsewhere.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import vm from 'node:vm';
import {
  BaseManager,
  Event,
  handleOf,
  type Lock,
  open,
  Process,
  RawArray,
  type Remote,
  type RemoteError,
  SharedMemory,
  SyncManager,
} from 'multiprocess';
// For the check of the heap.
import '../../src/collections/index.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/index.js';
import { call } from '../programs/knows-nothing.js';
import { Counter, CounterManager, callHidden, Marked } from '../programs/manager-targets.js';
import { collectGarbage } from '../support/gc.js';
import { usage } from '../support/heap-usage.js';
import { eventually } from '../support/shm.js';

const manager = new CounterManager();
before(() => manager.start());
after(() => manager.shutdown());

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('methods, and their blocking twins', async () => {
  const counter = await manager.Counter(2);
  assert.equal(await counter.increment(), 3);
  assert.equal(counter.incrementSync(2), 5);
  assert.equal(await counter.later(5), 5);
  assert.equal(counter.laterSync(5), 5);
  assert.deepEqual(await counter.echo({ a: [1n, new Date(0)], b: new Map([[1, { c: null }]]) }), {
    a: [1n, new Date(0)],
    b: new Map([[1, { c: null }]]),
  });
  assert.equal(inspect(counter), 'Counter { in a manager }');
  assert.throws(() => JSON.stringify(counter), TypeError);
  const both = await manager.WithSync();
  assert.deepEqual([await both.read(), await both.readSync()], ['read', 'readSync']);
});

test('calls overtake one that takes longer, and begin in order', async () => {
  const counter = await manager.Counter();
  let slowIsDone = false;
  const slow = counter.later(3000).then((n) => {
    slowIsDone = true;
    return n;
  });
  const many = await Promise.all(Array.from({ length: 500 }, () => counter.increment()));
  assert.deepEqual(
    many,
    Array.from({ length: 500 }, (_, i) => i + 1),
  );
  assert.equal(slowIsDone, false);
  assert.equal(await slow, 500);
});

test('generators', async () => {
  const counter = await manager.Counter(3);
  assert.deepEqual(await all(counter.below()), [0, 1, 2]);
  assert.deepEqual(await all(counter.slowly()), [0, 1, 2]);
  assert.deepEqual([...counter.belowSync()], [0, 1, 2]);
  assert.deepEqual([...counter.slowlySync()], [0, 1, 2]);
  const failing = counter.failing();
  assert.deepEqual(await failing.next(), { done: false, value: 1 });
  await assert.rejects(failing.next(), { code: 'ERR_MULTIPROCESS_REMOTE', message: 'after the first' });
  assert.equal((await failing.next()).done, true);
  for await (const _ of counter.watched()) break;
  for (const _ of counter.watchedSync()) break;
  const [left] = await counter
    .watched()
    [Symbol.asyncIterator]()
    .next()
    .then(({ value }) => [value]);
  assert.equal(left, 2, 'what is not taken to its end is ended there');
});

test('errors', async () => {
  const counter = await manager.Counter();
  const check = (error: RemoteError) => {
    assert.equal(error.name, 'RemoteError');
    assert.equal(error.remoteName, 'TypeError');
    assert.equal(error.message, 'as told');
    assert.match(error.remoteStack, /Counter\.fail/);
    assert.ok(error.cause instanceof TypeError);
    assert.deepEqual((error.cause as { details?: unknown }).details, { n: 1 });
    return true;
  };
  await assert.rejects(counter.fail(), check);
  assert.throws(() => counter.failSync(), check);
  await assert.rejects(counter.failOddly(), { remoteName: '', cause: 'no error' });
  await assert.rejects(manager.Counter(-1), { code: 'ERR_MULTIPROCESS_REMOTE', remoteName: 'RangeError' });
  await assert.rejects(manager.Failing(), { message: 'never made' });
  await assert.rejects(counter.unsharable(), { remoteName: 'NotShareableError', message: /result\.inside/ });
  await assert.rejects(counter.echo({ onDone: () => 1 }), {
    code: 'ERR_MULTIPROCESS_NOT_SHAREABLE',
    message: /args\[0\]\.onDone/,
  });
  assert.throws(() => counter.echoSync(Symbol('x')), { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' });
  await assert.rejects(counter.echo(Buffer.alloc(256 * 1024 * 1024)), RangeError);
  assert.equal(await counter.increment(), 1);
});

test('what is not exposed cannot be called', async () => {
  const counter = (await manager.Counter()) as Remote<Counter> & Record<string, () => Promise<unknown>>;
  for (const name of ['_hidden', 'value', 'count', 'constructor_', 'hasOwnProperty_']) {
    assert.equal(counter[name], undefined);
  }
  // Whoever forges a handle gets no further.
  const fields = handleOf(counter).split(':');
  fields[7] = Buffer.from(JSON.stringify([['_hidden', 'constructor', 'increment'], []])).toString('base64url');
  const place = await manager.Counter();
  fields.splice(2, 4, ...handleOf(place).split(':').slice(2, 6));
  const child = new Process({ target: callHidden, args: [fields.join(':')] });
  child.start();
  assert.match(await child.result(), /^TypeError: .*'_hidden' of Counter is not exposed.*, TypeError: .*'constructor'/);
});

test('which methods are exposed can be said', async () => {
  class Exposing extends BaseManager {}
  Exposing.register('Counter', Counter, { exposed: ['increment', '_hidden', 'absent'] });
  await using exposing = new Exposing();
  await exposing.start();
  const made = (exposing as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)['Counter']!(4);
  const counter = (await made) as Record<string, (...args: unknown[]) => Promise<unknown>>;
  assert.equal(await counter['_hidden']!(), 'hidden');
  assert.equal(await counter['increment']!(), 5);
  assert.deepEqual([counter['echo'], counter['absent']], [undefined, undefined]);
});

test('shared objects and other registered ones travel as what they are', async () => {
  const counter = await manager.Counter(1);
  const event = new Event();
  await counter.set(event);
  assert.equal(event.isSet(), true);
  assert.equal(await counter.itself(), counter);
  assert.equal(await counter.echo(counter), counter);
  assert.equal(counter.itselfSync(), counter);
  assert.equal(open(handleOf(counter)), counter);
  const lock = (await counter.lock()) as Lock;
  await collectGarbage();
  lock.acquireSync();
  lock.release();
  const nested = (await counter.echo([{ counter, numbers: RawArray('i', [1, 2]) }])) as [
    { counter: unknown; numbers: Int32Array },
  ];
  assert.equal(nested[0].counter, counter);
  assert.deepEqual([...nested[0].numbers], [1, 2]);
  using block = SharedMemory.create(8);
  const view = (await counter.echo(block.buf)) as Uint8Array;
  view[0] = 7;
  assert.equal(block.buf[0], 7);
  const child = new Process({ target: call, args: [await counter.other(37)] as never });
  child.start();
  assert.equal(await child.result(), 42);
});

test('objects live as long as somebody has them', async () => {
  const heap = Heap.join(/^mp:\w+:[^:]*:([0-9a-f]{16}):/.exec(manager.handle)![1]!, false)!;
  try {
    await collectGarbage();
    const before = usage(heap);
    await (async () => {
      const made = await Promise.all(Array.from({ length: 200 }, (_, i) => manager.Counter(i)));
      assert.ok(usage(heap).roots >= 200);
      assert.equal(await made[7]!.increment(), 8);
      await Promise.all(made.map((counter) => counter.other(1)));
      await assert.rejects(manager.Failing());
      await made[0]!.echo(() => 1).catch(() => {});
      await made[0]!.unsharable().catch(() => {});
      // Nobody else has what is called.
      assert.deepEqual(await all((await manager.Counter(2)).below()), [0, 1]);
      assert.equal(await (await manager.Counter(5)).later(50), 5);
    })();
    await eventually('all are gone', async () => {
      await collectGarbage();
      const now = usage(heap);
      return now.roots <= before.roots && now.holds <= before.holds && now.blocks <= before.blocks;
    });
  } finally {
    heap.leave();
  }
});

test('blocking calls that are cut short harm nobody', async () => {
  const counter = await manager.Counter(1);
  const context = vm.createContext({ counter });
  assert.throws(() => vm.runInContext('counter.laterSync(5000)', context, { timeout: 50 }));
  assert.equal(counter.incrementSync(), 2);
});

test('a server that ends in the middle of a call', async () => {
  const other = new CounterManager();
  await other.start();
  const counter = await other.Counter();
  await assert.rejects(counter.exit(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  assert.throws(() => counter.incrementSync(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  await other.shutdown();

  const third = new CounterManager();
  await third.start();
  const again = await third.Counter();
  assert.throws(() => again.exitSync(), { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  await third.closed;
});

describe('registering', () => {
  class Registering extends SyncManager {}

  test('what cannot be', () => {
    assert.throws(() => Registering.register(5 as never, Counter), TypeError);
    assert.throws(() => Registering.register('a-b', Counter), { code: 'ERR_MULTIPROCESS_VALUE' });
    assert.throws(() => Registering.register('Counter', 5 as never), TypeError);
    assert.throws(() => Registering.register('Counter', Counter, { exposed: 'x' as never }), TypeError);
    assert.throws(() => Registering.register('Lock', Counter), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
    assert.throws(() => Registering.register('start', Counter), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
    Registering.register('Counter', Counter);
    Registering.register('Counter', Counter);
    assert.throws(() => Registering.register('Counter', Marked), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
    assert.equal('Counter' in SyncManager.prototype, false);
  });

  test('a class that nobody exports', async () => {
    const hidden = 1;
    class Hidden {
      get(): number {
        return hidden;
      }
    }
    class Manager extends SyncManager.with({ Hidden }) {}
    await assert.rejects(new Manager().start(), { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' });
  });
});
