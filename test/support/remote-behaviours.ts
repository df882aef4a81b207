// What every manager on another machine does alike, wherever its objects lie.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { type EngineManager, handleOf, Lock, RawArray, SharedMemory, toMessage } from 'multiprocess';
import { queueBehaviours } from './remote-queue-behaviours.js';
import { synchronizeBehaviours } from './remote-synchronize-behaviours.js';
import { valueBehaviours } from './remote-value-behaviours.js';
import { eventually, testName } from './shm.js';

/** What all of them have. */
export type AnyManager = Omit<EngineManager, 'Pool'>;

/** Where the objects lie. What is used of a manager is what all of them have. */
export interface Backend {
  readonly name: string;
  /** Two connections to the same place. */
  connections(): readonly [AnyManager, AnyManager];
  /** Whether objects there have handles. */
  readonly hasHandles?: boolean;
  /** What does not hold there, by what is checked, each with the reason. */
  readonly differs?: Readonly<Record<string, string>>;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Defines a test, which is given both connections. */
export type Check = (what: string, fn: (one: AnyManager, other: AnyManager) => Promise<void>) => void;

export function behaviours({ name: backend, connections, hasHandles = false, differs = {} }: Backend): void {
  const reasons = new Map(Object.entries(differs));
  const check: Check = (what, fn) => {
    const skip = reasons.get(what) ?? false;
    reasons.delete(what);
    test(`${backend}: ${what}`, { skip, timeout: 60_000 }, () => fn(...connections()));
  };
  queueBehaviours(check);

  check('dicts', async (one, other) => {
    const name = testName('dict');
    const dict = await one.dict<string, any>([['a', 1]], { name });
    const theirs = await other.dict<string, any>(null, { name });
    assert.equal(await dict.get('a'), 1);
    assert.deepEqual([await dict.get('b'), await dict.get('b', 5)], [undefined, 5]);
    assert.equal(await dict.set('b', { c: [1n, new Date(0)] }), undefined);
    assert.deepEqual(await theirs.get('b'), { c: [1n, new Date(0)] });
    assert.deepEqual([await dict.has('b'), await dict.delete('b'), await dict.delete('b')], [true, true, false]);
    await dict.update(new Map([['x', 1]]));
    await dict.update({ y: 2 });
    await dict.set('a', 7); // where it was
    assert.deepEqual([await theirs.size(), await dict.keys(), await dict.values()], [3, ['a', 'x', 'y'], [7, 1, 2]]);
    const entries = [
      ['a', 7],
      ['x', 1],
      ['y', 2],
    ];
    assert.deepEqual(await all(theirs), entries);
    assert.deepEqual([await dict.entries(), await dict.toObject()], [entries, { a: 7, x: 1, y: 2 }]);
    assert.deepEqual(await dict.copy(), new Map(entries as [string, number][]));
    assert.deepEqual([await dict.setdefault('z', 3), await dict.setdefault('z', 4)], [3, 3]);
    assert.deepEqual([await dict.popitem(), await dict.pop('x'), await dict.pop('x')], [['z', 3], 1, undefined]);
    assert.equal(await dict.pop('x', 'none'), 'none');
    await dict.set('undefined', undefined);
    assert.deepEqual([await dict.has('undefined'), await dict.get('undefined', 1)], [true, undefined]);
    await dict.clear();
    assert.deepEqual([await theirs.size(), await dict.popitem(), await dict.keys()], [0, undefined, []]);
    await assert.rejects(dict.update(null as never), TypeError);
    await assert.rejects(dict.update([1] as never), TypeError);
    await assert.rejects(one.dict(5 as never), TypeError);
  });

  check('keys are compared by value', async (one) => {
    const dict = await one.dict<any, any>();
    const bytes = new Uint8Array([1, 2]);
    const keys = [1, '1', 1n, null, true, 'ключ', Number.NaN, bytes, [1, ['a', bytes]], 0.5, '', 2n ** 100n];
    for (const [i, key] of keys.entries()) await dict.set(key, i);
    for (const [i, key] of keys.entries()) assert.equal(await dict.get(key), i);
    assert.deepEqual(await dict.keys(), keys);
    assert.equal(await dict.get([1, ['a', Buffer.from([1, 2])]]), 8);
    await dict.set(-0, 'zero');
    assert.equal(await dict.get(0), 'zero');
    for (const bad of [undefined, {}, [{}], new Date()]) {
      await assert.rejects(dict.set(bad, 1), TypeError);
      await assert.rejects(dict.get(bad), TypeError);
    }
    await assert.rejects(dict.set('x'.repeat(5000), 1), RangeError);
    await assert.rejects(dict.toObject(), TypeError);
  });

  check('numbers are added to', async (one, other) => {
    const name = testName('numbers');
    const dict = await one.dict<string, any>(null, { name });
    const theirs = await other.dict<string, any>(null, { name });
    const steps = [1, 126, 1, 1e6, -3e6, 2 ** 31, 0.5, -0.5, 2 ** 52, Number.POSITIVE_INFINITY, Number.NaN];
    let sum = 0;
    for (const by of steps) {
      sum += by;
      assert.equal(await dict.increment('n', by), sum);
      assert.equal(await dict.get('n'), sum);
    }
    assert.equal(await dict.increment('m'), 1);
    await dict.set('text', 'x');
    await assert.rejects(dict.increment('text'), TypeError);
    await assert.rejects(dict.increment('n', '1' as never), TypeError);
    assert.equal(await dict.get('text'), 'x');
    const both = [dict, theirs].flatMap((each) => Array.from({ length: 50 }, () => each.increment('together')));
    await Promise.all(both);
    assert.equal(await dict.get('together'), 100);
  });

  check('entries are compared and exchanged', async (one) => {
    const dict = await one.dict<string, any>({ n: 1 });
    assert.deepEqual([await dict.compareAndSet('n', 1, 2), await dict.compareAndSet('n', 1, 3)], [true, false]);
    assert.deepEqual(
      [await dict.compareAndSet('m', undefined, 0), await dict.compareAndSet('m', undefined, 0)],
      [true, false],
    );
    assert.equal(await dict.compareAndSet('m', -0, 1), false);
    assert.equal(await dict.compareAndSet('m', 0, { a: 1, b: [new Map([[1, 2]])] }), true);
    assert.equal(await dict.compareAndSet('m', { a: 1 }, 1), false);
    assert.equal(await dict.compareAndSet('m', { a: 1, b: [new Map([[1, 2]])] }, undefined), true);
    assert.equal(await dict.has('m'), false);
    assert.equal(await dict.compareAndSet('m', undefined, undefined), true);
    assert.equal(await dict.compareAndSet('m', 1, undefined), false);
  });

  check('compute runs here, again and again, and nothing is lost', async (one) => {
    const dict = await one.dict<string, number>();
    const list = await one.list([0]);
    const namespace = await one.Namespace({ n: 0 });
    const tasks = Array.from({ length: 10 }, () => [
      dict.compute('n', (old = 0) => old + 1),
      list.compute(0, (old) => old + 1),
      namespace.compute('n', (old) => old + 1),
      namespace.increment('n'),
    ]).flat();
    await Promise.all(tasks);
    assert.deepEqual([await dict.get('n'), await list.get(0), await namespace.get('n')], [10, 10, 20]);
    assert.equal(await dict.compute('n', () => undefined), undefined);
    assert.equal(await dict.has('n'), false);
    await assert.rejects(dict.compute('n', (async () => 1) as never), TypeError);
    await assert.rejects(dict.compute('n', 5 as never), TypeError);
    await assert.rejects(
      list.compute(3, (old) => old),
      RangeError,
    );
    const thrown = new Error('in it');
    const failing = dict.compute('n', () => {
      throw thrown;
    });
    await assert.rejects(failing, thrown);
  });

  check('entries that end, and no more than so many', async (one) => {
    const few = await one.dict<string, number>(null, { maxEntries: 2 });
    await few.update([...'abc'].map((key, i) => [key, i] as const));
    assert.deepEqual(await few.keys(), ['b', 'c']);
    const dict = await one.dict<string, number>(null, { ttl: 60 });
    await dict.set('short', 1);
    await dict.set('long', 2, { ttl: Number.POSITIVE_INFINITY });
    await dict.set('longer', 3, { ttl: 60_000 });
    await eventually('it has ended', async () => !(await dict.has('short')));
    assert.deepEqual([await dict.size(), await dict.keys()], [2, ['long', 'longer']]);
    assert.equal(await dict.increment('short'), 1);
    assert.deepEqual(await dict.keys(), ['long', 'longer', 'short'], 'inserted anew');
    await assert.rejects(dict.set('x', 1, { ttl: 0 }), RangeError);
    await assert.rejects(one.dict(null, { ttl: 'x' as never }), TypeError);
    await assert.rejects(one.dict(null, { maxEntries: 0 }), RangeError);
  });

  check('a write is waited for', async (one, other) => {
    const name = testName('changed');
    const dict = await one.dict<string, number>(null, { name });
    const theirs = await other.dict<string, number>(null, { name });
    await dict.set('b', 1);
    const outcomes: string[] = [];
    const watched = (['a', 'b', undefined] as const).map((key) =>
      dict.changed(key).then((came) => outcomes.push(`${key} ${came}`)),
    );
    await eventually('a write of one key is noticed', async () => {
      await theirs.increment('a');
      return outcomes.length === 2;
    });
    assert.deepEqual(outcomes.sort(), ['a true', 'undefined true']);
    await eventually('so is the end of all', async () => {
      await theirs.clear();
      return outcomes.length === 3;
    });
    await Promise.all(watched);
    assert.equal(await dict.changed('a', { timeout: 1 }), false);
    await assert.rejects(dict.changed('a', { signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' });
    await assert.rejects(dict.changed('a', { timeout: Number.NaN }), RangeError);
  });

  check('lists', async (one, other) => {
    const name = testName('list');
    const list = await one.list([3, 1, 2], { name });
    const theirs = await other.list<number>([9], { name });
    await list.append(4);
    assert.deepEqual(
      [await theirs.push(5, 6), await list.length(), await list.get(-1), await list.at(9)],
      [6, 6, 6, undefined],
    );
    await list.extend(new Set([7]));
    await list.insert(0, 0);
    await list.sort();
    assert.deepEqual(await theirs.copy(), [0, 1, 2, 3, 4, 5, 6, 7]);
    await list.reverse();
    assert.deepEqual([await list.pop(), await list.pop(0), await list.slice(0, 2)], [0, 7, [6, 5]]);
    assert.deepEqual([await list.splice(0, 4, 9), await list.index(9), await list.count(1)], [[6, 5, 4, 3], 0, 1]);
    await list.remove(9);
    await list.set(0, 8);
    assert.deepEqual(await all(theirs), [8, 1]);
    await assert.rejects(list.get(5), { name: 'RangeError', message: 'There is no element 5: the list has 2.' });
    await assert.rejects(list.set(-3, 1), RangeError);
    await assert.rejects(list.pop(2), RangeError);
    await assert.rejects(list.remove(77), { code: 'ERR_MULTIPROCESS_VALUE' });
    await assert.rejects(list.index(77), { code: 'ERR_MULTIPROCESS_VALUE' });
    await assert.rejects(list.get(0.5), TypeError);
    await assert.rejects(list.extend(5 as never), TypeError);
    assert.deepEqual(
      [await list.count(-0), await list.compareAndSet(0, 8, 5), await list.compareAndSet(0, 8, 6)],
      [0, true, false],
    );
    await assert.rejects(list.compareAndSet(7, 8, 5), RangeError);
    await list.clear();
    assert.deepEqual([await list.pop(), await theirs.length(), await list.copy()], [undefined, 0, []]);
    await list.extend([1, 'a' as never]);
    await assert.rejects(list.sort(), TypeError);
  });

  check('places in lists are those of arrays', async (one) => {
    const array: (number | string)[] = [0, 1, 2, 3, 4];
    const list = await one.list<number | string>(array);
    const ends = [undefined, 0, 1, 4, 5, 9, -1, -4, -5, -9, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const start of ends) {
      for (const end of ends) {
        assert.deepEqual(await list.slice(start, end), array.slice(start, end), `slice ${start} ${end}`);
      }
    }
    for (const start of [0, 2, 5, 9, -1, -9]) {
      for (const count of [0, 1, 9, -1]) {
        const changed = [...array];
        const copy = await one.list<number | string>(array);
        assert.deepEqual(await copy.splice(start, count, 7, 8), changed.splice(start, count, 7, 8));
        assert.deepEqual(await copy.copy(), changed, `splice ${start} ${count}`);
      }
    }
    for (const index of [0, 2, 4, 5, 9, -1, -4, -9]) {
      const copy = await one.list<number | string>(array);
      await copy.insert(index, 'x');
      const at = index < 0 ? Math.max(0, 5 + index) : Math.min(5, index);
      assert.deepEqual(await copy.copy(), [...array.slice(0, at), 'x', ...array.slice(at)], `insert ${index}`);
      await copy.pop(at);
      assert.deepEqual(await copy.copy(), array, `pop ${at}`);
    }
    const texts = await one.list(['b', 'a', '\u{10000}', '\uffff', 'b']);
    await texts.sort();
    assert.deepEqual(await texts.copy(), ['a', 'b', 'b', '\uffff', '\u{10000}']);
  });

  check('namespaces', async (one, other) => {
    const name = testName('namespace');
    const namespace = await one.Namespace<{ a: number; b?: string }>({ a: 1 }, { name });
    const theirs = await other.Namespace<any>({}, { name });
    await namespace.set('b', 'x');
    assert.deepEqual(await theirs.toObject(), { a: 1, b: 'x' });
    assert.deepEqual(
      [await namespace.get('a'), await namespace.has('c'), await namespace.keys()],
      [1, false, ['a', 'b']],
    );
    assert.deepEqual([await namespace.delete('b'), await namespace.delete('b')], [true, false]);
    assert.deepEqual([await theirs.get('b'), await theirs.increment('n', 2)], [undefined, 2]);
    assert.equal(await namespace.compareAndSet('a', 1, 2), true);
    await assert.rejects(namespace.get(5 as never), TypeError);
    await assert.rejects(one.Namespace(5 as never), TypeError);
  });

  check('locks: each connection is an owner of its own', async (one, other) => {
    for (const kind of ['Lock', 'RLock'] as const) {
      const name = testName(kind);
      const lock = await one[kind]({ name });
      const theirs = await other[kind]({ name });
      assert.equal(lock.token, undefined);
      assert.equal(await lock.acquire(), true);
      const token = lock.token!;
      assert.deepEqual([await lock.locked(), await theirs.locked()], [true, true]);
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
      assert.equal(await theirs.acquire({ timeout: 1000 }), true);
      await assert.rejects(
        lock.run(() => {}, { timeout: 10 }),
        { code: 'ERR_MULTIPROCESS_TIMEOUT' },
      );
      await theirs.release();
      assert.equal(await lock.locked(), false);
    }
    const strict = await one.Lock();
    await assert.rejects(strict.acquire(5 as never), TypeError);
    await assert.rejects(strict.acquire({ timeout: 'x' as never }), TypeError);
    await assert.rejects(strict.acquire({ timeout: Number.NaN }), RangeError);
    await assert.rejects(strict.acquire({ signal: 5 as never }), TypeError);
    await assert.rejects(strict.run(5 as never), TypeError);
    await assert.rejects(strict.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
    assert.equal(await strict.locked(), false);
  });

  check('one that is free is got, however soon it is to be', async (one) => {
    const lock = await one.Lock();
    for (let i = 0; i < 5; i++) {
      assert.equal(await lock.acquire({ timeout: 0.01 }), true);
      await lock.release();
    }
  });

  check('an RLock is entered again inside its own run', async (one) => {
    const rlock = await one.RLock();
    const inner = () => rlock.run(async () => [await rlock.tryAcquire(), await rlock.release()].length);
    assert.equal(await rlock.run(() => rlock.run(inner)), 2);
    assert.equal(await rlock.locked(), false);
    await rlock.run(async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      assert.equal(await rlock.acquire({ timeout: 5 }), true, 'inside');
      await rlock.release();
    });
    const lock = await one.Lock();
    await lock.run(async () => {
      assert.equal(await lock.acquire({ timeout: 5 }), false, 'a Lock is not acquired twice');
    });
  });

  check('events', async (one, other) => {
    const name = testName('event');
    const event = await one.Event({ name });
    const theirs = await other.Event({ name });
    assert.deepEqual([await event.isSet(), await event.wait({ timeout: 5 })], [false, false]);
    assert.equal(await event.wait({ timeout: 0 }), false);
    const waiting = [event.wait(), event.wait(), theirs.wait()];
    await eventually('they wait, and hear of it', async () => {
      await theirs.set();
      await theirs.clear(); // a pulse is not missed by one who waits
      return Promise.race([Promise.all(waiting).then(() => true), new Promise<false>((r) => setTimeout(r, 5, false))]);
    });
    assert.deepEqual(await Promise.all(waiting), [true, true, true]);
    assert.equal(await event.isSet(), false);
    await event.set();
    await event.set();
    assert.deepEqual(
      [await theirs.isSet(), await theirs.wait(), await theirs.wait({ timeout: 0 })],
      [true, true, true],
    );
    await event.clear();
    await assert.rejects(event.wait({ signal: AbortSignal.timeout(5) }), { name: 'TimeoutError' });
    await assert.rejects(event.wait({ signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
    await assert.rejects(event.wait(5 as never), TypeError);
    const stale = assert.rejects(theirs.wait(), { code: 'ERR_MULTIPROCESS_STALE_HANDLE' });
    await event.dispose();
    await stale;
  });

  check('what has given up leaves nothing', async (one, other) => {
    const name = testName('given up');
    const lock = await one.Lock({ name });
    const theirs = await other.Lock({ name });
    await lock.acquire();
    const ending = new AbortController();
    const waits = [theirs.acquire({ timeout: 30 }), theirs.acquire({ signal: ending.signal })];
    const last = theirs.acquire();
    assert.equal(await waits[0], false);
    ending.abort(new Error('enough'));
    await assert.rejects(waits[1]!, { message: 'enough' });
    await lock.release();
    assert.equal(await last, true);
    await theirs.release();
    assert.equal(await lock.tryAcquire(), true);
    await lock.release();
  });

  check('objects in objects come back as themselves', async (one, other) => {
    const name = testName('nested');
    const dict = await one.dict<string, any>(null, { name });
    const list = await one.list([{ deep: [dict] }]);
    await dict.update({ list, lock: await one.Lock(), itself: dict });
    assert.equal(await dict.get('list'), list);
    assert.equal((await list.get(0)).deep[0], dict);
    const theirs = await other.dict<string, any>(null, { name });
    const theirList = await theirs.get('list');
    assert.equal((await theirList.get(0)).deep[0], theirs);
    const lock = await dict.get('lock');
    await lock.acquire();
    assert.equal(await (await theirs.get('lock')).tryAcquire(), false);
    await lock.release();
    assert.equal(await dict.compareAndSet('itself', theirs === dict ? 0 : dict, 1), true);
    assert.equal(await list.count({ deep: [dict] }), 1);
  });

  check('what cannot travel', async (one, other) => {
    const dict = await one.dict();
    const list = await one.list();
    const refused = { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' };
    await assert.rejects(dict.set('x', { f: () => 1 }), { ...refused, message: /args\[1\]\.f is a function/ });
    await assert.rejects(
      list.append(() => 1),
      refused,
    );
    await assert.rejects(dict.set('x', Lock()), { ...refused, message: /Lock/ });
    await assert.rejects(dict.set('x', RawArray('i', 1)), refused);
    using block = SharedMemory.create(8);
    await assert.rejects(dict.set('x', block), refused);
    await assert.rejects(one.Barrier(1, { action: () => {} } as never), refused);
    await assert.rejects(dict.set('x', await other.list()), {
      ...refused,
      message: /RemoteList .* another connection/,
    });
    assert.equal(await dict.size(), 0);
    for (const object of [dict, list, await one.Lock(), await one.Namespace()]) {
      if (!hasHandles) {
        assert.throws(() => handleOf(object), refused);
        assert.throws(() => toMessage([object]), refused);
      }
      assert.throws(() => JSON.stringify(object), TypeError);
      if ('markAsUncloneable' in process.getBuiltinModule('node:worker_threads')) {
        assert.throws(() => structuredClone(object), { name: 'DataCloneError' });
      }
    }
  });

  check('what is disposed of, and what a name is of already', async (one, other) => {
    const name = testName('disposed');
    const lock = await one.Lock({ name });
    const stale = { code: 'ERR_MULTIPROCESS_STALE_HANDLE' };
    await lock.acquire();
    const theirs = await other.Lock({ name });
    const waiting = assert.rejects(theirs.acquire(), stale);
    await theirs.locked(); // asked for behind it
    await lock.dispose();
    await waiting;
    await assert.rejects(lock.acquire(), stale);
    await assert.rejects(theirs.dispose(), stale);
    const dict = await one.dict([['a', 1]]);
    const list = await one.list([1]);
    const namespace = await one.Namespace({ a: 1 });
    for (const object of [dict, list, namespace]) await object.dispose();
    await assert.rejects(dict.get('a'), stale);
    await assert.rejects(dict.set('a', 1), stale);
    await assert.rejects(list.append(1), stale);
    await assert.rejects(namespace.get('a'), stale);
    const again = testName('a list');
    await one.list([], { name: again });
    await assert.rejects(one.Lock({ name: again }), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
    await assert.rejects(one.dict(null, { name: again }), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
    await assert.rejects(one.Lock({ name: 5 as never }), TypeError);
    await assert.rejects(one.Lock({ name: '' }), { code: 'ERR_MULTIPROCESS_VALUE' });
    await assert.rejects(one.Lock(5 as never), TypeError);
  });

  check('how they look', async (one) => {
    assert.equal(inspect(one), `RemoteManager { ${one.address} }`);
    const objects = await Promise.all([
      ...[one.dict(), one.list(), one.Namespace(), one.Lock(), one.RLock(), one.Event(), one.Condition()],
      ...[
        one.Semaphore(1),
        one.BoundedSemaphore(1),
        one.Barrier(1),
        one.Value('i'),
        one.Array('i', 1),
        one.Array('c', 1),
        one.Queue(),
        one.JoinableQueue(),
      ],
    ]);
    const shown = objects.map((object) => inspect(object).match(/^(\w+) \{/)?.[1]);
    const names = ['Dict', 'List', 'Namespace', 'Lock', 'RLock', 'Event', 'Condition', 'Semaphore', 'BoundedSemaphore'];
    names.push('Barrier', 'Value', 'Array', 'String', 'Queue', 'JoinableQueue');
    assert.deepEqual(
      shown,
      names.map((name) => `Remote${name}`),
    );
    const queue = await one.Queue<string>();
    await queue.put('a');
    assert.equal(inspect(await queue.get({ lease: true })), "RemoteLease { 'a' }");
  });

  synchronizeBehaviours(check);
  valueBehaviours(check);
  assert.deepEqual([...reasons.keys()], [], 'nothing is checked that is called so');
}
