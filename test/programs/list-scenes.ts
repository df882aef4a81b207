// What two or three threads do at the same time with a shared list, for test/collections/list-lockstep.test.ts.
import assert from 'node:assert/strict';
import { everything } from '../../src/collections/list-snapshot.js';
import type { HeapListStore } from '../../src/collections/list-store.js';
import type { Heap } from '../../src/heap/heap.js';
import { absent } from '../../src/values/internal.js';
import type { Ending, Facts, Part, Scene } from '../support/lockstep/scene.js';
import { listAt, makeItems, storeIn } from './list-operations.js';

const TEXT = 'a text that needs a block of its own';
const count = (length: number, from = 0): number[] => Array.from({ length }, (_, i) => from + i);
const numbersIn = (store: HeapListStore): number[] => store.values(everything) as number[];

/** One thread's part, which holds the list. */
function does(act: (store: HeapListStore) => number | void): Part {
  return {
    arm: (heap, facts) => void heap.open(listAt(facts)),
    act: (heap, facts) => act(storeIn(heap, facts)),
  };
}

/** The list in the end is one of these: what the living have done is there, what the dead have, or not. */
const isOneOf =
  (outcomes: (endings: readonly Ending[]) => readonly (readonly unknown[])[]) =>
  (survivor: Heap, facts: Facts, endings: readonly Ending[]): void => {
    survivor.bury();
    const found = storeIn(survivor, facts).values(everything);
    const allowed = outcomes(endings);
    assert.ok(
      allowed.some((items) => JSON.stringify(items) === JSON.stringify(found)),
      `${JSON.stringify(found).slice(0, 200)} of ${JSON.stringify(allowed).slice(0, 400)}`,
    );
    survivor.release(facts['address']!);
    survivor.release(facts['lock']!);
    survivor.bury();
  };

/** All that can have come about when each of some changes happens at once, in any order: those of the dead perhaps not. */
function anyOrder(start: readonly unknown[], changes: readonly ((items: unknown[]) => unknown[])[]) {
  return (endings: readonly Ending[]): (readonly unknown[])[] => {
    const outcomes: (readonly unknown[])[] = [];
    const go = (items: readonly unknown[], left: readonly number[]): void => {
      if (left.every((i) => endings[i]!.died)) outcomes.push(items);
      for (const i of left) {
        go(
          changes[i]!([...items]),
          left.filter((other) => other !== i),
        );
      }
    };
    go(
      start,
      changes.map((_, i) => i),
    );
    return outcomes;
  };
}

interface Pair {
  readonly name: string;
  readonly atLeast: number;
  readonly start: readonly (number | string)[];
  readonly changes: readonly {
    readonly act: (store: HeapListStore) => number | void;
    readonly model: (items: unknown[]) => unknown[];
  }[];
}

const scene = ({ name, atLeast, start, changes }: Pair): Scene => ({
  name,
  atLeast,
  prepare: (survivor) => makeItems(survivor, start),
  threads: changes.map(({ act }) => does(act)),
  verify: isOneOf(
    anyOrder(
      start,
      changes.map(({ model }) => model),
    ),
  ),
});

const appends = (value: unknown): Pair['changes'][number] => ({
  act: (store) => store.append(value),
  model: (items) => [...items, value],
});
const popsFirst: Pair['changes'][number] = {
  act: (store) => void store.pop(0),
  model: (items) => items.slice(1),
};
const popsLast: Pair['changes'][number] = {
  act: (store) => void store.pop(-1),
  model: (items) => items.slice(0, -1),
};
const reverses: Pair['changes'][number] = {
  act: (store) => store.reverse(),
  model: (items) => items.reverse(),
};
const inserts = (at: number, value: unknown): Pair['changes'][number] => ({
  act: (store) => store.insert(at, value),
  model: (items) => [...items.slice(0, at), value, ...items.slice(at)],
});
const splices = (start: number, removed: number, values: readonly unknown[]): Pair['changes'][number] => ({
  act: (store) => void store.splice((length) => [Math.min(start, length), Math.min(start + removed, length)], values),
  model: (items) => [...items.slice(0, start), ...values, ...items.slice(start + removed)],
});
const increments: Pair['changes'][number] = {
  act: (store) => void store.compute(0, (old) => (old as number) + 1),
  model: ([first, ...others]) => [(first as number) + 1, ...others],
};
const computesText: Pair['changes'][number] = {
  act: (store) => void store.compute(0, (old) => `${old as string}!`),
  model: ([first, ...others]) => [`${first as string}!`, ...others],
};
const clears: Pair['changes'][number] = { act: (store) => store.clear(), model: () => [] };
const sorts: Pair['changes'][number] = {
  act: (store) => store.sort(undefined),
  model: (items) => items.sort((a, b) => (a as number) - (b as number)),
};

/** Reads while others change: what is read is a list that there was at some instant. */
function reads(allowed: readonly (readonly number[])[]): Part {
  return does((store) => {
    const found = numbersIn(store);
    assert.ok(
      allowed.some((items) => JSON.stringify(items) === JSON.stringify(found)),
      `read ${JSON.stringify(found)}`,
    );
  });
}

/** Reads one element. @returns nothing; what it may be is told. */
function gets(index: number, allowed: readonly unknown[]): Part {
  return does((store) => {
    const found = store.get(index);
    assert.ok(allowed.includes(found), `read ${String(found)}`);
  });
}

const readingScene = (
  name: string,
  atLeast: number,
  start: readonly (number | string)[],
  writer: Pair['changes'][number],
  reader: Part,
): Scene => ({
  name,
  atLeast,
  prepare: (survivor) => makeItems(survivor, start),
  threads: [does(writer.act), reader],
  verify: (survivor, facts, endings) =>
    isOneOf((ends) => anyOrder(start, [writer.model])(ends.slice(0, 1)))(survivor, facts, endings),
});

export const scenes: readonly Scene[] = [
  scene({ name: 'append ‖ append', atLeast: 10, start: [1], changes: [appends(2), appends(TEXT)] }),
  scene({ name: 'append ‖ append, in an empty list', atLeast: 40, start: [], changes: [appends(1), appends(TEXT)] }),
  scene({ name: 'append ‖ pop first, the only one', atLeast: 20, start: [TEXT], changes: [appends(2), popsFirst] }),
  scene({ name: 'pop last ‖ pop first, of two', atLeast: 10, start: [1, TEXT], changes: [popsLast, popsFirst] }),
  scene({ name: 'insert ‖ pop first', atLeast: 40, start: [1, 2, 3], changes: [inserts(2, TEXT), popsFirst] }),
  scene({ name: 'append ‖ reverse', atLeast: 60, start: [1, 2, TEXT], changes: [appends(4), reverses] }),
  scene({ name: 'append ‖ sort', atLeast: 60, start: [3, 1, 2], changes: [appends(0), sorts] }),
  scene({
    name: 'splice ‖ splice',
    atLeast: 60,
    start: count(6),
    changes: [splices(1, 2, [10, 11]), splices(4, 1, [20])],
  }),
  scene({ name: 'compute ‖ compute', atLeast: 10, start: [0], changes: [increments, increments] }),
  scene({ name: 'compute ‖ compute ‖ append', atLeast: 10, start: [0], changes: [increments, increments, appends(1)] }),
  scene({ name: 'compute a text ‖ compute a text', atLeast: 20, start: [TEXT], changes: [computesText, computesText] }),
  scene({ name: 'clear ‖ append', atLeast: 30, start: [1, TEXT], changes: [clears, appends(2)] }),
  scene({ name: 'clear ‖ reverse', atLeast: 30, start: [1, 2], changes: [clears, reverses] }),
  readingScene(
    'reverse ‖ read all',
    60,
    [1, 2, 3],
    reverses,
    reads([
      [1, 2, 3],
      [3, 2, 1],
    ]),
  ),
  readingScene(
    'splice ‖ read all',
    60,
    count(6),
    splices(1, 2, [10, 11, 12]),
    reads([
      [0, 1, 2, 3, 4, 5],
      [0, 10, 11, 12, 3, 4, 5],
    ]),
  ),
  readingScene('pop first ‖ get first', 10, [TEXT, 2], popsFirst, gets(0, [TEXT, 2])),
  readingScene('clear ‖ get', 30, [1, TEXT], clears, gets(1, [TEXT, absent])),
  readingScene('insert into the middle ‖ get', 40, [1, 2, 3], inserts(1, TEXT), gets(1, [2, TEXT])),
  readingScene(
    'set a text ‖ get',
    10,
    [TEXT],
    {
      act: (store) => void store.set(0, 'another text in a block of its own'),
      model: ([, ...others]) => ['another text in a block of its own', ...others],
    },
    gets(0, [TEXT, 'another text in a block of its own']),
  ),
  {
    name: 'dispose ‖ append',
    atLeast: 30,
    prepare: (survivor) => makeItems(survivor, [1, TEXT]),
    threads: [
      {
        arm: (heap, facts) => void heap.open(listAt(facts)),
        act: (heap, facts) => heap.dispose(listAt(facts)),
      },
      does((store) => {
        try {
          store.append(3);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'ERR_MULTIPROCESS_STALE_HANDLE');
        }
      }),
    ],
    verify: (survivor, facts, endings) => {
      assert.equal(survivor.exists(listAt(facts)) && !endings[0]!.died, false);
      survivor.release(facts['address']!);
      survivor.release(facts['lock']!);
      survivor.bury();
    },
  },
];
