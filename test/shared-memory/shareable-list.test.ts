import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  ClosedError,
  handleOf,
  open,
  Process,
  type ShareableItem,
  ShareableList,
  SharedMemory,
  StaleHandleError,
  ValueError,
} from 'multiprocess';
import { addToList } from '../programs/targets.js';
import { shmEntries, testName } from '../support/shm.js';

const bytes = (...values: number[]) => new Uint8Array(values);
const text = (value: string) => new Uint8Array(Buffer.from(value));

describe('layout', () => {
  // Dumped from CPython 3.13: ['howdy', b'HoWdY', -273.154, 100, None, True, 42, '', 'héllo', b'12345678']
  const items = ['howdy', text('HoWdY'), -273.154, 100, null, true, 42, '', 'héllo', text('12345678')];

  test('is byte for byte what CPython writes', () => {
    using list = new ShareableList(items);
    assert.equal(list.shm.size, 274);
    assert.equal(list.format, '8s8sdqxxxxxx?xxxxxxxx?q8s8s16s');
    const file = readFileSync(`/dev/shm/${list.shm.name}`);
    assert.equal(file.readBigInt64LE(0), 10n);
    assert.deepEqual(
      Array.from({ length: 11 }, (_, i) => Number(file.readBigInt64LE(8 + 8 * i))),
      [0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 88],
    );
    const data = 8 * 12;
    assert.equal(file.toString('hex', data + 16, data + 24), '58 39 b4 c8 76 12 71 c0'.replaceAll(' ', ''));
    assert.equal(file.toString('hex', data + 40, data + 48), '0000000000000001');
    assert.equal(file.toString('hex', data + 88 + 80), '01020000030000010102');
    assert.deepEqual(list.copy(), items);
  });

  test('an empty list is 16 zero bytes', () => {
    using list = new ShareableList();
    assert.deepEqual(readFileSync(`/dev/shm/${list.shm.name}`), Buffer.alloc(16));
    assert.equal(list.length, 0);
    assert.equal(list.format, '');
    assert.deepEqual(list.copy(), []);
    using same = new ShareableList(null, { name: list.shm.name });
    assert.equal(same.length, 0);
  });
});

describe('items', () => {
  test('get, set, at, with negative indexes', () => {
    using list = new ShareableList<ShareableItem>([1, 'two', 3.5]);
    assert.equal(list.get(0), 1);
    assert.equal(list.get(-1), 3.5);
    assert.equal(list.at(-3), 1);
    assert.equal(list.at(3), undefined);
    assert.equal(list.at(-4), undefined);
    list.set(-2, 'zwei');
    assert.deepEqual(list.toArray(), [1, 'zwei', 3.5]);
  });

  test('can change their type, and back up to the room that the first value had', () => {
    using list = new ShareableList<ShareableItem>(['a string of 20 bytes', 0]);
    for (const value of [7, 1.5, true, false, null, text('bytes'), 'x'.repeat(24), -1, 'string']) {
      list.set(0, value);
      assert.deepEqual(list.get(0), value);
      list.set(1, typeof value === 'string' || value instanceof Uint8Array ? 'short' : value);
    }
    assert.throws(() => list.set(0, 'x'.repeat(25)), ValueError);
    assert.equal(list.get(0), 'string');
  });

  test('a string one byte too long is refused and changes nothing; UTF-8 bytes count', () => {
    using list = new ShareableList<ShareableItem>(['1234567', 'ééé', 5]);
    list.set(0, '12345678');
    assert.equal(list.get(0), '12345678');
    assert.throws(() => list.set(0, '123456789'), ValueError);
    assert.throws(() => list.set(0, 'ééééé'), ValueError);
    assert.equal(list.get(0), '12345678');
    list.set(1, 'éééé');
    assert.equal(list.get(1), 'éééé');
    list.set(2, '12345678');
    assert.throws(() => list.set(2, '123456789'), ValueError);
  });

  test('trailing NULs and multi-byte strings come back whole', () => {
    const values = [
      bytes(0),
      bytes(0, 0, 0, 0, 0, 0, 0, 0),
      text('abc\0\0'),
      'nul\0',
      '€'.repeat(9),
      '😀'.repeat(7),
      '\0\0',
      bytes(),
      '',
    ];
    using list = new ShareableList<ShareableItem>(values);
    assert.deepEqual(list.copy(), values);
    list.set(2, text('abcd\0'));
    assert.deepEqual(list.get(2), text('abcd\0'));
    list.set(2, text('abcdefgh'));
    assert.deepEqual(list.get(2), text('abcdefgh'));
    assert.throws(() => list.set(2, text('abcdefg\0')), ValueError, 'needs one byte to tell NUL from padding');
    assert.deepEqual(list.get(2), text('abcdefgh'));
  });

  test('integers: safe ones are int64, others double; bigints are int64', () => {
    const values = [
      0,
      -1,
      2 ** 53 - 1,
      -(2 ** 53 - 1),
      2 ** 53,
      1e300,
      -0,
      Number.NaN,
      Infinity,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ];
    using list = new ShareableList<ShareableItem>(values);
    assert.equal(list.format, 'qqqqdddddqq');
    for (const [i, value] of list.copy().entries()) assert.ok(Object.is(value, values[i]), `${value} ${values[i]}`);
    using small = new ShareableList<ShareableItem>([5n]);
    assert.equal(small.get(0), 5);
    using asBigint = new ShareableList<ShareableItem>(null, { name: list.shm.name, int64: 'bigint' });
    assert.equal(asBigint.get(1), -1n);
    assert.equal(asBigint.get(4), 2 ** 53);
    using asNumber = new ShareableList<ShareableItem>(null, { name: list.shm.name, int64: 'number' });
    assert.equal(asNumber.get(9), 2 ** 63);
  });

  test('any mixture comes back as it went in', () => {
    const item = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
      fc.boolean(),
      fc.constant(null),
      fc.string({ unit: 'grapheme' }),
      fc.string(),
      fc.uint8Array({ maxLength: 40 }),
    );
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 20 }),
        fc.array(fc.tuple(fc.nat(), item), { maxLength: 20 }),
        (start, changes) => {
          using list = new ShareableList<ShareableItem>(start);
          const model = [...start];
          for (const [at, value] of changes) {
            if (model.length === 0) break;
            const index = at % model.length;
            try {
              list.set(index, value);
              model[index] = value;
            } catch (error) {
              assert.ok(error instanceof ValueError);
            }
          }
          assert.deepEqual(
            list.copy(),
            model.map((v) => (v instanceof Uint8Array ? new Uint8Array(v) : v)),
          );
          using same = new ShareableList<ShareableItem>(null, { name: list.shm.name });
          assert.deepEqual([...same], list.copy());
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('bad input', () => {
  test('indexes out of range, −(N+1) above all, change nothing', () => {
    using list = new ShareableList<ShareableItem>([1, 2, 3]);
    const before = readFileSync(`/dev/shm/${list.shm.name}`);
    for (const index of [3, -4, 1.5, Number.NaN, Infinity, -Infinity, 2 ** 40]) {
      assert.throws(() => list.get(index), RangeError, `${index}`);
      assert.throws(() => list.set(index, 9), RangeError, `${index}`);
    }
    for (const index of ['0', null, undefined, 1n]) assert.throws(() => list.get(index as never), TypeError);
    assert.deepEqual(readFileSync(`/dev/shm/${list.shm.name}`), before);
  });

  test('int64 overflow and wrong types are refused before anything is written', () => {
    using list = new ShareableList<ShareableItem>([1, 'two']);
    const before = readFileSync(`/dev/shm/${list.shm.name}`);
    assert.throws(() => list.set(0, 2n ** 63n), RangeError);
    assert.throws(() => list.set(0, -(2n ** 63n) - 1n), RangeError);
    for (const value of [
      undefined,
      {},
      [],
      Symbol('x'),
      () => {},
      new Float64Array(1),
      new ArrayBuffer(8),
      new Date(),
    ]) {
      assert.throws(() => list.set(0, value as never), TypeError);
    }
    assert.throws(() => list.set(1, 'half \ud800'), ValueError);
    assert.deepEqual(readFileSync(`/dev/shm/${list.shm.name}`), before);
  });

  test('a constructor that fails leaves nothing', () => {
    const before = shmEntries();
    const name = testName('failed');
    assert.throws(() => new ShareableList([1, undefined as never], { name }), TypeError);
    assert.throws(() => new ShareableList([2n ** 64n], { name }), RangeError);
    assert.throws(() => new ShareableList(['x'.repeat(9_999_992)], { name }), RangeError);
    assert.throws(() => new ShareableList(5 as never, { name }), TypeError);
    assert.throws(() => new ShareableList({} as never, { name }), TypeError);
    assert.throws(() => new ShareableList([1], { name, int64: 'float' as never }), TypeError);
    assert.throws(
      () =>
        new ShareableList(
          (function* () {
            yield 1;
            throw new Error('half-way');
          })(),
          { name },
        ),
      /half-way/,
    );
    assert.deepEqual(
      [...shmEntries()].filter((entry) => !before.has(entry) && entry === name),
      [],
    );
  });
});

describe('as a collection', () => {
  test('is made of any iterable, once', () => {
    using fromGenerator = new ShareableList(
      (function* () {
        yield* [1, 2];
      })(),
    );
    assert.deepEqual(fromGenerator.copy(), [1, 2]);
    using fromString = new ShareableList('abc');
    assert.deepEqual(fromString.copy(), ['a', 'b', 'c']);
    using fromSet = new ShareableList(new Set(['x', 1]));
    assert.deepEqual(fromSet.copy(), ['x', 1]);
    using original = new ShareableList<ShareableItem>([1, 'b', null]);
    using copied = new ShareableList<ShareableItem>(original);
    copied.set(0, 99);
    assert.deepEqual([original.get(0), copied.copy()], [1, [99, 'b', null]]);
    assert.equal(copied.format, original.format);
  });

  test('counts and finds by value', () => {
    using list = new ShareableList<ShareableItem>([1, 'a', true, 1, null, text('x'), Number.NaN, 2n ** 60n]);
    assert.equal(list.count(1), 2);
    assert.equal(list.count(1n), 2);
    assert.equal(list.count(true), 1);
    assert.equal(list.count('z'), 0);
    assert.equal(list.count(Number.NaN), 0);
    assert.equal(list.index('a'), 1);
    assert.equal(list.indexOf(null), 4);
    assert.equal(list.index(text('x')), 5);
    assert.equal(list.indexOf(2n ** 60n), 7);
    assert.equal(list.indexOf('z'), -1);
    assert.throws(() => list.index('z'), ValueError);
    assert.equal([...list].length, 8);
  });

  test('a name makes a list with it, or opens one', () => {
    const name = testName('named');
    using list = new ShareableList([1, 2], { name });
    assert.equal(list.shm.name, name);
    using same = new ShareableList<number>(undefined, { name });
    same.set(0, 5);
    assert.equal(list.get(0), 5);
    assert.equal(inspect(list), `ShareableList([ 5, 2 ], name='${name}')`);
  });

  test('close, use after close, unlink, using', () => {
    const list = new ShareableList([1]);
    const { shm } = list;
    list.close();
    list.close();
    for (const use of [
      () => list.get(0),
      () => list.set(0, 1),
      () => list.length,
      () => [...list],
      () => list.format,
      () => list.at(0),
    ]) {
      assert.throws(use, ClosedError);
    }
    assert.match(inspect(list), /closed/);
    using again = new ShareableList<number>(null, { name: shm.name });
    again.shm.close();
    assert.throws(() => again.get(0), ClosedError, 'closing its block closes the list');
    list.unlink();
    assert.equal(shmEntries().has(shm.name), false);
    let name: string;
    {
      using scoped = new ShareableList([1]);
      name = scoped.shm.name;
    }
    assert.equal(shmEntries().has(name), false);
  });

  test('handles are short, whatever the list holds, and go stale', () => {
    const short = new ShareableList([1]);
    const long = new ShareableList(Array.from({ length: 1000 }, (_, i) => i));
    assert.ok(Math.abs(handleOf(short).length - handleOf(long).length) < 4);
    using same = open(handleOf(long));
    assert.equal(same.get(999), 999);
    assert.throws(() => open(handleOf(long), SharedMemory), TypeError);
    const handle = handleOf(short);
    short.unlink();
    assert.throws(() => open(handle), StaleHandleError);
    short.close();
    long.unlink();
    long.close();
  });

  test('travels to a process as the same list', async () => {
    using list = new ShareableList([1, 2, 3]);
    for (const by of [10, 20]) {
      const child = new Process({ target: addToList, args: [list, by] });
      child.start();
      await child.result();
    }
    assert.deepEqual(list.copy(), [31, 32, 33]);
  });
});
