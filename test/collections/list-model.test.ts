// A shared list beside an array, through any sequence of operations that fast-check comes up with. More: RUNS=5000. Again: SEED=.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type ListProxy, SharedList } from 'multiprocess';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/collections/index.js';
import { seedOf } from '../support/random.js';

const RUNS = Number(process.env['RUNS'] ?? 500);

interface Model {
  items: unknown[];
}
type Step = fc.Command<Model, ListProxy>;

/** Does the same to both; what it returns, or throws, must be the same. */
function step(text: string, ofList: (list: ListProxy) => unknown, ofArray: (items: unknown[]) => unknown): Step {
  return {
    check: () => true,
    run: (model, list) => {
      const [found, expected] = [outcomeOf(() => ofList(list)), outcomeOf(() => ofArray(model.items))];
      assert.deepEqual(found, expected);
      assert.equal(list.length, model.items.length);
      assert.deepEqual(list.copy(), model.items);
      for (const index of [0, model.items.length >> 1, -1]) assert.deepEqual(list.at(index), model.items.at(index));
    },
    toString: () => text,
  };
}

function outcomeOf(act: () => unknown): unknown {
  try {
    return { returned: act() };
  } catch (error) {
    return { thrown: (error as { code?: string }).code ?? (error as Error).name };
  }
}

const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }),
  fc.constantFrom('', 'short', 'a text that needs a block of its own', 'ä€😀', 'x'.repeat(3000), 'y'.repeat(70_000)),
  fc.integer({ min: 0, max: 2 }).map((n) => ({ n })),
  fc.constantFrom<unknown>(null, undefined, true, 5n, new Uint8Array(3), new Uint8Array(50)),
);
/** Few values mostly, now and then as many as several chunks have. */
const values = fc.oneof(
  { weight: 8, arbitrary: fc.array(value, { maxLength: 6 }) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.integer({ min: 100, max: 400 }), value).map(([n, last]) => [...new Array(n).keys(), last]),
  },
);
const index = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(127, 128, 129, 255, 256),
);
const absent = (): never => {
  throw Object.assign(new Error(), { code: 'ERR_MULTIPROCESS_VALUE' });
};
const outside = (): never => {
  throw new RangeError();
};
const resolved = (items: unknown[], at: number) => (at < 0 ? at + items.length : at);
const isIn = (items: unknown[], at: number) => resolved(items, at) >= 0 && resolved(items, at) < items.length;
const put = (items: unknown[], at: number, item: unknown): unknown =>
  items.splice(resolved(items, at), 1, item) && item;
const same = (wanted: unknown) => (item: unknown) =>
  Object.is(item, wanted) || item === wanted || isDeepStrictEqual(item, wanted);
const byText = (a: unknown, b: unknown) => {
  const [x, y] = [inJson(a), inJson(b)];
  return x < y ? -1 : Number(x > y);
};
const inJson = (item: unknown) => (typeof item === 'bigint' ? `${item}` : (JSON.stringify(item) ?? '')).slice(0, 20);

const steps: fc.Arbitrary<Step>[] = [
  value.map((v) =>
    step(
      'append',
      (list) => list.append(v),
      (items) => void items.push(v),
    ),
  ),
  values.map((v) =>
    step(
      `push ${v.length}`,
      (list) => list.push(...v),
      (items) => items.push(...v),
    ),
  ),
  values.map((v) =>
    step(
      `extend ${v.length}`,
      (list) => list.extend(v),
      (items) => void items.push(...v),
    ),
  ),
  fc.tuple(index, value).map(([at, v]) =>
    step(
      `insert ${at}`,
      (list) => list.insert(at, v),
      (items) => void items.splice(at, 0, v),
    ),
  ),
  fc.tuple(index, value).map(([at, v]) =>
    step(
      `set ${at}`,
      (list) => list.set(at, v),
      (items) => (isIn(items, at) ? void put(items, at, v) : outside()),
    ),
  ),
  fc.constant(
    step(
      'pop',
      (list) => list.pop(),
      (items) => items.pop(),
    ),
  ),
  index.map((at) =>
    step(
      `pop ${at}`,
      (list) => list.pop(at),
      (items) =>
        items.length === 0 ? undefined : isIn(items, at) ? items.splice(resolved(items, at), 1)[0] : outside(),
    ),
  ),
  fc.integer({ min: 1, max: 200 }).map((times) =>
    step(
      `pop the first ${times} times`,
      (list) => {
        for (let i = 0; i < times; i++) list.pop(0);
      },
      (items) => void items.splice(0, times),
    ),
  ),
  fc
    .tuple(index, fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 400 })), values)
    .map(([at, n, v]) =>
      step(
        `splice ${at} ${n} ${v.length}`,
        (list) => list.splice(at, n, ...v),
        (items) => items.splice(at, n, ...v),
      ),
    ),
  fc.tuple(index, index).map(([from, to]) =>
    step(
      `slice ${from} ${to}`,
      (list) => list.slice(from, to),
      (items) => items.slice(from, to),
    ),
  ),
  value.map((v) =>
    step(
      'remove',
      (list) => list.remove(v),
      (items) => {
        const at = items.findIndex(same(v));
        return at < 0 ? absent() : void items.splice(at, 1);
      },
    ),
  ),
  value.map((v) =>
    step(
      'index',
      (list) => list.index(v),
      (items) => {
        const at = items.findIndex(same(v));
        return at < 0 ? absent() : at;
      },
    ),
  ),
  value.map((v) =>
    step(
      'count',
      (list) => list.count(v),
      (items) => items.filter(same(v)).length,
    ),
  ),
  fc.constant(
    step(
      'reverse',
      (list) => list.reverse(),
      (items) => void items.reverse(),
    ),
  ),
  // Array.prototype.sort has undefined elements last, and does not ask.
  fc.constant(
    step(
      'sort',
      (list) => list.sort(byText),
      (items) => {
        const boxed = items.map((item) => ({ item }));
        boxed.sort((a, b) => byText(a.item, b.item));
        items.splice(0, items.length, ...boxed.map(({ item }) => item));
      },
    ),
  ),
  fc.tuple(index, value).map(([at, v]) =>
    step(
      `compute ${at}`,
      (list) => list.compute(at, (old) => [old, v]),
      (items) => (isIn(items, at) ? put(items, at, [items.at(at), v]) : outside()),
    ),
  ),
  fc.constant(
    step(
      'clear',
      (list) => list.clear(),
      (items) => void items.splice(0),
    ),
  ),
];

test(`as an array, ${RUNS} times`, { timeout: 600_000 }, (context) => {
  const seed = seedOf();
  context.diagnostic(`SEED=${seed}`);
  const heap = Heap.join(SharedList().handle.split(':')[2]!, false)!;
  fc.configureGlobal({ includeErrorInReport: true });
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 3 }),
      fc.commands(steps, { maxCommands: 60, size: 'max' }),
      (start, commands) => {
        const list = SharedList(start);
        fc.modelRun(() => ({ model: { items: [...start] }, real: list }), commands);
        assert.deepEqual(checkHeap(heap).problems, []);
        list.dispose();
      },
    ),
    { numRuns: RUNS, seed },
  );
  heap.leave();
});
