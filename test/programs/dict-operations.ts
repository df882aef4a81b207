// Operations of shared dicts, each to be killed at every one of its steps, and what must hold afterwards: as those of the heap
// in heap-operations.ts.
import assert from 'node:assert/strict';
import { registerSharedKind } from '../../src/codec/internal.js';
import { createDict, Dict } from '../../src/collections/dict.js';
import { DictUnit } from '../../src/collections/dict-unit.js';
import { transact, transactable } from '../../src/collections/transact.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { type Heap, now, Place, rootKind } from '../../src/heap/internal.js';
import { root } from '../../src/heap/layout.js';
import { absent } from '../../src/values/internal.js';
import type { Facts, Operation } from './heap-operations.js';

/** Stands for a shared object in a dict, without a wrapper, which would join the heap once more to be opened. */
class Token {
  readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }
}

registerSharedKind<Token>({
  kind: 'dicttoken',
  type: Token,
  handle: ({ place: { at } }) => `mp:dicttoken:${at.address}:${at.serial}`,
  places: ({ place }) => [place],
  open: (fields) => ({ opened: fields }) as unknown as Token,
});

/** In the tables below: a shared object, and a value that takes a parcel. */
const OBJECT = 'O';
const LARGE = 'L';
const TEXT = 'a text that needs a block of its own';
type Value = number | string;
type Entries = readonly (readonly [number | string, Value])[];

const lockAt = ({ lock, lockSerial }: Facts) => ({ address: lock!, serial: lockSerial! });
export const dictIn = (heap: Heap, { address, serial }: Facts) =>
  new Dict(new Place(heap, { address: address!, serial: serial! }));

function valueIn(heap: Heap, facts: Facts, value: Value): unknown {
  if (value === OBJECT) return new Token(new Place(heap, lockAt(facts)));
  return value === LARGE ? 'x'.repeat(70_000) : value;
}

function shown(value: unknown): Value {
  if (typeof value === 'object') return OBJECT;
  return typeof value === 'string' && value.length > 1000 ? LARGE : (value as Value);
}

export function write(heap: Heap, facts: Facts, key: unknown, value: Value, ttl?: number): void {
  dictIn(heap, facts).write(key, valueIn(heap, facts, value), ttl);
}

/** A dict of the survivor's, and an object that may lie in it. */
export function makeDict(survivor: Heap, entries: Entries, settings = { ttl: 0, maxEntries: 0 }): Facts {
  const lock = survivor.create(rootKind.lock);
  const dict = createDict(survivor, rootKind.dict, settings, [1, 2]);
  const facts = { address: dict.address, serial: dict.serial, lock: lock.address, lockSerial: lock.serial };
  for (const [key, value] of entries) write(survivor, facts, key, value);
  return facts;
}

const entriesIn = (heap: Heap, facts: Facts): Entries =>
  Array.from(dictIn(heap, facts).entries(), ([key, value]) => [key as number | string, shown(value)] as const);

/** The dict is one of these; the object is referred to as often as it says; nothing is left of it when it goes. */
function isOneOf(survivor: Heap, facts: Facts, outcomes: readonly Entries[]): void {
  const found = entriesIn(survivor, facts);
  assert.ok(
    outcomes.some((outcome) => JSON.stringify(outcome) === JSON.stringify(found)),
    `neither before nor after: ${JSON.stringify(found)}`,
  );
  const dict = dictIn(survivor, facts);
  for (const [key, value] of found) assert.equal(shown(dict.read(key)), value);
  assert.equal(dict.size(), found.length);
  survivor.bury();
  assert.deepEqual(checkHeap(survivor).problems, []);
  isUsable(survivor, facts);
  // Those writes have swept what had expired.
  const objects = entriesIn(survivor, facts).filter(([, value]) => value === OBJECT).length;
  assert.equal(survivor.memory.load(facts['lock']! + root.references), objects);
  survivor.release(facts['address']!);
  isGone(survivor, facts);
}

/** Whoever comes next writes, transacts, and is not kept waiting. */
function isUsable(survivor: Heap, facts: Facts): void {
  const dict = dictIn(survivor, facts);
  dict.write('more', 1, undefined);
  transact({ [transactable]: new DictUnit(dict) }, () => dict.increment('more', 1));
  assert.equal(dict.read('more'), 2);
}

/** Of the dict nothing is left. */
function isGone(survivor: Heap, facts: Facts): void {
  survivor.bury();
  const { lock } = facts;
  assert.equal(survivor.memory.load(lock! + root.references), 0);
  survivor.release(lock!);
  const { problems, roots, holds, blocks } = checkHeap(survivor);
  assert.deepEqual({ problems, roots, holds, blocks }, { problems: [], roots: 0, holds: 0, blocks: 0 });
}

interface Change {
  readonly name: string;
  readonly atLeast: number;
  readonly entries: Entries;
  readonly settings?: { ttl: number; maxEntries: number };
  /** Done by the survivor when the entries are there. */
  readonly first?: (survivor: Heap, facts: Facts) => void;
  readonly act: (dict: Dict, victim: Heap, facts: Facts) => void;
  readonly after: Entries;
  /** What may be there besides `entries`, if it died: of an operation in several steps. Default: `entries`. */
  readonly between?: readonly Entries[];
  readonly before?: Entries;
}

function change({ name, atLeast, entries, settings, first, act, after, between, before }: Change): Operation {
  return {
    name: `dict: ${name}`,
    atLeast,
    prepare: (survivor) => {
      const facts = makeDict(survivor, entries, settings);
      first?.(survivor, facts);
      return facts;
    },
    arm: (victim, facts) => {
      for (const at of [{ address: facts['address']!, serial: facts['serial']! }, lockAt(facts)]) victim.open(at);
    },
    act: (victim, facts) => act(dictIn(victim, facts), victim, facts),
    verify: (survivor, facts, died) =>
      isOneOf(survivor, facts, died ? [before ?? entries, ...(between ?? []), after] : [after]),
  };
}

/** Writes something that has expired when this returns. */
function writeExpired(heap: Heap, facts: Facts, key: unknown, value: Value): void {
  write(heap, facts, key, value, 0.001);
  const since = now();
  while (now() - since < 0.01);
}

const numbers = (from: number, to: number): Entries =>
  Array.from({ length: to - from }, (_, i) => [from + i, from + i] as const);
const objects: Entries = Array.from({ length: 6 }, (_, i) => [i, OBJECT] as const);
const ab: Entries = [
  ['a', 1],
  ['b', OBJECT],
];
const put = (key: unknown, value: Value, ttl?: number) => (_: Dict, victim: Heap, facts: Facts) =>
  write(victim, facts, key, value, ttl);
const within = (dict: Dict, fn: (dict: DictUnit) => void) => {
  const unit = new DictUnit(dict);
  transact({ [transactable]: unit }, () => fn(unit));
};

const CACHE = { ttl: 1e9, maxEntries: 0 };

export const dictOperations: readonly Operation[] = [
  change({ name: 'a number added', atLeast: 40, entries: ab, act: put('c', 3), after: [...ab, ['c', 3]] }),
  change({ name: 'a text added', atLeast: 85, entries: ab, act: put(TEXT, TEXT), after: [...ab, [TEXT, TEXT]] }),
  change({ name: 'an object added', atLeast: 56, entries: ab, act: put('c', OBJECT), after: [...ab, ['c', OBJECT]] }),
  change({ name: 'a number replaced', atLeast: 18, entries: ab, act: put('a', 2), after: [['a', 2], ab[1]!] }),
  change({ name: 'an object replaced', atLeast: 51, entries: ab, act: put('b', TEXT), after: [ab[0]!, ['b', TEXT]] }),
  change({
    name: 'a large value replaced',
    atLeast: 44,
    entries: [['a', LARGE]],
    act: put('a', 'other'),
    after: [['a', 'other']],
  }),
  change({
    name: 'a large value added',
    atLeast: 140,
    entries: ab,
    act: put('c', LARGE),
    after: [...ab, ['c', LARGE]],
  }),
  change({ name: 'a time to live given', atLeast: 60, entries: ab, act: put('a', 1, 1e9), after: ab }),
  change({
    name: 'a time to live renewed',
    atLeast: 58,
    entries: ab,
    settings: CACHE,
    act: put('b', 2),
    after: [ab[0]!, ['b', 2]],
  }),
  change({
    name: 'a number added, another evicted',
    atLeast: 78,
    entries: [...ab].reverse(),
    settings: { ttl: 0, maxEntries: 2 },
    act: put('c', 3),
    after: [ab[0]!, ['c', 3]],
  }),
  change({
    name: 'a number added, expired ones swept',
    atLeast: 134,
    entries: [],
    first: (survivor, facts) => {
      write(survivor, facts, 'x', OBJECT, 1e9);
      write(survivor, facts, 'y', OBJECT, 20);
      write(survivor, facts, 'z', 1, 20);
      write(survivor, facts, 'more', 1);
      const since = now();
      while (now() - since < 21);
    },
    act: (dict) => {
      dict.increment('more', 1);
      dict.increment('more', 1);
    },
    before: [
      ['x', OBJECT],
      ['more', 1],
    ],
    between: [
      [
        ['x', OBJECT],
        ['more', 2],
      ],
    ],
    after: [
      ['x', OBJECT],
      ['more', 3],
    ],
  }),
  change({
    name: 'an expired one set again',
    atLeast: 40,
    entries: [['a', 1]],
    first: (survivor, facts) => writeExpired(survivor, facts, 'b', OBJECT),
    act: put('b', 2),
    after: [
      ['a', 1],
      ['b', 2],
    ],
  }),
  change({
    name: 'one bucket more, in a new segment',
    atLeast: 64,
    entries: numbers(0, 16),
    act: put(16, 16),
    after: numbers(0, 17),
  }),
  change({
    name: 'one bucket less, and its segment',
    atLeast: 60,
    entries: numbers(0, 17),
    first: (survivor, facts) => {
      for (let key = 5; key < 17; key++) dictIn(survivor, facts).remove(key);
    },
    act: (dict) => void dict.remove(4),
    before: numbers(0, 5),
    after: numbers(0, 4),
  }),
  change({
    name: 'an object removed',
    atLeast: 50,
    entries: ab,
    act: (dict) => void dict.remove('b'),
    after: [ab[0]!],
  }),
  change({
    name: 'the last one taken',
    atLeast: 52,
    entries: ab,
    act: (dict) => void dict.takeLast(),
    after: [ab[0]!],
  }),
  change({ name: 'one taken', atLeast: 38, entries: ab, act: (dict) => void dict.take('a'), after: [ab[1]!] }),
  change({
    name: 'cleared',
    atLeast: 263,
    entries: [...numbers(0, 12), ...ab],
    act: (dict) => dict.clear(),
    after: [],
  }),
  change({
    name: 'incremented',
    atLeast: 26,
    entries: ab,
    act: (dict) => void dict.increment('a', 0.5),
    after: [['a', 1.5], ab[1]!],
  }),
  change({
    name: 'compared and set',
    atLeast: 39,
    entries: ab,
    act: (dict) => assert.equal(dict.compareAndSet('a', 1, TEXT), true),
    after: [['a', TEXT], ab[1]!],
  }),
  change({
    name: 'computed',
    atLeast: 20,
    entries: ab,
    act: (dict) => void dict.compute('a', (old) => (old as number) + 1),
    after: [['a', 2], ab[1]!],
  }),
  change({
    name: 'many replaced, in several transactions',
    atLeast: 202,
    entries: objects,
    act: (dict) => dict.update(numbers(0, 6)),
    between: Array.from({ length: 5 }, (_, i) => [...numbers(0, i + 1), ...objects.slice(i + 1)]),
    after: numbers(0, 6),
  }),
  change({
    name: 'several changes at once',
    atLeast: 152,
    entries: ab,
    act: (dict, victim, facts) =>
      within(dict, ({ operations }) => {
        operations.remove('b');
        operations.write('a', 5, undefined);
        operations.write('b', valueIn(victim, facts, OBJECT), undefined);
        operations.write('c', 6, undefined);
      }),
    after: [
      ['a', 5],
      ['b', OBJECT],
      ['c', 6],
    ],
  }),
  change({
    name: 'all replaced at once, aside',
    atLeast: 387,
    entries: ab,
    act: (dict, victim, facts) =>
      within(dict, ({ operations }) => {
        operations.clear();
        for (let key = 0; key < 3; key++) operations.write(key, key, undefined);
        operations.write('b', valueIn(victim, facts, OBJECT), undefined);
      }),
    after: [...numbers(0, 3), ['b', OBJECT]],
  }),
  change({
    name: 'so many changes that they are made aside',
    atLeast: 271,
    entries: [...objects, ['a', OBJECT]],
    act: (dict) =>
      within(dict, ({ operations }) => {
        for (let key = 0; key < 5; key++) operations.write(key, key, undefined);
        operations.write('b', TEXT, undefined);
        operations.remove(5);
      }),
    after: [...numbers(0, 5), ['a', OBJECT], ['b', TEXT]],
  }),
  {
    name: 'dict: made, filled, read, let go of and buried',
    atLeast: 446,
    act: (victim) => {
      const at = createDict(victim, rootKind.dict, CACHE, [1, 2]);
      const dict = new Dict(new Place(victim, at));
      dict.write('a', TEXT, undefined);
      assert.equal(dict.read('a'), TEXT);
      assert.equal(dict.read('b'), absent);
      victim.release(at.address);
      victim.bury();
    },
    verify: (survivor) => survivor.bury(),
  },
  {
    name: 'dict: disposed of, while others hold it',
    atLeast: 161,
    prepare: (survivor) => makeDict(survivor, [...ab, ...numbers(0, 5)]),
    arm: (victim, facts) => void victim.open({ address: facts['address']!, serial: facts['serial']! }),
    act: (victim, facts) => victim.dispose({ address: facts['address']!, serial: facts['serial']! }),
    verify: (survivor, facts) => {
      survivor.release(facts['address']!);
      isGone(survivor, facts);
    },
  },
];
