// What a shared dict does: Map's interface and Python's, as CPython's _TestContainers and test_dict have it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  type DictKey,
  type DictProxy,
  fromMessage,
  handleOf,
  Lock,
  open,
  Process,
  RawArray,
  SharedDict,
  SharedNamespace,
  toMessage,
  transact,
} from 'multiprocess';
import '../../src/collections/index.js'; // the checker of the heap asks it
import { treeHeap } from '../../src/heap/internal.js';
import type * as targets from '../programs/dict-targets.js';
import { hasCode } from '../support/errors.js';
import { collectGarbage } from '../support/gc.js';
import { usage } from '../support/heap-usage.js';
import { eventually } from '../support/shm.js';

const module = new URL('../programs/dict-targets.js', import.meta.url).href;
const start = (name: keyof typeof targets, ...args: unknown[]): Process => {
  const child = new Process({ target: { module, export: name }, args } as never);
  child.start();
  return child;
};
const stale = hasCode('ERR_MULTIPROCESS_STALE_HANDLE');
const notShareable = hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE');
const reentrant = hasCode('ERR_MULTIPROCESS_REENTRANT');

/** A dict that any value may be put into. */
const dictOf = (init: Record<string, any>): DictProxy<string, any> => SharedDict(Object.entries(init));

const KEYS: readonly DictKey[] = [
  'text',
  '',
  'ü',
  '\u{1f600}€',
  '\ud800',
  'x'.repeat(4000),
  0,
  1,
  -1,
  2 ** 31,
  -(2 ** 31),
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  5n,
  -5n,
  2n ** 64n,
  -(2n ** 200n),
  true,
  false,
  null,
  new Uint8Array([1, 2, 3]),
  new Uint8Array(0),
  [],
  [1, 'a', null],
  [[1], ['a']],
  [1, ['a']],
  ['1', 'a', null],
];

describe('keys', () => {
  test('of all kinds are kept apart, come back as they were, and are found by value', () => {
    const dict = SharedDict();
    for (const [i, key] of KEYS.entries()) dict.set(key, i);
    assert.equal(dict.size, KEYS.length);
    assert.deepEqual([...dict.keys()], KEYS);
    for (const [i, key] of KEYS.entries()) assert.equal(dict.get(structuredClone(key)), i, inspect(key));
    for (const key of KEYS) assert.equal(dict.delete(structuredClone(key)), true);
    assert.equal(dict.size, 0);
  });

  test('are compared as Map compares them', () => {
    const dict = SharedDict<any, string>([
      [0, 'zero'],
      ['1', 'text'],
    ]);
    assert.equal(dict.get(-0), 'zero');
    dict.set(-0, 'other');
    assert.ok(Object.is([...dict.keys()][0], 0));
    assert.equal(dict.get(0), 'other');
    assert.equal(dict.has(1), false);
    assert.equal(dict.has(0n), false);
    assert.equal(dict.has(false), false);
  });

  test('of other kinds are refused, and too large ones', () => {
    const dict = SharedDict<any>();
    for (const key of [undefined, Symbol('s'), {}, new Map(), () => {}, [undefined], [{}], new Float64Array(1)]) {
      for (const use of [
        () => dict.get(key),
        () => dict.has(key),
        () => dict.set(key, 1),
        () => dict.delete(key),
        () => dict.increment(key),
        () => dict.compute(key, () => 1),
        () => dict.update([[key, 1]]),
      ]) {
        assert.throws(use, TypeError, inspect(key));
      }
    }
    const ring: unknown[] = [];
    ring.push(ring);
    for (const key of ['x'.repeat(4097), '€'.repeat(2049), new Uint8Array(4097), new Array(2000).fill(1), ring]) {
      assert.throws(() => dict.set(key, 1), RangeError);
    }
    assert.equal(dict.size, 0);
  });
});

describe('as a Map and as Python has it', () => {
  test('set, get, has, delete, size, in the order in which they were inserted', () => {
    const dict = SharedDict<string, number>();
    assert.equal(dict.set('a', 1).set('b', 2).set('c', 3), dict);
    dict.set('a', 4);
    assert.deepEqual(
      [...dict],
      [
        ['a', 4],
        ['b', 2],
        ['c', 3],
      ],
    );
    assert.equal(dict.delete('a'), true);
    assert.equal(dict.delete('a'), false);
    dict.set('a', 5);
    assert.deepEqual([...dict.keys()], ['b', 'c', 'a']);
    assert.deepEqual([...dict.values()], [2, 3, 5]);
    assert.deepEqual(
      [...dict.entries()],
      [
        ['b', 2],
        ['c', 3],
        ['a', 5],
      ],
    );
    assert.equal(dict.get('zz'), undefined);
    assert.equal(dict.get('zz', 7), 7);
    assert.equal(dict.size, 3);
    const seen: unknown[] = [];
    dict.forEach((value, key) => void seen.push([key, value]));
    assert.deepEqual(seen, [...dict.entries()]);
    dict.clear();
    assert.equal(dict.size, 0);
    assert.deepEqual([...dict], []);
    assert.equal(dict.set('again', 1).get('again'), 1);
  });

  test('an entry whose value is undefined is one', () => {
    const dict = SharedDict<string, undefined>([['a', undefined]]);
    assert.equal(dict.has('a'), true);
    assert.equal(dict.get('a', 5), undefined);
    assert.equal(dict.pop('a', 5), undefined);
    assert.equal(dict.has('a'), false);
  });

  test('pop, popitem, setdefault, update, copy, toObject, toJSON', () => {
    const dict = SharedDict<string, number>(new Map([['a', 1]]));
    dict.update({ b: 2, c: 3 });
    dict.update([
      ['d', 4],
      ['a', 9],
    ]);
    assert.deepEqual(
      [...dict.copy()],
      [
        ['a', 9],
        ['b', 2],
        ['c', 3],
        ['d', 4],
      ],
    );
    assert.deepEqual(dict.popitem(), ['d', 4]);
    assert.equal(dict.pop('b'), 2);
    assert.equal(dict.pop('b'), undefined);
    assert.equal(dict.pop('b', 6), 6);
    assert.equal(dict.setdefault('a', 1), 9);
    assert.equal(dict.setdefault('e', 5), 5);
    assert.deepEqual(dict.toObject(), { a: 9, c: 3, e: 5 });
    assert.equal(JSON.stringify({ dict }), '{"dict":{"a":9,"c":3,"e":5}}');
    dict.set(1 as never, 1);
    assert.throws(() => dict.toObject(), TypeError);
    assert.equal(JSON.stringify(dict), '[["a",9],["c",3],["e",5],[1,1]]');
    assert.deepEqual([...SharedDict(dict)], [...dict]);
    dict.clear();
    assert.equal(dict.popitem(), undefined);
  });

  test('increment, compareAndSet, compute', () => {
    const dict = SharedDict<string, any>();
    assert.equal(dict.increment('n'), 1);
    assert.equal(dict.increment('n', 2 ** 31), 2 ** 31 + 1);
    assert.equal(dict.increment('n', -0.5), 2 ** 31 + 0.5);
    dict.set('text', 'x');
    assert.throws(() => dict.increment('text'), TypeError);
    assert.throws(() => dict.increment('n', 1n as never), TypeError);
    assert.equal(dict.get('text'), 'x');
    assert.equal(dict.compareAndSet('new', undefined, { a: [1] }), true);
    assert.equal(dict.compareAndSet('new', undefined, 2), false);
    assert.equal(dict.compareAndSet('new', { a: [2] }, 2), false);
    assert.equal(dict.compareAndSet('new', { a: [1] }, 'y'.repeat(100_000)), true);
    assert.equal(dict.compareAndSet('new', 'y'.repeat(99_999), 3), false);
    assert.equal(dict.compareAndSet('new', 'y'.repeat(100_000), undefined), true);
    assert.equal(dict.has('new'), false);
    assert.equal(dict.compareAndSet('new', undefined, undefined), true);
    assert.equal(
      dict.compute('c', (old) => (old ?? 0) + 1),
      1,
    );
    assert.equal(
      dict.compute('c', (old) => old + 1),
      2,
    );
    assert.equal(
      dict.compute('c', () => undefined),
      undefined,
    );
    assert.equal(dict.has('c'), false);
  });

  test('what it is made of', () => {
    assert.deepEqual(SharedDict({ a: 1, __proto__: null, b: [2] }).toObject(), { a: 1, b: [2] });
    assert.equal(SharedDict(null).size, 0);
    const odd = SharedDict([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
    assert.deepEqual(Object.entries(odd.toObject()), [
      ['__proto__', 1],
      ['constructor', 2],
    ]);
    for (const init of [5, 'text', [1], [[1]], true, [['a', 1], 'b']]) {
      assert.throws(() => SharedDict(init as never), TypeError, inspect(init));
    }
    assert.throws(() => SharedDict(null, { name: 'x' }), /manager/);
    for (const options of [{ ttl: '1' }, { maxEntries: '1' }, 5]) {
      assert.throws(() => SharedDict(null, options as never), TypeError);
    }
    for (const options of [{ ttl: 0 }, { ttl: Number.NaN }, { maxEntries: 0 }, { maxEntries: 1.5 }]) {
      assert.throws(() => SharedDict(null, options), RangeError);
    }
    assert.throws(() => new (SharedDict as never as new () => object)(), TypeError);
  });

  test('a snapshot is one: what is changed while it is gone through is not seen', () => {
    const dict = SharedDict<number, number>();
    for (let i = 0; i < 100; i++) dict.set(i, i);
    let seen = 0;
    for (const [key, value] of dict) {
      assert.equal(value, key);
      dict.delete(key);
      dict.set(key + 1, -1);
      dict.set(1000 + key, 0);
      seen += 1;
    }
    assert.equal(seen, 100);
  });
});

describe('values', () => {
  test('go in and come out as copies', () => {
    const value = { list: [1], when: new Date(5), map: new Map([['k', new Set([1n])]]), bytes: new Uint8Array(9) };
    const dict = dictOf({ value });
    value.list.push(2);
    const read = dict.get('value');
    assert.deepEqual(read, { ...value, list: [1] });
    read.list.push(3);
    assert.deepEqual(dict.get('value').list, [1]);
    const ring: any = {};
    ring.self = ring;
    dict.set('ring', ring);
    const ringRead = dict.get('ring');
    assert.equal(ringRead.self, ringRead);
  });

  test('shared objects come out as themselves, the dict itself too', () => {
    const [inner, lock, array, space] = [SharedDict({ a: 1 }), new Lock(), RawArray('i', 2), SharedNamespace({ x: 1 })];
    const dict = dictOf({ inner, many: [lock, { array }], space });
    dict.set('self', dict);
    assert.equal(dict.get('inner'), inner);
    assert.equal(dict.get('many')[0], lock);
    assert.equal(dict.get('space'), space);
    array[1] = 7;
    assert.equal(dict.get('many')[1].array[1], 7);
    assert.equal(dict.get('self').get('self'), dict);
    assert.deepEqual([...dict.values()].map((value) => inspect(value)).length, 4);
    dict.delete('self');
  });

  test('a nested one lives as long as it is in there, and no longer', async () => {
    const heap = treeHeap();
    await collectGarbage();
    const dict = SharedDict<string, DictProxy>();
    const { roots } = usage(heap);
    (() => dict.set('inner', dictOf({ deep: dictOf({ a: 'x'.repeat(100_000) }) })))();
    await collectGarbage();
    assert.equal(dict.get('inner')!.get('deep').get('a').length, 100_000);
    dict.clear();
    await eventually('the nested ones are gone', async () => {
      await collectGarbage();
      heap.bury();
      return usage(heap).roots <= roots;
    });
  });

  test('what cannot be shared changes nothing', () => {
    const dict = dictOf({ a: 1 });
    const bad = () => {};
    assert.throws(() => dict.set('a', bad), notShareable);
    assert.throws(() => dict.set('b', { deep: [bad] }), notShareable);
    assert.throws(
      () =>
        dict.update([
          ['b', 1],
          ['c', bad],
        ]),
      notShareable,
    );
    assert.throws(() => dict.compute('a', () => bad), notShareable);
    assert.throws(() => dict.compareAndSet('a', 1, bad), notShareable);
    assert.throws(() => dict.setdefault('b', bad), notShareable);
    assert.throws(() => transact(dict, (d) => void d.set('b', 1).set('c', bad)), notShareable);
    assert.throws(() => SharedDict({ bad }), notShareable);
    assert.deepEqual(dict.toObject(), { a: 1 });
  });
});

describe('functions that are called', () => {
  const dict = dictOf({ a: 1 });

  test('that throw, or return a promise, change nothing', () => {
    for (const use of [
      (fn: () => any) => dict.compute('a', fn),
      (fn: () => any) => transact(dict, (d) => [d.set('a', 5), fn()][1]),
    ]) {
      assert.throws(
        () =>
          use(() => {
            throw new Error('mine');
          }),
        /mine/,
      );
      assert.throws(() => use(async () => 5), TypeError);
      assert.equal(dict.get('a'), 1);
    }
    assert.throws(() => dict.compute('a', 5 as never), TypeError);
    assert.throws(() => transact(dict, 5 as never), TypeError);
    for (const target of [{}, new Map(), null, 5, new Lock()])
      assert.throws(() => transact(target as never, () => 1), TypeError);
  });

  test('compute may write other entries and other dicts, but not its own', () => {
    const other = SharedDict<string, number>();
    dict.compute('a', (old) => {
      dict.set('b', old);
      other.increment('x');
      return old + 1;
    });
    assert.deepEqual(dict.toObject(), { a: 2, b: 1 });
    assert.throws(() => dict.compute('a', () => [dict.set('a', 0)].length), reentrant);
    assert.throws(() => dict.compute('a', () => [dict.clear()].length), reentrant);
    assert.equal(dict.size, 0);
  });

  test('two processes that cross over do not wait for each other', async () => {
    const [one, other] = [SharedDict(), SharedDict()];
    const children = [start('crossOver', one, other, 300), start('crossOver', other, one, 300)];
    for (const child of children) assert.equal(await child.join({ timeout: 60_000 }), true);
    for (const each of [one, other]) assert.deepEqual([each.get('a'), each.get('d')], [300, 300]);
    assert.ok(one.get('b') >= 300 && other.get('c') >= 300);
  });
});

describe('transact', () => {
  test('all that is done to the dict belongs to it, by whatever name', () => {
    const dict = dictOf({ a: 1, b: 2, c: 3 });
    const result = transact(dict, (d) => {
      assert.equal(d, dict);
      dict.delete('a');
      d.set('b', 5);
      assert.equal(dict.increment('n'), 1);
      assert.equal(
        d.compute('n', (old) => old + 1),
        2,
      );
      assert.equal(d.compareAndSet('n', 2, 3), true);
      assert.equal(d.compareAndSet('n', 2, 3), false);
      assert.equal(d.setdefault('n', 9), 3);
      assert.equal(d.pop('c'), 3);
      d.set('a', 'again').set('c', 'again');
      d.update({ x: 1 });
      assert.deepEqual(d.popitem(), ['x', 1]);
      assert.deepEqual(
        [...d],
        [
          ['b', 5],
          ['n', 3],
          ['a', 'again'],
          ['c', 'again'],
        ],
      );
      assert.equal(d.size, 4);
      assert.equal(open<typeof d>(handleOf(dict) as never).has('x'), false);
      return 'result';
    });
    assert.equal(result, 'result');
    assert.deepEqual(
      [...dict],
      [
        ['b', 5],
        ['n', 3],
        ['a', 'again'],
        ['c', 'again'],
      ],
    );
    transact(dict, (d) => {
      d.clear();
      assert.equal(d.size, 0);
      assert.equal(d.get('b'), undefined);
      d.set('only', 1);
    });
    assert.deepEqual([...dict], [['only', 1]]);
  });

  test('within another it throws', () => {
    const [dict, other] = [SharedDict<string, number>(), SharedDict<string, number>()];
    for (const target of [dict, other]) {
      assert.throws(() => transact(dict, () => transact(target, () => 1)), reentrant);
    }
    assert.equal(
      transact(dict, () => 1),
      1,
    );
  });

  for (const size of [0, 10, 1000]) {
    test(`more changes than fit a transaction, of a dict of ${size}`, () => {
      const model = new Map<number, unknown>();
      for (let i = 0; i < size; i++) model.set(i, i % 3 ? i : { i, text: 'x'.repeat(i) });
      const dict = SharedDict(model);
      const change = (map: { set(key: number, value: unknown): unknown; delete(key: number): unknown }) => {
        for (let i = 0; i < 200; i++) map.set(size + i, { i });
        for (let i = 0; i < size; i += 2) map.set(i, 'changed');
        for (let i = 0; i < size; i += 7) map.delete(i);
        for (let i = 0; i < size; i += 14) map.set(i, 'back');
      };
      change(model);
      transact(dict, change);
      assert.deepEqual([...dict], [...model]);
      for (const [key, value] of model) assert.deepEqual(dict.get(key), value);
    });
  }

  test('is all or nothing for others, also when it is killed', async () => {
    const dict = SharedDict({ one: 0, other: 0 });
    for (let round = 0; round < 5; round++) {
      const before = dict.get('one');
      const child = start('writePairs', dict);
      await eventually('it writes', () => dict.get('one') > before + 20);
      for (let i = 0; i < 200; i++) {
        const { one, other } = dict.toObject();
        assert.equal(one, other);
      }
      child.kill();
      await child.join();
      const { one, other } = dict.toObject();
      assert.equal(one, other);
    }
  });

  test('of several processes none is lost', async () => {
    const dict = SharedDict({ a: 1000, b: 0, c: 0 });
    const children = [start('transferMany', dict, 'a', 'b', 200), start('transferMany', dict, 'a', 'c', 200)];
    for (const child of children) assert.equal(await child.join({ timeout: 60_000 }), true);
    assert.deepEqual(dict.toObject(), { a: 600, b: 200, c: 200 });
  });

  test('is not starved by who writes all the time', async () => {
    const dict = dictOf({ a: 0 });
    const stop = RawArray('i', 1);
    const child = start('writeUntil', dict, stop);
    await eventually('it writes', () => dict.get('noise', 0) > 100);
    for (let i = 0; i < 20; i++) {
      transact(dict, (d) => {
        const until = performance.now() + 2;
        while (performance.now() < until);
        d.increment('a');
      });
    }
    assert.equal(dict.get('a'), 20);
    const before = dict.get('noise')!;
    await eventually('it still writes', () => dict.get('noise')! > before);
    Atomics.store(stop, 0, 1);
    assert.equal(await child.join({ timeout: 10_000 }), true);
  });
});

describe('between processes', () => {
  test('what one writes, the others read', async () => {
    const dict = dictOf({ here: 1 });
    const child = start('setEntry', dict, 'there', { a: [1] });
    assert.equal(await child.result(), 2);
    assert.deepEqual(
      [...dict],
      [
        ['here', 1],
        ['there', { a: [1] }],
      ],
    );
  });

  test('handles, messages, results and arguments lead to the same one', async () => {
    const dict = SharedDict({ a: 1 });
    assert.equal(open(handleOf(dict)), dict);
    assert.equal(open(dict.handle, SharedDict as never), dict);
    assert.ok(dict instanceof (SharedDict as never));
    assert.equal((fromMessage(toMessage([dict])) as unknown[])[0], dict);
    const { shared, handle } = (await start('giveBack', dict).result()) as { shared: unknown; handle: string };
    assert.equal(shared, dict);
    assert.equal(handle, dict.handle);
    assert.throws(() => open(dict.handle, Lock as never), TypeError);
    assert.throws(() => open(dict.handle.replace('dict', 'namespace')), hasCode('ERR_MULTIPROCESS_VALUE'));
  });

  test('increments and computations of several are all there', async () => {
    const dict = SharedDict<string, number>();
    const names = ['incrementMany', 'computeMany', 'incrementMany'] as const;
    const children = names.map((name) => start(name, dict, 'n', 1000));
    for (const child of children) assert.equal(await child.join({ timeout: 60_000 }), true);
    assert.equal(dict.get('n'), 3000);
  });

  test('compareAndSet of a large value that another replaces meanwhile looks again', async () => {
    const dict = dictOf({ large: 'none yet' });
    const stop = RawArray('i', 1);
    const child = start('replaceLargeUntil', dict, 'large', stop);
    await eventually('it writes', () => dict.get('large') !== 'none yet');
    const other = new Uint8Array(80_000);
    for (let i = 0; i < 3000; i++) assert.equal(dict.compareAndSet('large', other, other), false);
    Atomics.store(stop, 0, 1);
    assert.equal(await child.join({ timeout: 60_000 }), true);
  });

  test('disposed of, it throws at every use', async () => {
    const dict = dictOf({ a: 1 });
    const waiting = assert.rejects(dict.changed(), stale);
    await new Promise((resolve) => setTimeout(resolve, 20));
    dict.dispose();
    await waiting;
    for (const use of [
      () => dict.get('a'),
      () => dict.set('a', 1),
      () => dict.has('a'),
      () => dict.delete('a'),
      () => dict.clear(),
      () => dict.size,
      () => [...dict],
      () => dict.popitem(),
      () => dict.increment('a'),
      () => dict.compute('a', () => 1),
      () => dict.compareAndSet('a', 1, 2),
      () => dict.update({ a: 1 }),
      () => transact(dict, () => 1),
      () => dict.dispose(),
      () => open(dict.handle),
    ]) {
      assert.throws(use, stale, String(use));
    }
    await assert.rejects(dict.changed(), stale);
    assert.equal(inspect(dict), 'DictProxy { disposed }');
  });
});

describe('caches', () => {
  test('entries expire', async () => {
    const dict = SharedDict<string, number>([['a', 1]], { ttl: 40 });
    dict.set('b', 2, { ttl: 1e6 });
    dict.set('c', 3, { ttl: Number.POSITIVE_INFINITY });
    assert.equal(dict.size, 3);
    await eventually('a has expired', () => !dict.has('a'));
    assert.equal(dict.get('a'), undefined);
    assert.equal(dict.size, 2);
    assert.deepEqual([...dict.keys()], ['b', 'c']);
    assert.equal(dict.delete('a'), false);
    assert.equal(dict.increment('a'), 1);
    assert.deepEqual([...dict.keys()], ['b', 'c', 'a']);
    assert.throws(() => dict.set('a', 1, { ttl: -1 }), RangeError);
    assert.throws(() => dict.set('a', 1, { ttl: '1' as never }), TypeError);
    assert.throws(() => dict.set('a', 1, 5 as never), TypeError);
  });

  test('an entry that is set again lives on; one that is incremented ends when it would have', async () => {
    const dict = SharedDict<string, number>();
    dict.set('short', 1, { ttl: 60 }).set('renewed', 1, { ttl: 60 });
    dict.increment('short');
    dict.set('renewed', 2);
    await eventually('it has expired', () => !dict.has('short'));
    assert.equal(dict.get('renewed'), 2);
  });

  test('what has expired is let go of by the way', async () => {
    const dict = SharedDict<number, number>(null, { ttl: 20 });
    for (let i = 0; i < 100; i++) dict.set(i, i);
    const { blocks } = usage(treeHeap());
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(dict.size, 0);
    for (let i = 0; i < 60; i++) dict.set(-1, i);
    assert.ok(usage(treeHeap()).blocks <= blocks - 90);
  });

  test('the oldest goes when there are too many', () => {
    const dict = SharedDict<string, number>(null, { maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) dict.set(key, 0);
    dict.set('a', 1);
    dict.set('d', 0);
    assert.deepEqual([...dict.keys()], ['b', 'c', 'd']);
    dict.update({ e: 1, f: 1, g: 1, h: 1 });
    assert.deepEqual([...dict.keys()], ['f', 'g', 'h']);
    transact(dict, (d) => d.update({ i: 1, j: 1 }));
    assert.deepEqual([...dict.keys()], ['h', 'i', 'j']);
    dict.clear();
    for (let i = 0; i < 10; i++) dict.increment(String(i));
    assert.equal(dict.size, 3);
  });
});

describe('changed', () => {
  test('comes with the next write, by anybody', async () => {
    const dict = dictOf({ a: 1 });
    const [any, a, b] = [dict.changed(), dict.changed('a'), dict.changed('b', { timeout: 5000 })];
    const child = start('setEntry', dict, 'a', 2);
    assert.deepEqual([await any, await a], [true, true]);
    await child.join();
    dict.set('b', 1);
    assert.equal(await b, true);
    for (const write of [
      () => dict.set('a', 3),
      () => dict.increment('a'),
      () => dict.delete('a'),
      () => dict.update({ a: 1 }),
      () => transact(dict, (d) => d.set('a', 5)),
      () => dict.popitem(),
      () => dict.set('a', 3, { ttl: 1e6 }),
      () => dict.clear(),
    ]) {
      const changed = dict.changed('a', { timeout: 5000 });
      write();
      assert.equal(await changed, true, String(write));
    }
  });

  test('not with reads, nor with what changes nothing; and ends in time, or when it is told to', async () => {
    const dict = dictOf({ a: 1 });
    const changed = dict.changed(undefined, { timeout: 60 });
    dict.get('a');
    dict.delete('zz');
    dict.compareAndSet('a', 5, 6);
    dict.setdefault('a', 6);
    assert.equal(await changed, false);
    assert.equal(await dict.changed('a', { timeout: 0 }), false);
    const reason = new Error('mine');
    const controller = new AbortController();
    const waiting = dict.changed('a', { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(dict.changed('a', { timeout: Number.NaN }), RangeError);
    await assert.rejects(dict.changed({} as never), TypeError);
  });
});

test('is shown with what is in it, circles marked', () => {
  const dict = dictOf({ a: 1 });
  dict.set('self', dict);
  assert.equal(inspect(dict), "DictProxy(2) { 'a' => 1, 'self' => [Circular DictProxy(2)] }");
  assert.equal(inspect({ x: { y: { dict } } }), '{\n  x: { y: { dict: [DictProxy(2)] } }\n}'.replace(/\n */g, ' '));
  assert.throws(() => JSON.stringify(dict), TypeError);
  dict.delete('self');
  if ('markAsUncloneable' in process.getBuiltinModule('node:worker_threads')) {
    assert.throws(() => structuredClone(dict), { name: 'DataCloneError' });
  }
});

test('memory of what is replaced and deleted is used again', async () => {
  const heap = treeHeap();
  const dict = SharedDict<number, unknown>();
  const round = (seed: number) => {
    for (let i = 0; i < 500; i++) dict.set(i, i % 2 ? 'x'.repeat((i * seed) % 300) : { i, seed, list: [1, 2, 3] });
    for (let i = 0; i < 500; i += 3) dict.delete(i);
  };
  for (let seed = 0; seed < 5; seed++) round(seed);
  const extents = heap.memory.extentCount;
  // A minute with MINUTES=1.
  const end = performance.now() + (Number(process.env['MINUTES'] ?? 0) * 60_000 || 2000);
  let most = 0;
  for (let seed = 5; performance.now() < end; seed++) {
    round(seed);
    most = Math.max(most, heap.memory.extentCount);
  }
  assert.ok(most <= extents + 1, `${extents} extents became ${most}`);
});
