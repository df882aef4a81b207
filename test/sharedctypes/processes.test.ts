// Values and arrays between processes and worker threads: what CPython's _TestValue, _TestArray and _TestSharedCTypes look
// at, the atomic operations, and the locks.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as mp from 'multiprocess';
import { Lock, open, Process, RawArray, RawValue, SharedArray, SharedMemory, Value } from 'multiprocess';
import * as targets from '../programs/value-targets.js';
import { hasCode } from '../support/errors.js';
import { eventually } from '../support/shm.js';

async function run(target: (...args: any[]) => unknown, ...args: unknown[]): Promise<unknown> {
  const child = new Process({ target, args });
  child.start();
  return await child.result();
}

describe('between processes', { timeout: 120_000 }, () => {
  const wanted: [mp.TypeCode, unknown, unknown][] = [
    ['i', 4343, 24234],
    ['d', 3.625, -4.25],
    ['h', -232, 234],
    ['q', 2n ** 33n, 2n ** 34n],
    ['c', Uint8Array.of(120), Uint8Array.of(121)],
    ['u', 'ä', '😀'],
    ['?', false, true],
  ];

  for (const lock of [true, false]) {
    test(`values, ${lock ? 'with a lock' : 'raw'}`, async () => {
      const values = wanted.map(([code, init]) => Value(code, init as never, { lock }) as { value: unknown });
      assert.deepEqual(
        values.map(({ value }) => value),
        wanted.map(([, init]) => init),
      );
      await run(
        targets.setAll,
        values,
        wanted.map(([, , after]) => after),
      );
      assert.deepEqual(
        values.map(({ value }) => value),
        wanted.map(([, , after]) => after),
      );
    });

    test(`an array, ${lock ? 'with a lock' : 'raw'}`, async () => {
      const items = [680, 626, 934, 821, 150, 233, 548, 982, 714, 831];
      const array = SharedArray('i', items, { lock });
      await run(targets.sumUp, array);
      let sum = 0;
      assert.deepEqual(
        [...array],
        items.map((item) => (sum += item)),
      );
    });

    test(`everything at once, ${lock ? 'with a lock' : 'raw'}`, async () => {
      const x = Value('i', 7, { lock });
      const y = Value(mp.c_double, 1 / 3, { lock });
      const z = Value(mp.c_longlong, 2n ** 33n, { lock });
      const point = Value(targets.Point, { x: 3, y: 2 }, { lock });
      const numbers = SharedArray('d', [0, 1, 2, 3], { lock });
      const text = SharedArray('c', 20, { lock });
      text.value = Buffer.from('hello');
      await run(targets.double, x, y, z, point, numbers, text);
      assert.deepEqual([x.value, y.value, z.value], [14, 2 / 3, 2n ** 34n]);
      assert.deepEqual(point.value, { x: 6, y: 4, big: 0n });
      assert.deepEqual([...numbers], [0, 2, 4, 6]);
      assert.equal(Buffer.from(text.value).toString(), 'hellohello');
    });
  }

  test('memory that is used again is zero', () => {
    for (const size of [10, 20, 100_000]) {
      for (let i = 0; i < 3; i++) {
        const array = SharedArray('i', size);
        assert.ok(array.slice().every((item) => item === 0));
        array.getObj().fill(7);
      }
    }
  });

  test('items, structures, characters, and a lock that was given', async () => {
    const booleans = RawArray('?', 2);
    const wide = SharedArray('u', 'ab');
    const points = SharedArray(targets.Point, 2);
    const lock = new Lock();
    const value = Value('i', 0, { lock });
    lock.acquireSync();
    assert.equal(await run(targets.changeItems, booleans, wide, points, value, lock), 'true false');
    lock.release();
    assert.deepEqual([...booleans], [false, true]);
    assert.equal([...wide].join(''), '😀b');
    assert.deepEqual([points.get(0).x, points.get(1).y, value.value], [2.5, 7, 3]);
  });

  for (const code of ['i', 'h', 'q', 'f', 'd', 'B', 'Q'] as const) {
    test(`atomic operations on '${code}' are exact`, async () => {
      const times = code === 'B' ? 40 : 5000;
      const value = Value(code, 0);
      const array = SharedArray(code, 3);
      const children = [targets.addMany, targets.addMany, targets.countOtherwise].map((target) => {
        const child = new Process({ target: target as (...args: unknown[]) => void, args: [value, array, times] });
        child.start();
        return child;
      });
      for (const child of children) await child.result();
      assert.equal(Number(value.value), 3 * times);
      assert.deepEqual(array.slice().map(Number), [0, 3 * times, 0]);
    });
  }

  test('the lock excludes, blocking and not', async () => {
    for (const lock of [true as const, new Lock()]) {
      const value = Value('i', 0, { lock });
      const children = [1, 2].map(() => new Process({ target: targets.addLocked, args: [value, 2000] }));
      for (const child of children) child.start();
      await targets.addLocked(value, 2000);
      for (const child of children) await child.result();
      assert.equal(value.value, 6000);
    }
  });

  test('two pieces of work in one thread exclude each other, and the inside of run may go in again', async () => {
    const value = Value('i', 0);
    const work = () =>
      value.run(async () => {
        const before = value.value;
        await value.run(async () => new Promise((resolve) => setImmediate(resolve)));
        value.runSync(() => {
          value.value = before + 1;
        });
      });
    await Promise.all([work(), work(), work()]);
    assert.equal(value.value, 3);
  });

  test('a holder that is killed does not keep the lock', async () => {
    const value = Value('i', 0);
    const flags = RawArray('i', 1);
    const child = new Process({ target: targets.holdForever, args: [value, flags] });
    child.start();
    await eventually('it holds', () => Atomics.load(flags, 0) === 1);
    assert.equal(value.tryAcquire(), false);
    child.kill();
    assert.equal(await value.acquire({ timeout: 5000 }), true);
    assert.equal(value.getLock().ownerDied, true);
    assert.equal(value.value, 1);
    value.release();
    await child.join();
  });

  test('what another process holds survives its maker', async () => {
    using told = SharedMemory.create(4096);
    const flags = RawArray('i', 2);
    const child = new Process({ target: targets.makeAndTell, args: [told, flags] });
    child.start();
    await eventually('it has told', () => Atomics.load(flags, 0) > 0);
    const text = Buffer.from(told.buf.subarray(0, Atomics.load(flags, 0))).toString();
    const handles = JSON.parse(text) as [string, string, string];
    const value = open(handles[0], Value) as mp.Synchronized<'i'>;
    const array = open(handles[1], SharedArray) as mp.SynchronizedArray<'d'>;
    Atomics.store(flags, 1, 1);
    await child.result();
    assert.equal(
      value.runSync(() => value.add(1)),
      41,
    );
    assert.equal(value.value, 42);
    assert.deepEqual([...array], [1, 2, 3]);
    assert.equal(open(handles[0]), value);
    assert.equal(open(handles[1]), array);
  });
});

test('between threads', { timeout: 30_000 }, async () => {
  const value = Value('i', 0);
  const array = SharedArray('d', 2);
  const point = RawValue(targets.Point);
  const workers = [1, 2].map(
    () =>
      new Worker(
        `const { workerData } = require('node:worker_threads');
         import('multiprocess').then(({ fromMessage }) => {
           const { value, array, point } = fromMessage(workerData);
           for (let i = 0; i < 2000; i++) {
             value.runSync(() => { value.value += 1; });
             array.add(1, 0.5);
           }
           point.value.y = value.getObj() !== undefined ? 5 : 0;
         });`,
        { eval: true, workerData: mp.toMessage({ value, array, point }) },
      ),
  );
  const ended = workers.map(
    (worker) => new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject)),
  );
  assert.deepEqual(await Promise.all(ended), [0, 0]);
  assert.equal(value.value, 4000);
  assert.deepEqual([...array], [0, 2000]);
  assert.equal(point.value.y, 5);
});

test('dispose ends it for all, its own lock too; views go on', async () => {
  for (const make of [() => Value('i', 5), () => SharedArray('i', [5]), () => Value(targets.Point, { y: 5 })]) {
    const shared = make();
    const lock = shared.getLock();
    const raw = shared.getObj();
    const handles = [mp.handleOf(shared), mp.handleOf(lock), mp.handleOf(raw)];
    shared.dispose();
    for (const handle of handles) assert.throws(() => open(handle), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
    assert.throws(() => shared.acquireSync(), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
    await assert.rejects(shared.acquire(), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
    assert.throws(() => shared.dispose(), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
    if (raw instanceof Int32Array) assert.equal(raw[0], 5);
    else assert.match(inspect(raw.value), /5/);
  }
  const never = Value('i');
  never.dispose();
  assert.throws(() => never.tryAcquire(), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
  // One that was given stays.
  const lock = new Lock();
  const value = Value('i', 5, { lock });
  const { handle } = value;
  value.dispose();
  assert.throws(() => open(handle), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
  assert.equal(lock.tryAcquire(), true);
  lock.release();
  // And what stands on a lock that is gone cannot be opened.
  const other = Value('i', 5, { lock });
  const text = other.handle;
  lock.dispose();
  assert.throws(() => open(text), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
});
