// What two or three threads do at the same time with a dict, for test/collections/dict-lockstep.test.ts.
import assert from 'node:assert/strict';
import type { Dict } from '../../src/collections/dict.js';
import { DictUnit } from '../../src/collections/dict-unit.js';
import { transact, transactable } from '../../src/collections/transact.js';
import { checkHeap } from '../../src/heap/fsck.js';
import type { Heap } from '../../src/heap/internal.js';
import { absent } from '../../src/values/internal.js';
import type { Ending, Facts, Part, Scene } from '../support/lockstep/scene.js';
import { dictIn, makeDict, write } from './dict-operations.js';

const TEXT = 'a text that needs a block of its own';
const OTHER = 'another one, which needs a block too';

/** A part that does something with the dict, which it holds. */
const part = (act: (dict: Dict, heap: Heap, facts: Facts) => number | void): Part => ({
  arm: (heap, { address, serial, lock, lockSerial }) => {
    heap.open({ address: address!, serial: serial! });
    heap.open({ address: lock!, serial: lockSerial! });
  },
  act: (heap, facts) => act(dictIn(heap, facts), heap, facts),
});

const within = (dict: Dict, fn: (unit: DictUnit) => void) => {
  const unit = new DictUnit(dict);
  transact({ [transactable]: unit }, () => fn(unit));
};

const numberAt = (dict: Dict, key: unknown) => {
  const value = dict.read(key);
  return value === absent ? 0 : (value as number);
};

/** Adds to an entry by a `compute`, and gives what it made of it. */
const compute = part((dict) => dict.compute('n', (old) => ((old as number | undefined) ?? 0) + 1) as number);
const increment = part((dict) => dict.increment('n', 1));

/** Reads a text that is one of two, whole. */
const readText = part((dict) => {
  const value = dict.read('t');
  assert.ok(value === TEXT || value === OTHER || value === absent, `a torn read: ${String(value)}`);
  return value === OTHER ? 1 : 0;
});

/** Reads two entries that are always alike. */
const readPair = part((dict) => {
  const entries = [...dict.entries()];
  const [one, other] = ['one', 'other'].map((key) => entries.find(([each]) => each === key)?.[1]);
  assert.equal(one, other, 'half of a transaction');
  return one as number;
});

const isWhole = (survivor: Heap) => {
  survivor.bury();
  assert.deepEqual(checkHeap(survivor).problems, []);
};

/** The dict is whole; what it says of `n` fits what the parts say that they have added. */
function counts(survivor: Heap, facts: Facts, endings: readonly Ending[]): void {
  const n = numberAt(dictIn(survivor, facts), 'n');
  const done = endings.filter(({ died }) => !died).length;
  assert.ok(n >= done && n <= endings.length, `${n} of ${done} to ${endings.length}`);
  const results = endings.flatMap(({ result }) => (result === undefined ? [] : [result]));
  assert.equal(new Set(results).size, results.length, `two made the same of it: ${results}`);
  isWhole(survivor);
}

const empty = (survivor: Heap) => makeDict(survivor, []);
const atEdge = (survivor: Heap) =>
  makeDict(
    survivor,
    Array.from({ length: 16 }, (_, i) => [i, i] as const),
  );

export const scenes: readonly Scene[] = [
  { name: 'dict: two increments', atLeast: 70, prepare: empty, threads: [increment, increment], verify: counts },
  {
    name: 'dict: an increment and a compute',
    atLeast: 70,
    prepare: empty,
    threads: [increment, compute],
    verify: counts,
  },
  { name: 'dict: three computes', atLeast: 70, prepare: empty, threads: [compute, compute, compute], verify: counts },
  {
    name: 'dict: an increment and a transact',
    atLeast: 70,
    prepare: empty,
    threads: [
      increment,
      part((dict) => {
        let result = 0;
        within(dict, ({ operations }) => {
          result = operations.increment('n', 1);
        });
        return result;
      }),
    ],
    verify: counts,
  },
  {
    name: 'dict: a text replaced, and read',
    atLeast: 70,
    prepare: (survivor) => makeDict(survivor, [['t', TEXT]]),
    threads: [part((_, heap, facts) => write(heap, facts, 't', OTHER)), readText],
    verify: isWhole,
  },
  {
    name: 'dict: a text deleted, its memory used again, and read',
    atLeast: 70,
    prepare: (survivor) => makeDict(survivor, [['t', TEXT]]),
    threads: [
      part((dict, heap, facts) => {
        dict.remove('t');
        write(heap, facts, 'u', 'x'.repeat(TEXT.length));
      }),
      readText,
    ],
    verify: isWhole,
  },
  {
    name: 'dict: cleared, and read',
    atLeast: 70,
    prepare: (survivor) => makeDict(survivor, [['t', TEXT]]),
    threads: [part((dict) => dict.clear()), readText],
    verify: isWhole,
  },
  {
    name: 'dict: two entries at once, and read',
    atLeast: 70,
    prepare: (survivor) =>
      makeDict(survivor, [
        ['one', 1],
        ['other', 1],
      ]),
    threads: [
      part((dict) =>
        within(dict, ({ operations }) => {
          operations.write('one', 2, undefined);
          operations.write('other', 2, undefined);
        }),
      ),
      readPair,
    ],
    verify: isWhole,
  },
  {
    name: 'dict: two entries at once aside, another one, and read',
    atLeast: 70,
    prepare: (survivor) =>
      makeDict(survivor, [
        ['one', 1],
        ['other', 1],
      ]),
    threads: [
      part((dict) =>
        within(dict, ({ operations }) => {
          operations.clear();
          operations.write('one', 2, undefined);
          operations.write('other', 2, undefined);
        }),
      ),
      increment,
      readPair,
    ],
    verify: isWhole,
  },
  {
    name: 'dict: a bucket more, and its entries read',
    atLeast: 70,
    prepare: atEdge,
    threads: [
      part((dict) => dict.write(16, 16, undefined)),
      part((dict) => {
        for (let key = 0; key < 16; key++) assert.equal(dict.read(key), key);
      }),
    ],
    verify: isWhole,
  },
  {
    name: 'dict: a bucket more by two',
    atLeast: 65,
    prepare: atEdge,
    threads: [part((dict) => dict.write(16, 16, undefined)), part((dict) => dict.write(17, 17, undefined))],
    verify: (survivor, facts, endings) => {
      const dict = dictIn(survivor, facts);
      for (const [i, { died }] of endings.entries()) if (!died) assert.equal(dict.read(16 + i), 16 + i);
      isWhole(survivor);
    },
  },
  {
    name: 'dict: an object taken out, and opened',
    atLeast: 70,
    prepare: (survivor) => makeDict(survivor, [['o', 'O']]),
    threads: [part((dict) => void dict.remove('o')), part((dict) => (dict.read('o') === absent ? 0 : 1))],
    verify: isWhole,
  },
  {
    name: 'dict: one taken by two',
    atLeast: 70,
    prepare: (survivor) => makeDict(survivor, [['a', 1]]),
    threads: [part((dict) => Number(dict.take('a') !== absent)), part((dict) => Number(dict.takeLast() !== undefined))],
    verify: (survivor, _, endings) => {
      const taken = endings.reduce((sum, { result }) => sum + (result ?? 0), 0);
      assert.ok(taken <= 1, 'both have taken it');
      if (endings.every(({ died }) => !died)) assert.equal(taken, 1);
      isWhole(survivor);
    },
  },
];
