// What the types are, of values and arrays in one process: reading, writing, and every bad input.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import * as mp from 'multiprocess';
import { Lock, RawArray, RawValue, RLock, SharedArray, Struct, type TypeCode, Value } from 'multiprocess';

interface Sample {
  readonly zero: unknown;
  /** What may be written, and what is read then. */
  readonly good: readonly (readonly [write: unknown, read: unknown])[];
  readonly wrongType: readonly unknown[];
  readonly outOfRange: readonly unknown[];
}

function integers(least: number, most: number): Sample {
  return {
    zero: 0,
    good: [least, most, 1, -0].map((item) => [item, item === 0 ? 0 : item]),
    wrongType: ['1', 1n, null, true, {}, [1]],
    outOfRange: [least - 1, most + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY],
  };
}

function bigIntegers(least: bigint, most: bigint): Sample {
  return {
    zero: 0n,
    good: [
      [least, least],
      [most, most],
      [7, 7n],
      [Number.MAX_SAFE_INTEGER, BigInt(Number.MAX_SAFE_INTEGER)],
    ],
    wrongType: ['1', null, true, {}],
    outOfRange: [least - 1n, most + 1n, 2 ** 53, 0.5, Number.NaN],
  };
}

/** Values and arrays of no type that the compiler knows. */
interface Loose {
  value: unknown;
  add(n: unknown): unknown;
  exchange(value: unknown): unknown;
  compareExchange(expected: unknown, value: unknown): unknown;
  update(fn: (old: unknown) => unknown): unknown;
}
interface LooseArray extends Iterable<unknown> {
  get(index: number): unknown;
  add(index: number, n: unknown): unknown;
  exchange(index: number, value: unknown): unknown;
  compareExchange(index: number, expected: unknown, value: unknown): unknown;
}

const floats = { zero: 0, wrongType: ['1', 1n, null, true, {}] };
const samples: Record<TypeCode, Sample> = {
  b: integers(-0x80, 0x7f),
  B: integers(0, 0xff),
  h: integers(-0x8000, 0x7fff),
  H: integers(0, 0xffff),
  i: integers(-0x8000_0000, 0x7fff_ffff),
  I: integers(0, 0xffff_ffff),
  l: bigIntegers(-(1n << 63n), (1n << 63n) - 1n),
  q: bigIntegers(-(1n << 63n), (1n << 63n) - 1n),
  L: bigIntegers(0n, (1n << 64n) - 1n),
  Q: bigIntegers(0n, (1n << 64n) - 1n),
  f: {
    ...floats,
    good: [
      [0.1, Math.fround(0.1)],
      [-0, -0],
      [Number.NaN, Number.NaN],
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ],
    outOfRange: [1e39, -1e39],
  },
  d: {
    ...floats,
    good: [0.1, -0, Number.NaN, Number.MAX_VALUE, Number.POSITIVE_INFINITY].map((item) => [item, item]),
    outOfRange: [],
  },
  c: {
    zero: Uint8Array.of(0),
    good: [
      [255, Uint8Array.of(255)],
      [Buffer.from('x'), Uint8Array.of(120)],
    ],
    wrongType: ['x', null, [1], 1n],
    outOfRange: [-1, 256, 1.5, new Uint8Array(2), new Uint8Array(0)],
  },
  u: {
    zero: '\0',
    good: ['a', 'é', '😀', '\ud800'].map((item) => [item, item]),
    wrongType: [1, null, ['a']],
    outOfRange: ['', 'ab', 'e\u0301'],
  },
  '?': {
    zero: false,
    good: [
      [true, true],
      [false, false],
    ],
    wrongType: [1, 0, 'true', null],
    outOfRange: [],
  },
};

for (const [code, { zero, good, wrongType, outOfRange }] of Object.entries(samples) as [TypeCode, Sample][]) {
  describe(`type '${code}'`, () => {
    // Of no type that the compiler knows.
    const makers = [Value, RawValue] as unknown as ((code: unknown, init?: unknown) => { value: unknown })[];
    const arrayMakers = [SharedArray, RawArray] as unknown as ((code: unknown, items: unknown) => object)[];
    const bad = [
      ...wrongType.map((item) => [item, TypeError] as const),
      ...outOfRange.map((item) => [item, RangeError] as const),
    ];

    test('Value and RawValue', () => {
      for (const make of makers) {
        assert.deepEqual(make(code).value, zero);
        const value = make(code, good[0]![0]);
        assert.deepEqual(value.value, good[0]![1]);
        for (const [write, read] of good) {
          value.value = write;
          assert.deepEqual(value.value, read);
        }
        value.value = good[0]![0];
        for (const [item, kind] of bad) {
          assert.throws(() => make(code, item), kind, inspect(item));
          assert.throws(() => (value.value = item), kind, inspect(item));
          assert.deepEqual(value.value, good[0]![1]);
        }
      }
    });

    test('SharedArray and RawArray', () => {
      const items = good.map(([write]) => write);
      const shared = SharedArray(code, items as never);
      assert.deepEqual(
        [...shared],
        good.map(([, read]) => read),
      );
      assert.equal(RawArray(code, items as never).length, items.length);
      assert.deepEqual([...SharedArray(code, 2)], [zero, zero]);
      for (const [item, kind] of bad) {
        for (const make of arrayMakers) assert.throws(() => make(code, [items[0], item]), kind, inspect(item));
        assert.throws(() => shared.set(0, item as never), kind, inspect(item));
        assert.throws(() => shared.setSlice(0, [items[1], item] as never), kind, inspect(item));
      }
      assert.deepEqual(shared.get(0), good[0]![1]);
      assert.equal(SharedArray(code, []).length, 0);
      assert.deepEqual(SharedArray(code, 0).slice(), []);
    });

    test('atomic operations', () => {
      const [first, second] = [good[0]![0], good.at(-1)![0]] as never[];
      const [firstRead, secondRead] = [good[0]![1], good.at(-1)![1]];
      const value = Value(code, first) as unknown as Loose;
      const array = SharedArray(code, [second, first] as never) as unknown as LooseArray;
      assert.deepEqual(value.exchange(second), firstRead);
      assert.deepEqual(value.compareExchange(second, first), secondRead);
      assert.deepEqual(value.value, firstRead);
      assert.deepEqual(
        value.update(() => second),
        secondRead,
      );
      assert.deepEqual(array.exchange(1, second), firstRead);
      assert.deepEqual(array.compareExchange(1, second, first), secondRead);
      assert.deepEqual([...array], [secondRead, firstRead]);
      for (const [item, kind] of bad) {
        assert.throws(() => value.exchange(item), kind);
        assert.throws(() => value.compareExchange(item, first), kind);
        assert.throws(() => value.compareExchange(second, item), kind);
        assert.throws(() => value.update(() => item), kind);
        assert.throws(() => array.exchange(1, item), kind);
      }
      assert.deepEqual(value.value, secondRead);
      if (['c', 'u', '?'].includes(code)) assert.throws(() => value.add(first), TypeError);
      else assert.throws(() => value.add('1'), TypeError);
    });

    test('copies', () => {
      const value = RawValue(code, good[0]![0] as never) as { value: unknown };
      const other = mp.copy(value);
      const array = RawArray(code, good.map(([write]) => write) as never) as Iterable<unknown> & object;
      const others = mp.copy(array);
      assert.deepEqual(other.value, value.value);
      assert.notEqual(mp.handleOf(other), mp.handleOf(value));
      assert.deepEqual([...others], [...array]);
      assert.notEqual(mp.handleOf(others), mp.handleOf(array));
      assert.equal(others.constructor, array.constructor);
    });
  });
}

test('the names of ctypes are those codes', () => {
  const names = 'bool char wchar byte ubyte short ushort int uint long ulong longlong ulonglong float double'.split(
    ' ',
  );
  const codes = names.map((name) => (mp as unknown as Record<string, string>)[`c_${name}`]);
  assert.equal(codes.join(''), '?cubBhHiIlLqQfd');
});

test('no such type', () => {
  for (const type of [
    'x',
    '',
    'ii',
    'toString',
    null,
    undefined,
    5,
    {},
    { fields: {}, size: 8 },
    Int32Array,
  ] as never[]) {
    for (const make of [() => Value(type), () => RawValue(type), () => SharedArray(type, 1), () => RawArray(type, 1)]) {
      assert.throws(make, TypeError);
    }
  }
});

describe('lock', () => {
  test('true, a lock, false, and anything else', () => {
    const own = Value('i', 5, { lock: true });
    assert.ok(own.getLock() instanceof RLock);
    assert.equal(own.getLock(), own.getLock());
    assert.equal(own.getObj().value, 5);
    assert.equal(own.getObj(), own.getObj());
    for (const lock of [new Lock(), new RLock(), new (class extends Lock {})()]) {
      assert.equal(Value('i', 5, { lock }).getLock(), lock);
      const array = SharedArray('i', [1, 2], { lock });
      assert.equal(array.getLock(), lock);
      assert.equal(array.getObj().length, 2);
    }
    const raw = Value('i', 5, { lock: false });
    assert.ok(raw instanceof RawValue);
    assert.ok(!('getLock' in raw) && !('add' in raw));
    assert.ok(SharedArray('d', 3, { lock: false }) instanceof Float64Array);
    for (const lock of ['no', 0, 1, null, {}, { acquire() {} }] as never[]) {
      assert.throws(() => Value('i', 0, { lock }), TypeError);
      assert.throws(() => SharedArray('i', 1, { lock }), TypeError);
    }
    assert.throws(() => Value('i', 0, 5 as never), TypeError);
    assert.throws(() => Value('i', 0, null as never), TypeError);
  });

  test('is what acquire, guard and run go to', async () => {
    for (const shared of [Value('i'), SharedArray('i', 2), Value('i', 0, { lock: new Lock() })]) {
      const lock = shared.getLock();
      assert.equal(shared.acquireSync(), true);
      assert.equal(lock.locked(), true);
      shared.release();
      assert.equal(await shared.acquire(), true);
      if (lock instanceof Lock) assert.throws(() => shared.acquireSync(), { code: 'ERR_MULTIPROCESS_DEADLOCK' });
      assert.equal(await shared.acquire({ timeout: 0 }), false);
      shared.release();
      assert.equal(shared.tryAcquire(), true);
      shared.release();
      {
        using _guard = await shared.guard();
        assert.equal(lock.locked(), true);
      }
      shared.guardSync().release();
      assert.equal(await shared.run(async () => lock.locked()), true);
      assert.equal(
        shared.runSync(() => lock.locked()),
        true,
      );
      assert.throws(() => shared.runSync((async () => 1) as never), TypeError);
      assert.equal(lock.locked(), false);
      assert.throws(() => shared.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
    }
  });

  test('the value can be read and written inside and outside of it, whatever the lock', () => {
    const value = Value('i', 1, { lock: new Lock() });
    value.runSync(() => {
      value.value += 1;
      value.add(1);
    });
    value.value += 1;
    assert.equal(value.value, 4);
  });
});

describe('add', () => {
  test('that would overflow throws and changes nothing', () => {
    for (const [code, value, by] of [
      ['b', 127, 1],
      ['B', 0, -1],
      ['h', -32768, -1],
      ['H', 1, 2 ** 40],
      ['i', 2 ** 31 - 1, 1],
      ['I', 5, -6],
      ['q', (1n << 63n) - 1n, 1],
      ['Q', 0n, -1n],
      ['l', -5, -(1n << 63n)],
      ['L', 1n, 1n << 64n],
      ['f', 3e38, 3e38],
      ['d', Number.MAX_VALUE, Number.MAX_VALUE],
      ['i', 0, 0.5],
      ['i', 0, Number.NaN],
      ['q', 0, 0.5],
    ] as const) {
      const shared = Value(code, value as never) as unknown as Loose;
      const array = SharedArray(code, [value, value] as never) as unknown as LooseArray;
      const before = shared.value;
      assert.throws(() => shared.add(by), RangeError, `${code} ${value} ${by}`);
      assert.throws(() => array.add(1, by), RangeError, `${code} ${value} ${by}`);
      assert.equal(shared.value, before);
      assert.equal(array.get(1), before);
    }
    const unsigned = Value('B', 5);
    assert.equal(unsigned.add(-5), 5);
    assert.equal(unsigned.value, 0);
  });

  test('of floats, with what IEEE 754 has', () => {
    const value = Value('d', Number.POSITIVE_INFINITY);
    assert.equal(value.add(1), Number.POSITIVE_INFINITY);
    assert.ok(Number.isNaN(value.update(() => Number.NaN)));
    assert.ok(Number.isNaN(value.add(1)));
    assert.ok(Number.isNaN(value.compareExchange(Number.NaN, -0)));
    assert.ok(Object.is(value.value, -0));
    assert.ok(Object.is(value.compareExchange(0, 5), -0), '0 and -0 are one value');
    assert.equal(value.value, 5);
    // A NaN with a payload of its own.
    const array = SharedArray('d', [1]);
    new BigUint64Array(array.getObj().buffer)[0] = 0x7ff8_0000_dead_beefn;
    assert.ok(Number.isNaN(array.compareExchange(0, Number.NaN, 3)));
    assert.equal(array.get(0), 3);
    const float = Value('f', 0.1);
    assert.equal(float.compareExchange(0.1, 2), Math.fround(0.1));
    assert.equal(float.value, 2);
  });
});

test('update calls again when the value has changed, and refuses promises', () => {
  const value = Value('i', 1);
  let calls = 0;
  const after = value.update((old) => {
    calls += 1;
    if (calls < 3) value.add(10);
    return old * 2;
  });
  assert.deepEqual([calls, after, value.value], [3, 42, 42]);
  assert.throws(() => value.update((async () => 1) as never), TypeError);
  assert.throws(() => value.update(5 as never), TypeError);
  assert.throws(
    () =>
      value.update(() => {
        throw new Error('no');
      }),
    /no/,
  );
  assert.equal(value.value, 42);
});

describe('Struct', () => {
  test('has the layout of C', () => {
    for (const [fields, size] of [
      [{ a: 'b' }, 1],
      [{ a: 'b', b: 'i' }, 8],
      [{ a: 'i', b: 'd', c: 'q' }, 24],
      [{ a: 'd', b: 'd', c: 'i' }, 24],
      [{ a: 'h', b: 'b' }, 4],
      [{ a: 'b', b: 'h', c: 'b' }, 6],
      [{ a: '?', b: 'u', c: 'c' }, 12],
    ] as const) {
      assert.equal(Struct(fields).size, size, inspect(fields));
    }
    const Inner = Struct({ a: 'b', b: 'd' });
    const Outer = Struct({ flag: '?', inner: Inner, last: 'h' });
    assert.equal(Outer.size, 32);
    const array = RawArray(Outer, [{ flag: true, inner: { a: -1, b: 1.5 }, last: 9 }, {}]);
    const bytes = new DataView((mp.open(mp.handleOf(array)) as unknown as { buffer: ArrayBuffer }).buffer);
    assert.equal(bytes.byteLength, 64);
    assert.equal(bytes.getUint8(0), 1);
    assert.equal(bytes.getInt8(8), -1);
    assert.equal(bytes.getFloat64(16, true), 1.5);
    assert.equal(bytes.getInt16(24, true), 9);
    assert.equal(Struct({ flag: '?', inner: Inner, last: 'h' }), Outer);
    assert.deepEqual(Inner.fields, { a: 'b', b: 'd' });
  });

  const Inner = Struct({ a: 'h', c: 'c', u: 'u', o: '?' });
  const Point = Struct({ x: 'd', id: 'q', inner: Inner });
  const zero = { x: 0, id: 0n, inner: { a: 0, c: Uint8Array.of(0), u: '\0', o: false } };

  test('is a live view', () => {
    const point = Value(Point, { x: 1.5, inner: { u: 'ü' } });
    const view = point.value;
    assert.deepEqual(view, { ...zero, x: 1.5, inner: { ...zero.inner, u: 'ü' } });
    assert.equal(point.value, view);
    view.id = 5n;
    view.inner.a = -3;
    point.value.inner = { o: true, c: 7 } as never;
    assert.deepEqual(point.getObj().value, {
      x: 1.5,
      id: 5n,
      inner: { a: -3, c: Uint8Array.of(7), u: 'ü', o: true },
    });
    point.value = { id: 6n };
    assert.deepEqual([view.id, view.x], [6n, 1.5]);
    const other = Value(Point);
    other.value = point.value;
    assert.deepEqual(other.value, point.value);
    assert.equal(JSON.stringify(Value(Struct({ a: 'i' }), { a: 2 }).value), '{"a":2}');
    assert.equal(inspect(view.inner), "{ a: -3, c: Uint8Array(1) [ 7 ], u: 'ü', o: true }");
    assert.deepEqual(Object.keys(view), ['x', 'id', 'inner']);
  });

  test('in arrays', () => {
    const points = SharedArray(Point, [{ x: 1 }, { x: 2 }]);
    points.get(1).inner.a = 4;
    points.set(0, { id: 3 });
    assert.deepEqual([points.get(0).id, points.get(0).x, points.at(-1)?.inner.a], [3n, 1, 4]);
    points.setSlice(0, [{ x: 8 }, { x: 9 }]);
    assert.deepEqual(
      [...points].map(({ x }) => x),
      [8, 9],
    );
    const copied = mp.copy(points.getObj());
    points.get(0).x = 0;
    assert.equal(copied.get(0).x, 8);
  });

  test('checks everything before it stores anything', () => {
    const point = Value(Point, { x: 1, id: 2, inner: { a: 3 } });
    const before = structuredClone(point.value);
    for (const [value, kind] of [
      [{ x: 5, nope: 1 }, TypeError],
      [{ x: 5, id: 0.5 }, RangeError],
      [{ x: 5, id: undefined }, TypeError],
      [{ x: 5, inner: { a: 40_000 } }, RangeError],
      [{ x: 5, inner: { b: 1 } }, TypeError],
      [{ x: 5, inner: 3 }, TypeError],
      [[1, 2], TypeError],
      [null, TypeError],
      [5, TypeError],
    ] as const) {
      assert.throws(() => (point.value = value as never), kind, inspect(value));
      assert.throws(() => Value(Point, value as never), kind);
      assert.throws(() => SharedArray(Point, [value as never]), kind);
      assert.deepEqual(point.value, before);
    }
    assert.throws(() => (point.value.id = 0.5 as never), RangeError);
    assert.throws(() => ((point.value as unknown as Record<string, number>)['nope'] = 1), TypeError);
    assert.throws(() => (point.value.inner = { a: 1, u: 'xy' } as never), RangeError);
    assert.deepEqual(point.value, before);
    const points = SharedArray(Point, 2);
    assert.throws(() => points.setSlice(0, [{ x: 5 }, { x: '5' } as never]), TypeError);
    assert.equal(points.get(0).x, 0);
  });

  test('has no atomic operations', () => {
    const point = Value(Point);
    for (const act of [
      () => point.add({ x: 1 }),
      () => point.exchange({ x: 1 }),
      () => point.compareExchange({ x: 1 }, { x: 1 }),
      () => point.update((old) => old as never),
      () => SharedArray(Point, 1).add(0, { x: 1 }),
    ]) {
      assert.throws(act, /TypeError: .*runSync/);
    }
  });

  test('bad input', () => {
    for (const fields of [null, 5, {}, { a: 'x' }, { a: null }, { a: { fields: {}, size: 1 } }] as never[]) {
      assert.throws(() => Struct(fields), TypeError);
    }
    let nested = Struct({ a: 'b' }) as mp.StructType;
    assert.throws(() => {
      for (let i = 0; i < 40; i++) nested = Struct({ a: nested });
    }, RangeError);
    let large = Struct({ a: 'd' }) as mp.StructType;
    assert.throws(() => {
      for (let i = 0; i < 12; i++) large = Struct({ a: large, b: large });
    }, RangeError);
    // Whatever a field is called.
    const Odd = Struct({ constructor: 'i', ['__proto__']: 'i', 'a:b': 'b', '': 'b' });
    const odd = Value(Odd, { constructor: 1 } as never);
    assert.equal(odd.value['a:b'], 0);
    assert.equal(mp.open(odd.handle), odd);
  });
});

describe('SharedArray', () => {
  test('get, set, at, slice, setSlice', () => {
    const array = new SharedArray('i', [0, 1, 2, 3, 4]);
    assert.deepEqual(array.slice(), [0, 1, 2, 3, 4]);
    assert.deepEqual(
      [array.slice(1, 3), array.slice(-2), array.slice(3, 99), array.slice(4, 1)],
      [[1, 2], [3, 4], [3, 4], []],
    );
    assert.deepEqual(
      [array.at(0), array.at(-1), array.at(5), array.at(-6), array.at(1.7)],
      [0, 4, undefined, undefined, 1],
    );
    array.setSlice(1, new Set([7, 8]));
    array.setSlice(5, []);
    assert.deepEqual([...array], [0, 7, 8, 3, 4]);
    assert.deepEqual(array.slice().length, array.length);
    for (const index of [-1, 5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => array.get(index), RangeError);
      assert.throws(() => array.set(index, 0), RangeError);
      assert.throws(() => array.add(index, 0), RangeError);
      assert.throws(() => array.exchange(index, 0), RangeError);
      assert.throws(() => array.compareExchange(index, 0, 0), RangeError);
    }
    for (const index of [0.5, '0', null, undefined, 1n] as never[]) {
      assert.throws(() => array.get(index), TypeError);
      assert.throws(() => array.set(index, 0 as never), TypeError);
    }
    assert.throws(() => array.at('0' as never), TypeError);
    assert.throws(() => array.slice('0' as never), TypeError);
    assert.throws(() => array.setSlice(4, [1, 2]), RangeError);
    assert.throws(() => array.setSlice(-1, []), RangeError);
    assert.throws(() => array.setSlice(6, []), RangeError);
    assert.throws(() => array.setSlice(0, 5 as never), TypeError);
    assert.deepEqual([...array], [0, 7, 8, 3, 4]);
    assert.throws(() => SharedArray('i', -1), RangeError);
    assert.throws(() => SharedArray('i', 1.5), TypeError);
    assert.throws(() => SharedArray('i', 2 ** 40), RangeError);
    assert.throws(() => SharedArray('i', null as never), TypeError);
    const items = RawArray('?', 2);
    assert.throws(() => items.get(2), RangeError);
    assert.throws(() => items.set(-1, true), RangeError);
    assert.equal(mp.Array, SharedArray);
  });

  test('of characters has value and raw', () => {
    for (const text of [SharedArray('c', 8), RawArray('c', 8)]) {
      assert.deepEqual(text.value, new Uint8Array(0));
      text.value = Buffer.from('hello');
      assert.equal(Buffer.from(text.value).toString(), 'hello');
      text.value = Buffer.from('ab');
      assert.equal(Buffer.from(text.raw).toString('latin1'), 'ab\0lo\0\0\0');
      text.value = Buffer.from('12345678');
      assert.equal(text.value.length, 8);
      text.raw = Buffer.from('a\0b');
      assert.equal(Buffer.from(text.raw).toString('latin1'), 'a\0b45678');
      assert.throws(() => (text.value = Buffer.alloc(9)), RangeError);
      assert.throws(() => (text.raw = Buffer.alloc(9)), RangeError);
      assert.throws(() => (text.value = 'text' as never), TypeError);
      assert.throws(() => (text.raw = null as never), TypeError);
      assert.equal(Buffer.from(text.value).toString(), 'a');
      text.value[0] = 5; // a copy
      text.raw[0] = 5;
      assert.equal(text.raw[0], 97);
    }
    assert.equal(Buffer.from(SharedArray('c', Buffer.from('abc')).raw).toString(), 'abc');
    assert.equal([...SharedArray('u', 'aé😀')].join(''), 'aé😀');
    assert.ok(!('value' in SharedArray('u', 1)));
  });
});

describe('synchronized and copy', () => {
  test('give what they say', () => {
    const raw = RawValue('d', 1.5);
    const value = mp.synchronized(raw);
    assert.equal(value.getObj(), raw);
    assert.ok(value instanceof Value && value.getLock() instanceof RLock);
    value.value = 2;
    assert.equal(raw.value, 2);
    const lock = new Lock();
    const numbers = RawArray('i', [1, 2, 3, 4]);
    const part = mp.synchronized(numbers.subarray(1, 3), lock);
    assert.equal(part.getLock(), lock);
    part.set(1, 9);
    assert.deepEqual([...numbers], [1, 2, 9, 4]);
    assert.deepEqual([...mp.copy(numbers.subarray(2))], [9, 4]);
    assert.deepEqual([...(mp.open(part.handle) as mp.SynchronizedArray<'i'>)], [2, 9]);
    assert.ok(mp.synchronized(RawArray('c', 2)).value.length === 0);
    assert.equal(mp.synchronized(RawArray('?', [true])).get(0), true);
  });

  test('bad input', () => {
    const value = Value('i');
    for (const raw of [value, SharedArray('i', 1), new Int32Array(1), 5, null, {}, new Lock()] as never[]) {
      assert.throws(() => mp.synchronized(raw), TypeError);
    }
    for (const raw of [
      value,
      SharedArray('i', 1),
      5,
      null,
      {},
      new Lock(),
      Buffer.alloc(2),
      new DataView(new ArrayBuffer(1)),
    ] as never[]) {
      assert.throws(() => mp.copy(raw), TypeError);
    }
    assert.throws(() => mp.synchronized(value.getObj(), {} as never), TypeError);
    assert.throws(() => mp.synchronized(value.getObj(), null as never), TypeError);
  });
});

test('are called with and without new, seen, and refuse JSON', () => {
  const all = {
    "Value('i', 5)": new Value('i', 5),
    "SharedArray('d') [ 1.5 ]": new SharedArray('d', [1.5]),
    "SharedArray('c') 'a\\x00'": SharedArray('c', [97, 0]),
    "RawValue('u', 'x')": new RawValue('u', 'x'),
    "ItemArray('?') [ true ]": new RawArray('?', [true]),
    "CharArray 'a'": new RawArray('c', [97]),
    "Value(Struct({ x: 'i' }), { x: 1 })": Value(Struct({ x: 'i' }), { x: 1 }),
  };
  for (const [text, shared] of Object.entries(all)) {
    assert.equal(inspect(shared), text);
    assert.throws(() => JSON.stringify(shared), TypeError);
    const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
    if (major > 22 || (major === 22 && minor >= 10)) assert.throws(() => structuredClone(shared));
  }
  assert.ok(all["Value('i', 5)"] instanceof Value);
  assert.ok(all["SharedArray('c') 'a\\x00'"] instanceof SharedArray);
  assert.ok(all["RawValue('u', 'x')"] instanceof RawValue);
});
