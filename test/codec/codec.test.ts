import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import {
  ClosedError,
  fromMessage,
  handleOf,
  MultiprocessError,
  NotShareableError,
  open,
  ProcessDiedError,
  registerType,
  SharedMemory,
  StaleHandleError,
  toMessage,
  ValueError,
} from 'multiprocess';

const trip = <T>(value: T): T => fromMessage(toMessage(value)) as T;

describe('values come back as they were', () => {
  const values: Record<string, unknown> = {
    undefined: undefined,
    null: null,
    booleans: [true, false],
    'small and large integers': [0, 1, 127, 128, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53],
    'other numbers': [-0, 0.1, Number.NaN, Infinity, -Infinity, 5e-324],
    bigints: [0n, 1n, -1n, 255n, 256n, 2n ** 64n, -(2n ** 200n)],
    strings: ['', 'a', 'é', '€', '😀', '\ud800', '\0', 'x'.repeat(255), 'x'.repeat(256), '€'.repeat(1000)],
    'a string of a million characters': 'aé'.repeat(500_000),
    // biome-ignore lint/suspicious/noSparseArray: holes are what is tested
    'arrays with holes': [1, , 3, ,],
    'nested objects': { a: { b: [{ c: 1 }] }, 'not an identifier': 1, '': 2 },
    maps: new Map<unknown, unknown>([[{ key: 1 }, new Map([[1, 2]])]]),
    sets: new Set<unknown>([1, '1', { one: 1 }]),
    dates: [new Date(0), new Date(-1)],
    'regular expressions': [/a\/b/gi, /(?<x>y)/u],
    'boxed primitives': [Object(1), Object('s'), Object(true), Object(5n)],
    'array buffers': new Uint8Array([1, 2, 3]).buffer,
    'views of every kind': [
      new Int8Array([-1]),
      new Uint8ClampedArray([300]),
      new Int16Array([-300]),
      new Uint16Array([300]),
      new Int32Array([-70000]),
      new Uint32Array([70000]),
      new Float32Array([0.5]),
      new Float64Array([0.1, Number.NaN]),
      new BigInt64Array([-5n]),
      new BigUint64Array([5n]),
      Buffer.from('buffer'),
      new DataView(new Uint8Array([9, 8]).buffer),
      new Uint8Array(0),
      new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
    ],
  };
  for (const [what, value] of Object.entries(values)) {
    test(what, () => assert.deepStrictEqual(trip(value), value));
  }

  test('an invalid date', () => assert.ok(Number.isNaN(trip(new Date(Number.NaN)).getTime())));

  test('objects without a prototype come back as plain ones', () => {
    assert.deepEqual({ ...trip(Object.assign(Object.create(null), { a: 1 })) }, { a: 1 });
  });

  test('objects of another realm are plain data', () => {
    assert.deepEqual(trip(runInNewContext('({ a: [1, { b: 2 }], m: new Map([[1, 2]]), e: new RangeError("x") })')).a, [
      1,
      { b: 2 },
    ]);
  });

  test('a key called __proto__ is data, not a prototype', () => {
    const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}');
    const back = trip(hostile) as object;
    assert.equal((back as { polluted?: true }).polluted, undefined);
    assert.deepEqual(Object.keys(back), ['__proto__', 'constructor']);
  });

  test('cycles and shared parts keep their shape', () => {
    const part = { n: 1 };
    const value: Record<string, unknown> = { first: part, second: part, list: [] as unknown[] };
    value['self'] = value;
    (value['list'] as unknown[]).push(value['list'], part);
    const map = new Map<unknown, unknown>();
    map.set(map, new Set([map]));
    value['map'] = map;
    const back = trip(value) as any;
    assert.equal(back.self, back);
    assert.equal(back.first, back.second);
    assert.equal(back.list[0], back.list);
    assert.equal(back.list[1], back.first);
    assert.equal([...back.map.keys()][0], back.map);
    const view = new Uint8Array([1]);
    const [a, b] = trip([view, view]) as Uint8Array[];
    assert.equal(a, b);
  });

  test('anything that JSON-like generators come up with', () => {
    const anything = fc.anything({
      withBigInt: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withBoxedValues: true,
      maxDepth: 4,
    });
    fc.assert(
      fc.property(anything, (value) => assert.deepStrictEqual(trip(value), value)),
      { numRuns: 500 },
    );
  });
});

describe('errors', () => {
  test('keep class, message, stack, cause and properties', () => {
    const error = Object.assign(new TypeError('wrong', { cause: new RangeError('inner') }), {
      code: 'E1',
      data: { x: 1 },
    });
    const back: any = trip(error);
    assert.ok(back instanceof TypeError && back.cause instanceof RangeError);
    const { message, stack, code, data } = back as any;
    assert.deepEqual([message, stack, code, data], ['wrong', error.stack, 'E1', { x: 1 }]);
    assert.deepEqual(Object.keys(back), ['code', 'data']);
  });

  test('of this library keep their class too', () => {
    const died = trip(new ProcessDiedError('gone', { exitCode: -9, signalCode: 'SIGKILL' })) as ProcessDiedError;
    assert.ok(died instanceof ProcessDiedError && died instanceof MultiprocessError);
    assert.deepEqual(
      [died.code, died.exitCode, died.signalCode, died.name],
      ['ERR_MULTIPROCESS_PROCESS_DIED', -9, 'SIGKILL', 'ProcessDiedError'],
    );
    assert.ok(trip(new ValueError('v')) instanceof ValueError);
    const foreign = trip(Object.assign(new Error('theirs'), { name: 'ValueError' }));
    assert.deepEqual([foreign instanceof ValueError, foreign.name], [false, 'ValueError']);
  });

  test('of unknown classes become an Error of that name', () => {
    class Custom extends Error {
      override name = 'Custom';
    }
    const back = trip(new Custom('c')) as Error;
    assert.deepEqual([back.name, back.message, back.constructor], ['Custom', 'c', Error]);
    const aggregate = trip(new AggregateError([new Error('1'), 2], 'all')) as AggregateError;
    assert.ok(aggregate instanceof AggregateError);
    assert.equal(aggregate.errors[0].message, '1');
    const aborted = trip(AbortSignal.abort().reason) as DOMException;
    assert.ok(aborted instanceof DOMException);
    assert.equal(aborted.name, 'AbortError');
  });

  test('leave behind what cannot travel', () => {
    const error = Object.assign(new Error('e'), { kept: 1, socket: () => {}, nested: { fn() {} } });
    error.cause = { also: () => {} };
    const back = trip<Error>(error);
    assert.deepEqual([Object.keys(back), back.cause], [['kept'], undefined]);
    const cyclic = new Error('self');
    cyclic.cause = cyclic;
    const self = trip(cyclic);
    assert.equal(self.cause, self);
  });
});

test('a long chain of causes takes time in proportion to its length', () => {
  let error = new Error('0');
  for (let i = 1; i < 300; i++) error = new Error(`${i}`, { cause: error });
  const start = performance.now();
  let back: unknown = trip(error);
  assert.ok(performance.now() - start < 1000);
  let length = 0;
  for (; back instanceof Error; back = back.cause) length += 1;
  assert.equal(length, 300);
});

describe('registered classes', () => {
  class Point {
    constructor(
      readonly x: number,
      readonly more: unknown = undefined,
    ) {}
  }
  registerType(Point, { encode: ({ x, more }) => [x, more], decode: ([x, more]) => new Point(x, more) });

  test('arrive as instances, nested too', () => {
    const back = trip({ list: [new Point(1), new Point(2, new Map([[1, new Point(3)]]))] });
    assert.ok(back.list[0] instanceof Point);
    assert.deepEqual(back, { list: [new Point(1), new Point(2, new Map([[1, new Point(3)]]))] });
  });

  test('the same instance twice is one', () => {
    const point = new Point(1);
    const [a, b] = trip([point, point]);
    assert.equal(a, b);
  });

  test('subclasses and unregistered classes are refused; so is a second class of the name', () => {
    class Sub extends Point {}
    assert.throws(() => toMessage(new Sub(1)), /is an instance of Sub/);
    assert.throws(() => registerType(class Point {}, { encode: () => 1, decode: () => 2 as never }), ValueError);
    assert.throws(() => registerType(class {} as never, { encode: () => 1, decode: () => 2 as never }), ValueError);
    assert.throws(() => registerType(5 as never, { encode: () => 1, decode: () => 2 as never }), TypeError);
    assert.throws(() => registerType(Point, {} as never), TypeError);
    const cycle: any = new Point(1);
    cycle.more = cycle;
    assert.throws(() => toMessage(cycle), /cycle through an instance of a registered class/);
  });
});

describe('shared memory', () => {
  test('arrives as the same memory', () => {
    using block = SharedMemory.create(64);
    const { view, same, whole } = trip({ view: block.view(Uint16Array, 2, 4), same: block, whole: block.buf.buffer });
    view[0] = 513;
    assert.equal(block.buf[2], 1);
    assert.equal(same.buf[3], 2);
    assert.equal(new Uint8Array(whole)[3], 2);
    assert.equal(view.length, 4);
    same.close();
  });

  test('that is closed or gone is an error', () => {
    const block = SharedMemory.create(8);
    const message = toMessage([block.buf]);
    block.unlink();
    block.close();
    assert.throws(() => fromMessage(message), StaleHandleError);
    assert.throws(() => toMessage(block), ClosedError);
  });
});

test('a Map that a getter changes while it is encoded arrives as it was', () => {
  const map = new Map<string, unknown>();
  map.set('a', {
    get grow() {
      map.set('late', 1);
      return 1;
    },
  });
  map.set('b', 2);
  assert.deepEqual(
    trip(map),
    new Map<string, unknown>([
      ['a', { grow: 1 }],
      ['b', 2],
    ]),
  );
});

describe('what cannot travel', () => {
  test('is named', () => {
    for (const [value, message] of [
      [() => 1, /^value is a function/],
      [[{ a: Symbol() }], /^value\[0\]\.a is a symbol/],
      [new Map([['k', () => 1]]), /^value\.k is a function/],
      [{ x: new Uint8Array(new SharedArrayBuffer(4)) }, /^value\.x is a view over a SharedArrayBuffer/],
      [new SharedArrayBuffer(4), /^value is an instance of SharedArrayBuffer/],
      [Object.assign([], { length: 2 ** 32 - 1 }), /^value is an array that is mostly holes/],
      [{ x: new WeakSet() }, /^value\.x is an instance of WeakSet/],
      [{ x: new (class Lookup extends Map {})() }, /^value\.x is an instance of Lookup/],
      [{ x: new (class extends Set {})() }, /^value\.x is an object of an unknown class/],
      [Object.create({ inherited: 1 }), /^value is an instance of Object|^value is an object/],
    ] as const) {
      assert.throws(
        () => toMessage(value),
        (error: Error) => error instanceof NotShareableError && message.test(error.message),
        String(message),
      );
    }
  });

  test('nesting beyond a thousand levels is refused, a thousand is not', () => {
    const nest = (levels: number) => {
      let value: unknown = 1;
      for (let i = 0; i < levels; i++) value = [value];
      return value;
    };
    assert.deepEqual(trip(nest(900)), nest(900));
    assert.throws(() => toMessage(nest(100_000)), NotShareableError);
  });
});

describe('hostile bytes', () => {
  const survive = (bytes: Uint8Array) => {
    try {
      fromMessage(`mp1.${Buffer.from(bytes).toString('base64url')}`);
    } catch (error) {
      assert.ok(error instanceof MultiprocessError, `${error}`);
    }
  };
  const valid = Buffer.from(
    toMessage([
      {
        a: [
          1,
          2.5,
          'text',
          '€',
          5n,
          new Map([[1, new Set([null])]]),
          new Date(1),
          /x/g,
          new Error('e'),
          new Uint16Array([1, 2]),
        ],
      },
    ]).slice(4),
    'base64url',
  );

  test('random', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => survive(Buffer.concat([Buffer.from([1]), bytes]))),
      { numRuns: 3000 },
    ));

  test('a valid message with bytes changed', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = Buffer.from(valid);
          for (const [at, value] of changes) bytes[at] = value;
          survive(bytes);
        },
      ),
      { numRuns: 3000 },
    ));

  test('cut off anywhere, or with more behind', () => {
    for (let length = 0; length < valid.length; length++) {
      assert.throws(() => fromMessage(`mp1.${valid.subarray(0, length).toString('base64url')}`), ValueError);
    }
    assert.throws(
      () => fromMessage(`mp1.${Buffer.concat([valid, Buffer.from([0])]).toString('base64url')}`),
      ValueError,
    );
  });

  test('counts and depths that would take all memory or stack', () => {
    for (const tag of [6, 8, 9, 10, 12, 13, 14, 18, 19]) survive(Buffer.from([1, tag, 255, 255, 255, 255, 0]));
    survive(Buffer.from([1, ...Array.from({ length: 100_000 }, () => [10, 1, 0, 0, 0]).flat(), 0]));
  });

  test('error classes that are no classes, and addresses outside of shared memory', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'DOMException:']) {
      const text = [7, name.length, ...Buffer.from(name)];
      const back = fromMessage(`mp1.${Buffer.from([1, 17, ...text, 7, 1, 109, 0, 0, 0, 0, 0]).toString('base64url')}`);
      assert.ok(back instanceof Error, name);
    }
    for (const name of ['..', '.', 'a%2Fb', 'x'.repeat(300), '%00', '%']) {
      const handle = Buffer.from(`mp:shm:1:1:${name}`);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(handle.length);
      const bytes = Buffer.concat([Buffer.from([1, 21, 8]), length, handle]);
      assert.throws(() => fromMessage(`mp1.${bytes.toString('base64url')}`), ValueError, name);
    }
  });

  test('a message that names one block thousands of times opens it once', () => {
    using block = SharedMemory.create(8);
    const message = toMessage(block);
    const opened = Array.from({ length: 3000 }, () => fromMessage(message) as SharedMemory);
    opened[2999]!.buf[0] = 5;
    assert.equal(opened[0]!.buf[0], 5);
    for (const same of opened) same.close();
  });

  test('handles of views that would lie elsewhere, or are of no class', () => {
    using block = SharedMemory.create(16);
    const [, address = ''] = /^mp:view:Uint8Array:0:16:(.*)$/.exec(handleOf(block.buf))!;
    for (const view of [
      'Uint8Array:0:17',
      'Uint8Array:17:0',
      'Float64Array:4:8',
      'Float64Array:0:7',
      'Object:0:8',
      'Uint8Array:-1:4',
    ]) {
      assert.throws(() => open(`mp:view:${view}:${address}`), ValueError, view);
    }
    assert.equal((open(`mp:view:ArrayBuffer:0:16:${address}`) as ArrayBuffer).byteLength, 16);
  });

  test('text that is no message', () => {
    for (const text of ['', 'mp1.', 'mp2.AAA', 'hello', '{"a":1}']) assert.throws(() => fromMessage(text), ValueError);
    assert.throws(() => fromMessage(5 as never), TypeError);
  });
});
