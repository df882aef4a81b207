// What the values and arrays of every manager on another machine do alike.
import assert from 'node:assert/strict';
import { Struct, type TypeCode } from 'multiprocess';
import type { Check } from './remote-behaviours.js';
import { testName } from './shm.js';

const least = -(2n ** 63n);
const most = 2n ** 63n - 1n;

/** Of each type of numbers: what it can just hold. */
const ranges: [TypeCode, number | bigint, number | bigint][] = [
  ['b', -128, 127],
  ['B', 0, 255],
  ['h', -32768, 32767],
  ['H', 0, 65535],
  ['i', -(2 ** 31), 2 ** 31 - 1],
  ['I', 0, 2 ** 32 - 1],
  ['l', least, most],
  ['L', 0n, 2n ** 64n - 1n],
  ['q', least, most],
  ['Q', 0n, 2n ** 64n - 1n],
];

export function valueBehaviours(check: Check): void {
  check('values: of each type of numbers, up to what it holds', async (one) => {
    for (const [code, low, high] of ranges) {
      const value = await one.Value<any>(code, high);
      const step = typeof low === 'bigint' ? 1n : 1;
      assert.equal(await value.get(), high, code);
      await assert.rejects(value.add(step), RangeError, code);
      assert.equal(await value.get(), high, 'nothing has changed');
      assert.equal(await value.add(-step as never), high);
      assert.equal(await value.exchange(low), (high as number) - (step as number));
      await assert.rejects(value.add(-step as never), RangeError, code);
      await assert.rejects(value.set(((high as number) + (step as number)) as never), RangeError, code);
      await assert.rejects(value.set(((low as number) - (step as number)) as never), RangeError, code);
      await assert.rejects(value.set('1'), TypeError);
      await assert.rejects(value.add('1'), TypeError);
      await assert.rejects(value.add(0.5), RangeError);
      assert.equal(await value.compareExchange(low, high), low);
      assert.deepEqual([await value.compareExchange(low, 1), await value.get()], [high, high]);
      // From one end to the other at once.
      assert.equal(await value.add(((low as number) - (high as number)) as never), high);
      assert.equal(await value.get(), low);
      await assert.rejects(one.Value<any>(code, 'x'), TypeError);
    }
    const big = await one.Value('q', 2n ** 53n + 1n);
    assert.deepEqual([await big.add(2n ** 40n), await big.get()], [2n ** 53n + 1n, 2n ** 53n + 2n ** 40n + 1n]);
    for (const by of [2n ** 64n, -(2n ** 64n), 2n ** 80n]) await assert.rejects(big.add(by), RangeError);
    await big.set(-1n);
    assert.deepEqual([await big.add(-1n), await big.add(2n ** 32n), await big.get()], [-1n, -2n, 2n ** 32n - 2n]);
  });

  check('values: floats, booleans, characters', async (one) => {
    const double = await one.Value('d', 0.1);
    assert.deepEqual([await double.add(0.2), await double.get()], [0.1, 0.1 + 0.2]);
    await double.set(1.7e308);
    await assert.rejects(double.add(1.7e308), RangeError);
    await double.set(-0);
    assert.ok(Object.is(await double.get(), -0));
    assert.equal(await double.compareExchange(0, 5), -0, 'one value in two forms');
    assert.equal(await double.get(), 5);
    await double.set(Number.NaN);
    assert.ok(Number.isNaN(await double.compareExchange(Number.NaN, 7)));
    assert.equal(await double.get(), 7);
    assert.equal(await double.add(Number.POSITIVE_INFINITY), 7);
    assert.equal(await double.get(), Number.POSITIVE_INFINITY);
    const float = await one.Value('f', 0.1);
    assert.equal(await float.add(0.2), Math.fround(0.1));
    assert.equal(await float.get(), Math.fround(Math.fround(0.1) + 0.2));
    await assert.rejects(float.set(3.5e38), RangeError);
    await float.set(3e38);
    await assert.rejects(float.add(3e38), RangeError);
    assert.equal(await float.get(), Math.fround(3e38));
    const flag = await one.Value('?');
    assert.deepEqual([await flag.get(), await flag.exchange(true), await flag.get()], [false, false, true]);
    await assert.rejects(flag.set(1 as never), TypeError);
    await assert.rejects(flag.add(true), TypeError);
    const letter = await one.Value('u', 'ж');
    await letter.set('\u{10000}');
    assert.equal(await letter.compareExchange('\u{10000}', 'a'), '\u{10000}');
    await assert.rejects(letter.set('ab'), RangeError);
    const byte = await one.Value('c', 65);
    assert.deepEqual(await byte.exchange(new Uint8Array([66])), new Uint8Array([65]));
    await assert.rejects(byte.set(256), RangeError);
    assert.equal(await (await one.Value('i')).get(), 0);
    await assert.rejects(one.Value('z' as never), TypeError);
  });

  check('values: nothing is lost of what many add, and update', async (one, other) => {
    for (const code of ['i', 'q', 'd'] as const) {
      const name = testName('together');
      const value = await one.Value<any>(code, undefined, { name });
      const theirs = await other.Value<any>(code, undefined, { name });
      const by = code === 'q' ? 1n : 1;
      const adding = [value, theirs].flatMap((each) => Array.from({ length: 25 }, () => each.add(by)));
      const updating = [value, theirs].flatMap((each) =>
        Array.from({ length: 5 }, () => each.update((old: any) => old + by)),
      );
      const before = await Promise.all(adding);
      await Promise.all(updating);
      assert.equal(Number(await value.get()), 60, code);
      assert.equal(new Set(before).size, 50, 'each found another value');
    }
    const value = await one.Value('i', 3);
    assert.equal(await value.update((old) => old * 7), 21);
    await assert.rejects(value.update(5 as never), TypeError);
    await assert.rejects(
      value.update(() => 2 ** 31),
      RangeError,
    );
    assert.equal(await value.get(), 21);
  });

  check('values: structures', async (one, other) => {
    const Point = Struct({ tag: 'c', x: 'd', inner: Struct({ id: 'i', big: 'Q' }), on: '?' });
    const name = testName('point');
    const point = await one.Value(Point, { x: 1.5, inner: { id: -7 } }, { name });
    const theirs = await other.Value(Point, undefined, { name });
    const expected = { tag: new Uint8Array([0]), x: 1.5, inner: { id: -7, big: 0n }, on: false };
    assert.deepEqual(await theirs.get(), expected);
    await Promise.all([point.set({ on: true }), theirs.set({ inner: { big: 5n } })]);
    assert.deepEqual(await point.get(), { ...expected, inner: { id: -7, big: 5n }, on: true });
    await point.set({});
    await assert.rejects(point.set({ nothing: 1 } as never), TypeError);
    await assert.rejects(point.set({ inner: { id: 2 ** 40 }, x: 2 }), RangeError);
    assert.equal((await point.get()).x, 1.5, 'all are checked before the first is written');
    await assert.rejects(point.add({} as never), TypeError);
    await assert.rejects(point.exchange({}), TypeError);
    await assert.rejects(point.compareExchange({}, {}), TypeError);
    await assert.rejects(
      point.update((old) => old),
      TypeError,
    );
  });

  check('values: with a lock, of one type', async (one, other) => {
    const name = testName('locked');
    const value = await one.Value('i', 5, { name });
    const theirs = await other.Value('i', 6, { name });
    assert.equal(await theirs.get(), 5);
    await value.acquire();
    assert.deepEqual([await theirs.tryAcquire(), await theirs.acquire({ timeout: 5 })], [false, false]);
    await assert.rejects(theirs.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
    await theirs.set(7); // it guards it only as far as one uses it
    assert.equal(await value.get(), 7);
    const waiting = theirs.run(async () => (await theirs.getLock()).token);
    await value.release();
    assert.equal(typeof (await waiting), 'bigint');
    assert.equal(
      await value.run(() => value.run(async () => (await value.getLock()).locked())),
      true,
      'it is an RLock',
    );
    assert.equal(await (await value.getLock()).locked(), false);
    const items = testName('locked items');
    const array = await one.Array('i', 1, { name: items });
    const theirItems = await other.Array('i', 1, { name: items });
    assert.equal(await array.run(async () => theirItems.tryAcquire()), false);
    const conflict = { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' };
    await assert.rejects(one.Value('d', 0, { name }), conflict);
    await assert.rejects(one.Array('i', 1, { name }), conflict);
    await assert.rejects(one.Lock({ name }), conflict);
    const dict = await one.dict<string, any>({ value });
    assert.equal(await dict.get('value'), value);
    await value.dispose();
    await assert.rejects(theirs.dispose(), { code: 'ERR_MULTIPROCESS_STALE_HANDLE' });
  });

  check('arrays', async (one, other) => {
    const name = testName('array');
    const array = await one.Array('i', [1, 2, 3], { name });
    const theirs = await other.Array('i', 9, { name });
    assert.deepEqual([await theirs.length(), await theirs.get(2), await theirs.at(-1)], [3, 3, 3]);
    assert.deepEqual([await theirs.at(5), await theirs.at(-4), await theirs.at(Number.NaN)], [undefined, undefined, 1]);
    await array.set(0, 10);
    await array.setSlice(1, new Set([20, 30]));
    assert.deepEqual(await theirs.slice(), [10, 20, 30]);
    const ends = [undefined, 0, 1, 3, 9, -1, -3, -9, Number.NaN, Number.POSITIVE_INFINITY];
    for (const start of ends) {
      for (const end of ends) {
        assert.deepEqual(await array.slice(start, end), [10, 20, 30].slice(start, end), `slice ${start} ${end}`);
      }
    }
    const found: number[] = [];
    for await (const item of theirs) found.push(item);
    assert.deepEqual(found, [10, 20, 30]);
    assert.deepEqual(
      [await array.add(1, -5), await array.exchange(0, 5), await array.compareExchange(2, 30, 6), await array.slice()],
      [20, 10, 30, [5, 15, 6]],
    );
    await assert.rejects(array.get(3), { name: 'RangeError', message: /no item 3: .* 0 to 2/ });
    await assert.rejects(array.get(-1), RangeError);
    await assert.rejects(array.get(0.5), TypeError);
    await assert.rejects(array.get('0' as never), TypeError);
    await assert.rejects(array.set(3, 1), RangeError);
    await assert.rejects(array.set(0, 2 ** 31), RangeError);
    await assert.rejects(array.set(0, 'x' as never), TypeError);
    await assert.rejects(array.add(0, 2 ** 31), RangeError);
    await assert.rejects(array.setSlice(2, [1, 2]), RangeError);
    await assert.rejects(array.setSlice(4, []), RangeError);
    await assert.rejects(array.setSlice(0, [1, 'x' as never]), TypeError);
    await assert.rejects(array.slice('x' as never), TypeError);
    assert.deepEqual(await theirs.slice(), [5, 15, 6], 'nothing has changed');
    await array.setSlice(3, []);
    await assert.rejects(one.Array('d', 3, { name }), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
    await assert.rejects(one.Array('i', -1), RangeError);
    await assert.rejects(one.Array('i', 0.5), TypeError);
    await assert.rejects(one.Array('i', [2 ** 40]), RangeError);
    await assert.rejects(one.Array('z' as never, 1), TypeError);
    const both = [array, theirs].flatMap((each) => Array.from({ length: 20 }, () => each.add(0, 1)));
    await Promise.all(both);
    assert.equal(await array.get(0), 45);
  });

  check('arrays: empty, large, of each type, of structures', async (one) => {
    const empty = await one.Array('d', 0);
    assert.deepEqual([await empty.length(), await empty.slice(), await empty.at(0)], [0, [], undefined]);
    await assert.rejects(empty.get(0), RangeError);
    const none = await one.Array('d', []);
    assert.equal(await none.length(), 0);
    const large = await one.Array('d', 100_000);
    await large.set(99_999, 1.5);
    assert.deepEqual([await large.slice(99_998), await large.get(0)], [[0, 1.5], 0]);
    for (const [code, low, high] of ranges) {
      const array = await one.Array<any>(code, [low, high, low]);
      assert.deepEqual(await array.slice(), [low, high, low], code);
    }
    assert.deepEqual(await (await one.Array('?', [true, false])).slice(), [true, false]);
    assert.deepEqual(await (await one.Array('u', 'aж\u{10000}')).slice(), ['a', 'ж', '\u{10000}']);
    const Pair = Struct({ a: 'b', b: 'i' });
    const pairs = await one.Array(Pair, [{ a: 1 }, { a: 2, b: 3 }, {}]);
    await pairs.setSlice(1, [{ b: 5 }, { a: -1 }]);
    assert.deepEqual(await pairs.slice(), [
      { a: 1, b: 0 },
      { a: 2, b: 5 },
      { a: -1, b: 0 },
    ]);
    await assert.rejects(pairs.add(0, {} as never), TypeError);
  });

  check('arrays: of bytes', async (one, other) => {
    const name = testName('text');
    const text = await one.Array('c', 4, { name });
    const theirs = await other.Array('c', 1, { name });
    await text.setValue(Buffer.from('ab'));
    assert.deepEqual(
      [await theirs.getValue(), await theirs.getRaw()],
      [new Uint8Array([97, 98]), new Uint8Array([97, 98, 0, 0])],
    );
    await text.setRaw(Buffer.from('wxyz'));
    assert.deepEqual(await theirs.getValue(), new Uint8Array(Buffer.from('wxyz')));
    await text.setValue(Buffer.from('-'));
    assert.deepEqual(await theirs.getRaw(), new Uint8Array([45, 0, 121, 122]));
    await text.setRaw(Buffer.from('AB'));
    assert.deepEqual(await theirs.getRaw(), new Uint8Array([65, 66, 121, 122]));
    assert.deepEqual(await text.get(0), new Uint8Array([65]));
    await text.set(1, 255);
    await assert.rejects(text.setValue(new Uint8Array(5)), RangeError);
    await assert.rejects(text.setRaw('x' as never), TypeError);
    await assert.rejects(text.set(0, 256), RangeError);
  });
}
