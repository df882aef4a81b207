// SharedList: the list parts of CPython's _TestContainers, and what else a list of processes must do.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import {
  Event,
  fromMessage,
  handleOf,
  ListProxy,
  Lock,
  open,
  Process,
  RawArray,
  registerType,
  SharedList,
  toMessage,
} from 'multiprocess';
import '../../src/collections/index.js';
import { Heap } from '../../src/heap/heap.js';
import {
  appendNumbers,
  changeAll,
  dropsAndMakes,
  increment,
  innerOf,
  returnsItself,
  squareAndReverse,
} from '../programs/list-targets.js';
import { hasCode } from '../support/errors.js';
import { collectGarbage } from '../support/gc.js';
import { usage } from '../support/heap-usage.js';

const count = (length: number, from = 0): number[] => Array.from({ length }, (_, i) => from + i);
const STALE = hasCode('ERR_MULTIPROCESS_STALE_HANDLE');

async function finish(child: Process): Promise<void> {
  await child.join();
  assert.equal(child.exitCode, 0);
}

describe('as CPython tests it', () => {
  test('list', () => {
    const a = SharedList<unknown>(count(10));
    assert.deepEqual(a.slice(), count(10));

    const b = SharedList<number>();
    assert.deepEqual(b.slice(), []);
    b.extend(count(5));
    assert.deepEqual(b.slice(), count(5));
    assert.equal(b.get(2), 2);
    assert.deepEqual(b.slice(2, 10), [2, 3, 4]);
    b.extend(b);
    assert.deepEqual(b.slice(), [...count(5), ...count(5)]);
    b.extend([5, 6]);
    assert.deepEqual(b.slice(), [...count(5), ...count(5), 5, 6]);
    assert.deepEqual(a.slice(), count(10));

    const d: ListProxy[] = [a, b];
    const e = SharedList(d);
    assert.deepEqual(
      [...e].map((element) => element.slice()),
      [count(10), [...count(5), ...count(5), 5, 6]],
    );
    const f = SharedList<ListProxy>([a]);
    a.append('hello');
    assert.deepEqual(f.get(0).slice(), [...count(10), 'hello']);
  });

  test('list of lists, inside and behind', () => {
    const inner = count(5).map(() => SharedList<unknown>(['a', 'b']));
    const outer = SharedList(inner);
    outer.get(0).append(3);
    outer.append(SharedList<unknown>());
    assert.equal(outer.get(0), inner[0]);
    assert.deepEqual(outer.get(0).slice(), ['a', 'b', 3]);
    assert.deepEqual(outer.get(-1).slice(), []);
    assert.deepEqual(outer.get(-2).slice(), ['a', 'b']);
  });

  test('iteration', () => {
    const a = SharedList(count(10));
    assert.deepEqual([...a], count(10));
    const iterator = a[Symbol.iterator]();
    assert.equal(iterator.next().value, 0);
    a.clear();
    assert.equal(iterator.next().value, 1); // as it was
    assert.deepEqual([...a], []);
  });

  test('a proxy in a list is the same proxy; a list may contain itself', () => {
    const a = SharedList<unknown>(count(3));
    a.append(a);
    assert.equal(a.get(3), a);
    assert.equal((a.get(-1) as ListProxy).get(-1), a);
    assert.equal(a.index(a), 3);
    a.clear();
  });
});

describe('methods', () => {
  test('get, at, set, negative and outside', () => {
    const list = SharedList(['a', 'b', 'c']);
    assert.deepEqual(
      [list.get(0), list.get(-1), list.at(-3), list.at(3), list.at(-4)],
      ['a', 'c', 'a', undefined, undefined],
    );
    list.set(-1, 'z');
    list.set(0, 'a longer text, which needs a block');
    assert.deepEqual(list.copy(), ['a longer text, which needs a block', 'b', 'z']);
    for (const index of [3, -4, Number.POSITIVE_INFINITY]) {
      assert.throws(() => list.get(index), RangeError);
      assert.throws(() => list.set(index, 'x'), RangeError);
      assert.throws(() => list.pop(index), RangeError);
      assert.throws(() => list.compute(index, () => 'x'), RangeError);
    }
    assert.equal(list.length, 3);
  });

  test('append, push, extend, insert', () => {
    const list = SharedList<number>();
    list.append(1);
    assert.equal(list.push(2, 3), 3);
    assert.equal(list.push(), 3);
    list.extend(new Set([4, 5]));
    list.extend([]);
    list.insert(0, 0);
    list.insert(100, 7);
    list.insert(-1, 6);
    list.insert(-100, -1);
    list.insert(Number.NEGATIVE_INFINITY, -2);
    assert.deepEqual(list.copy(), [-2, -1, 0, 1, 2, 3, 4, 5, 6, 7]);
    const many = SharedList<string | number>(['first']);
    assert.equal(many.push(...count(1000)), 1001);
    many.extend(count(300).map((i) => `a text that needs a block ${i}`));
    assert.deepEqual(many.copy(), [
      'first',
      ...count(1000),
      ...count(300).map((i) => `a text that needs a block ${i}`),
    ]);
  });

  test('pop, from the end, from the beginning, from anywhere', () => {
    const list = SharedList<unknown>([0, { a: 1 }, new Lock(), 'x'.repeat(100_000), 4, new Date(5)]);
    assert.deepEqual(list.pop(), new Date(5));
    assert.deepEqual([list.pop(0), list.pop(1) instanceof Lock, list.pop(1)], [0, true, 'x'.repeat(100_000)]);
    assert.deepEqual(
      [list.pop(-2), list.pop(), list.pop(), list.pop(0), list.pop(3)],
      [{ a: 1 }, 4, undefined, undefined, undefined],
    );
    assert.equal(list.length, 0);
  });

  test('remove, index and count compare by value', () => {
    const lock = new Lock();
    const list = SharedList<unknown>([
      1,
      'a',
      { x: 1, y: [2] },
      Number.NaN,
      1,
      lock,
      -0,
      { y: [2], x: 1 },
      { lock },
      5n,
    ]);
    assert.equal(list.index({ y: [2], x: 1 }), 2);
    assert.deepEqual([list.index(Number.NaN), list.index(0), list.index(lock), list.index(5n)], [3, 6, 5, 9]);
    assert.equal(list.index({ lock }), 8);
    assert.deepEqual([list.count(1), list.count({ x: 1, y: [2] }), list.count('1'), list.count(lock)], [2, 2, 0, 1]);
    assert.throws(() => list.index(new Lock()), hasCode('ERR_MULTIPROCESS_VALUE'));
    assert.throws(() => list.index({ lock: new Lock() }), hasCode('ERR_MULTIPROCESS_VALUE'));
    list.remove(1);
    list.remove(lock);
    assert.throws(() => list.remove('absent'), hasCode('ERR_MULTIPROCESS_VALUE'));
    assert.throws(() => list.index('absent'), hasCode('ERR_MULTIPROCESS_VALUE'));
    assert.deepEqual(list.slice(0, 5), ['a', { x: 1, y: [2] }, Number.NaN, 1, -0]);
    assert.throws(() => list.count(() => 1), hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'));
  });

  test('reverse and sort', () => {
    const numbers = SharedList<number | bigint | boolean>([
      10,
      9,
      -1,
      2.5,
      3n,
      true,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ]);
    numbers.sort();
    assert.deepEqual(numbers.copy(), [Number.NEGATIVE_INFINITY, -1, true, 2.5, 3n, 9, 10, Number.NaN]);
    numbers.reverse();
    assert.deepEqual(numbers.slice(0, 3), [Number.NaN, 10, 9]);
    const texts = SharedList(['b', '\u{1f600}', 'a', '\uffee', 'ab', '']);
    texts.sort();
    assert.deepEqual(texts.copy(), ['', 'a', 'ab', 'b', '\uffee', '\u{1f600}']);
    const people = SharedList(count(1000).map((i) => ({ age: i % 7, i, name: `the name of person number ${i}` })));
    people.sort((a, b) => a.age - b.age);
    assert.deepEqual(
      people.copy().map(({ i }) => i),
      count(1000).sort((a, b) => (a % 7) - (b % 7)),
    );
    for (const mixed of [
      [1, 'a'],
      [{}, {}],
      [undefined, 1],
      [null, null],
    ]) {
      const list = SharedList<unknown>(mixed);
      assert.throws(() => list.sort(), TypeError);
      assert.deepEqual(list.copy(), mixed);
    }
    assert.throws(
      () =>
        people.sort(() => {
          throw new RangeError('on purpose');
        }),
      /on purpose/,
    );
    assert.throws(() => people.sort(1 as never), TypeError);
    const few = SharedList<unknown>([{}]);
    few.sort();
    few.reverse();
    assert.deepEqual(few.copy(), [{}]);
  });

  test('slice and splice are those of arrays', () => {
    const bounds = [undefined, 0, 1, 2, 9, -1, -2, -9, 1.7, Number.NaN, Number.POSITIVE_INFINITY];
    for (const start of bounds) {
      for (const second of bounds) {
        const [list, array] = [SharedList(count(4)), count(4)];
        assert.deepEqual(list.slice(start, second), array.slice(start, second));
        assert.deepEqual(
          list.splice(start as number, second, 7, 8),
          array.splice(start as number, second as number, 7, 8),
        );
        assert.deepEqual(list.copy(), array, `${start}, ${second}`);
        assert.deepEqual(list.splice(start as number), array.splice(start as number));
        assert.deepEqual(list.copy(), array);
      }
    }
    const list = SharedList(count(4));
    assert.deepEqual((list.splice as () => unknown)(), []);
    assert.throws(() => list.slice('1' as never), TypeError);
    assert.throws(() => list.splice(0, '1' as never), TypeError);
    assert.deepEqual(list.copy(), count(4));
  });

  test('compute', () => {
    const list = SharedList<any>([1, { n: 1 }]);
    assert.equal(
      list.compute(0, (old) => old + 1),
      2,
    );
    assert.deepEqual(
      list.compute(-1, ({ n }) => ({ n: n + 1 })),
      { n: 2 },
    );
    assert.throws(() => list.compute(0, async () => 1), TypeError);
    // biome-ignore lint/suspicious/noThenProperty: that is what is refused
    assert.throws(() => list.compute(0, () => ({ then() {} })), TypeError);
    assert.throws(
      () =>
        list.compute(0, () => {
          throw new RangeError('on purpose');
        }),
      /on purpose/,
    );
    assert.throws(() => list.compute(0, () => () => 1), hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'));
    assert.throws(() => list.compute(0, undefined as never), TypeError);
    assert.deepEqual(list.copy(), [2, { n: 2 }]);
  });

  test('compute, with a function that changes the same list', () => {
    const list = SharedList([1, 2]);
    assert.equal(
      list.compute(0, (old) => {
        list.append(9);
        list.set(1, 5);
        return old + 1;
      }),
      2,
    );
    assert.deepEqual(list.copy(), [2, 5, 9]);
    let calls = 0;
    const changing = () =>
      list.compute(0, (old) => {
        calls += 1;
        list.set(0, old + 100);
        return old;
      });
    assert.throws(changing, hasCode('ERR_MULTIPROCESS_REENTRANT'));
    assert.ok(calls < 20);
    // Once only: then it is called again.
    calls = 0;
    list.compute(1, (old) => {
      if (calls++ === 0) list.set(1, 50);
      return old + 1;
    });
    assert.equal(list.get(1), 51);
    assert.equal(
      list.compute(0, () => list.compute(1, (old) => old + 1)),
      52,
    );
  });

  test('clear, copy, JSON, inspect', () => {
    const list = SharedList<unknown>([1, [2, { a: SharedList(['deep']) }], new Date(0)]);
    assert.equal(JSON.stringify(list), '[1,[2,{"a":["deep"]}],"1970-01-01T00:00:00.000Z"]');
    assert.equal(JSON.stringify({ list: SharedList([1]) }), '{"list":[1]}');
    assert.equal(inspect(SharedList([1, 'x'])), "ListProxy(2) [ 1, 'x' ]");
    const [outer, inner] = [SharedList<unknown>(), SharedList<unknown>()];
    outer.append(inner);
    inner.extend([outer, SharedList([SharedList([SharedList([1])])])]);
    assert.equal(
      inspect(outer, { depth: Number.POSITIVE_INFINITY, breakLength: Number.POSITIVE_INFINITY }),
      'ListProxy(1) [ ListProxy(2) [ [Circular ListProxy(1)], ListProxy(1) [ ListProxy(1) [ ListProxy(1) [ 1 ] ] ] ] ]',
    );
    assert.equal(inspect(outer, { depth: 0 }), 'ListProxy(1) [ [ListProxy(2)] ]');
    assert.throws(() => JSON.stringify(outer), TypeError);
    inner.clear();
    list.clear();
    list.clear();
    assert.deepEqual([list.length, list.copy(), [...list]], [0, [], []]);
    list.append(1);
    assert.deepEqual(list.copy(), [1]);
  });

  test('wrong arguments', () => {
    const list = SharedList([1]);
    for (const index of ['0', 0.5, Number.NaN, undefined, null]) {
      assert.throws(() => list.get(index as never), TypeError);
      assert.throws(() => list.at(index as never), TypeError);
      assert.throws(() => list.set(index as never, 1), TypeError);
      assert.throws(() => list.insert(index as never, 1), TypeError);
    }
    assert.throws(() => list.pop('0' as never), TypeError);
    for (const values of [1, null, undefined, {}]) assert.throws(() => list.extend(values as never), TypeError);
    for (const values of [1, {}, () => 1]) assert.throws(() => SharedList(values as never), TypeError);
    assert.throws(() => new (ListProxy as unknown as new () => unknown)(), TypeError);
    assert.deepEqual(list.copy(), [1]);
  });

  test('what cannot travel changes nothing, whichever of several values it is', () => {
    const list = SharedList<unknown>([1]);
    const bad = () => 1;
    class Unknown {}
    const attempts = [
      () => list.append(bad),
      () => list.push(2, bad),
      () => list.extend([...count(300), { deep: [bad] }]),
      () => list.insert(0, new Unknown()),
      () => list.set(0, bad),
      () => list.splice(0, 1, 2, Symbol('s')),
      () => list.splice(0, 1, bad),
      () => SharedList([1, bad]),
    ];
    for (const attempt of attempts) assert.throws(attempt, hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'));
    assert.throws(() => list.extend([...count(300), { deep: [bad] }]), /values\[300\]\.deep\[0\]/);
    assert.deepEqual(list.copy(), [1]);
  });

  test('a value that cannot be decoded stays where it is', () => {
    class Sealed {
      readonly fails: boolean;
      constructor(fails: boolean) {
        this.fails = fails;
      }
    }
    registerType(Sealed, {
      encode: ({ fails }) => fails,
      decode: (fails) => {
        if (fails) throw new RangeError('not here');
        return new Sealed(false);
      },
    });
    const list = SharedList<unknown>([new Sealed(false), new Sealed(true)]);
    assert.throws(() => list.pop(), /not here/);
    assert.throws(() => list.copy(), /not here/);
    assert.throws(() => list.splice(0, 2, 'instead'), /not here/);
    assert.equal(list.length, 2);
    assert.ok(list.pop(0) instanceof Sealed);
    list.clear();
  });
});

describe('as an object', () => {
  test('handles, messages, instanceof', () => {
    const list = SharedList([1]);
    assert.ok(list instanceof ListProxy);
    assert.equal(open(handleOf(list)), list);
    assert.equal(open(list.handle, ListProxy), list);
    assert.equal(fromMessage(toMessage(list)), list);
    assert.throws(() => open(list.handle, Lock as never), TypeError);
    assert.throws(() => open(list.handle.replace('sharedlist', 'lock')), hasCode('ERR_MULTIPROCESS_VALUE'));
    assert.match(list.handle, /^mp:sharedlist:/);
  });

  test('dispose', () => {
    const list = SharedList<unknown>([1, new Lock()]);
    const holder = SharedList<unknown>([list]);
    const { handle } = list;
    list.dispose();
    const attempts = [
      () => list.get(0),
      () => list.length,
      () => list.append(1),
      () => list.pop(),
      () => list.copy(),
      () => list.extend(count(300)),
      () => list.splice(0, 1),
      () => list.reverse(),
      () => list.sort(),
      () => list.clear(),
      () => list.compute(0, () => 1),
      () => list.remove(1),
      () => list.index(1),
      () => list.dispose(),
      () => open(handle),
      () => holder.get(0),
      () => holder.append(list),
    ];
    for (const attempt of attempts) assert.throws(attempt, STALE, String(attempt));
    assert.equal(inspect(list), 'ListProxy { disposed }');
    assert.equal(holder.length, 1);
    holder.set(0, 'gone');
    assert.deepEqual(holder.copy(), ['gone']);
  });

  test('what was in a list is let go of with it', async () => {
    SharedList(); // joins the heap
    const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
    await collectGarbage();
    heap.bury();
    const before = usage(heap);
    const fill = () => {
      const inner = SharedList(count(1000).map((i) => ({ name: `a text that needs a block ${i}` })));
      const outer = SharedList<unknown>([inner, new Lock(), [inner, new Event()], 'x'.repeat(200_000)]);
      for (let i = 0; i < 500; i++) outer.append({ inner, i });
      for (let i = 0; i < 100; i++) outer.pop(7);
      outer.reverse();
      outer.splice(10, 200);
      return outer.length;
    };
    assert.equal(fill(), 204);
    for (let i = 0; i < 20; i++) await collectGarbage();
    heap.bury();
    assert.deepEqual(usage(heap), before);
    heap.leave();
  });

  test('replacing values for a while takes no more room', () => {
    const list = SharedList<unknown>();
    const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
    const round = (i: number) => {
      list.append(`a text that needs a block ${i}`);
      list.insert(0, { i });
      list.set(i % list.length, 'y'.repeat(i % 500));
      list.splice(i % list.length, 3, i, i);
      if (list.length > 200) list.splice(20, 100);
      list.pop(i % 2);
    };
    for (let i = 0; i < 2000; i++) round(i);
    list.splice(0, list.length - 10);
    const { blocks } = usage(heap);
    for (let i = 0; i < 5000; i++) round(i);
    list.splice(0, list.length - 10);
    heap.bury();
    assert.ok(usage(heap).blocks <= blocks + 20, `${usage(heap).blocks}, and ${blocks} before`);
    heap.leave();
  });
});

describe('between processes', () => {
  test('appended by several at once, each in order', { timeout: 60_000 }, async () => {
    const list = SharedList<number>();
    const children = count(3).map((i) => new Process({ target: appendNumbers, args: [list, i * 10_000, 1000] }));
    for (const child of children) child.start();
    for (const child of children) await finish(child);
    assert.equal(list.length, 3000);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(
        [...list].filter((value) => Math.floor(value / 10_000) === i),
        count(1000, i * 10_000),
      );
    }
  });

  test('compute loses nothing', { timeout: 60_000 }, async () => {
    const list = SharedList([0, 0]);
    const children = count(3).map(() => new Process({ target: increment, args: [list, 2000] }));
    for (const child of children) child.start();
    increment(list, 2000);
    for (const child of children) await finish(child);
    assert.deepEqual(list.copy(), [4000, 4000]);
  });

  test('arguments, results, nested lists', { timeout: 60_000 }, async () => {
    const list = SharedList(count(10));
    const square = new Process({ target: squareAndReverse, args: [list] });
    square.start();
    assert.equal(await square.result(), 10);
    assert.deepEqual(
      list.copy(),
      count(10)
        .map((i) => i * i)
        .reverse(),
    );
    const outer = SharedList<unknown>([SharedList(['from the parent'])]);
    const inner = new Process({ target: innerOf, args: [outer] });
    inner.start();
    assert.deepEqual(await inner.result(), ['from the parent', 'from the child']);
    assert.deepEqual((outer.get(0) as ListProxy).copy(), ['from the parent', 'from the child']);
    const same = new Process({ target: returnsItself, args: [outer] });
    same.start();
    assert.equal(await same.result(), outer);
    const [holder, held] = [SharedList<unknown>(), SharedList<unknown>(['held'])];
    const dropping = new Process({ target: dropsAndMakes, args: [holder, held] });
    dropping.start();
    await finish(dropping);
    const [found, deep] = holder.copy() as [ListProxy, [ListProxy, { deep: ListProxy }]];
    assert.ok(found === held && deep[0] === held && deep[1].deep === held);
  });

  test('what is read was there at one instant', { timeout: 60_000 }, async () => {
    const list = SharedList<string>();
    const stop = RawArray('i', 1);
    const text = 'a text that needs a block, and is the same in all elements';
    const child = new Process({ target: changeAll, args: [list, stop, text] });
    child.start();
    const seen = new Set<number>();
    const deadline = performance.now() + 30_000;
    for (let i = 0; i < 3000 || seen.size < 20; i++) {
      assert.ok(performance.now() < deadline && child.isAlive());
      const all = list.copy();
      assert.ok(new Set(all).size <= 1, `${new Set(all).size} different texts`);
      seen.add(all.length);
      const one = list.at(Math.floor(Math.random() * 300));
      assert.ok(one === undefined || one.startsWith(text), one);
    }
    stop[0] = 1;
    assert.ok((await child.result()) > 0);
  });

  test('in a worker thread', { timeout: 60_000 }, async () => {
    const list = SharedList([1]);
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      import('multiprocess').then(({ open }) => {
        const list = open(workerData);
        list.append('from a thread');
        parentPort.postMessage(list.copy());
      });`;
    const worker = new Worker(source, { eval: true, workerData: list.handle });
    assert.deepEqual(await new Promise((resolve) => worker.once('message', resolve)), [1, 'from a thread']);
    await worker.terminate();
    assert.deepEqual(list.copy(), [1, 'from a thread']);
  });
});
