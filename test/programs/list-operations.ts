// Operations of shared lists, each to be killed at every one of its steps, and what must hold afterwards: as those of the heap
// in heap-operations.ts.
import assert from 'node:assert/strict';
import { registerSharedKind } from '../../src/codec/internal.js';
import { fillList, makeList } from '../../src/collections/list-aside.js';
import { replaceRange } from '../../src/collections/list-replace.js';
import { everything } from '../../src/collections/list-snapshot.js';
import { HeapListStore } from '../../src/collections/list-store.js';
import '../../src/collections/shared-list.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { type Heap, Place, rootKind, type Transaction } from '../../src/heap/internal.js';
import { root } from '../../src/heap/layout.js';
import type { RootAddress } from '../../src/heap/roots.js';
import type { Facts, Operation } from './heap-operations.js';

/** Stands for a shared object in a list, without a wrapper, which would join the heap once more to be opened. */
export class Token {
  readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }
}

registerSharedKind<Token>({
  kind: 'testtoken',
  type: Token,
  handle: ({ place: { at } }) => `mp:testtoken:${at.address}:${at.serial}`,
  places: ({ place }) => [place],
  open: (fields) => ({ opened: fields }) as unknown as Token,
});

/** Numbers, text in a block, and objects, for what a list is to have in it: compared as this text. */
const TEXT = 'a text that needs a block of its own';
const OBJECT = 'O';
type Item = number | string;

export const listAt = ({ address, serial }: Facts): RootAddress => ({ address: address!, serial: serial! });
const lockAt = ({ lock, lockSerial }: Facts): RootAddress => ({ address: lock!, serial: lockSerial! });
export const storeIn = (heap: Heap, facts: Facts) => new HeapListStore(new Place(heap, listAt(facts)));

const valuesIn = (heap: Heap, facts: Facts, items: readonly Item[]): unknown[] =>
  items.map((item) => (item === OBJECT ? new Token(new Place(heap, lockAt(facts))) : item));

const itemsIn = (values: readonly unknown[]): Item[] =>
  values.map((value) => (typeof value === 'object' ? OBJECT : (value as Item)));

/** A list of the survivor's, and an object that may lie in it. */
export function makeItems(survivor: Heap, items: readonly Item[]): Facts {
  const lock = survivor.create(rootKind.lock);
  const list = makeList(survivor);
  const facts = { address: list.address, serial: list.serial, lock: lock.address, lockSerial: lock.serial };
  fillList(survivor, list, valuesIn(survivor, facts, items));
  return facts;
}

/** The list is one of these; the object is referred to as often as it says; nothing is left of it when it goes. */
function isOneOf(survivor: Heap, facts: Facts, outcomes: readonly (readonly Item[])[]): void {
  survivor.bury();
  const found = itemsIn(storeIn(survivor, facts).values(everything));
  const which = outcomes.find((items) => JSON.stringify(items) === JSON.stringify(found));
  assert.ok(which !== undefined, `a list of ${found.length}: ${JSON.stringify(found).slice(0, 300)}`);
  const references = survivor.memory.load(facts['lock']! + root.references);
  assert.equal(references, which.filter((item) => item === OBJECT).length, 'references');
  // It works on.
  storeIn(survivor, facts).append(TEXT);
  assert.equal(storeIn(survivor, facts).pop(-1), TEXT);
  survivor.release(facts['address']!);
  survivor.bury();
  survivor.release(facts['lock']!);
  const { problems, roots, holds, blocks } = checkHeap(survivor);
  assert.deepEqual({ problems, roots, holds, blocks }, { problems: [], roots: 0, holds: 0, blocks: 0 });
}

const hold = (victim: Heap, facts: Facts): void => {
  victim.open(listAt(facts));
  victim.open(lockAt(facts));
};

const count = (length: number, from = 0): number[] => Array.from({ length }, (_, i) => from + i);

interface Change {
  readonly name: string;
  readonly atLeast: number;
  readonly before: readonly Item[];
  readonly after: readonly Item[];
  readonly act: (store: HeapListStore, values: (items: readonly Item[]) => unknown[]) => void;
  /** What the list is made of first, where it is not `before`, and what makes `before` of it. */
  readonly made?: readonly Item[];
  readonly shape?: (store: HeapListStore) => void;
}

function change({ name, atLeast, before, after, act, made = before, shape }: Change): Operation {
  return {
    name: `SharedList: ${name}`,
    atLeast,
    prepare: (survivor) => {
      const facts = makeItems(survivor, made);
      shape?.(storeIn(survivor, facts));
      return facts;
    },
    arm: hold,
    act: (victim, facts) => {
      act(storeIn(victim, facts), (items) => valuesIn(victim, facts, items));
      victim.bury();
    },
    verify: (survivor, facts, died) => isOneOf(survivor, facts, died ? [before, after] : [after]),
  };
}

const mixed: Item[] = [1, TEXT, OBJECT, 0.5, `${TEXT} 2`, OBJECT, 'short'];
const texts = (length: number): string[] => count(length).map((i) => `${TEXT} ${i}`);
const popsFirst = (times: number) => (store: HeapListStore) => {
  for (let i = 0; i < times; i++) store.pop(0);
};
const spliced = (items: readonly Item[], start: number, removed: number, ...inserted: Item[]): Item[] => [
  ...items.slice(0, start),
  ...inserted,
  ...items.slice(start + removed),
];
const part = (start: number, removed: number) => () => [start, start + removed] as const;

const replaced = {
  before: [...count(100), TEXT, OBJECT, ...count(300)],
  inserted: [OBJECT, TEXT, ...count(150)],
  after: [...count(90), OBJECT, TEXT, ...count(150), ...count(100, 200)],
};

export const listOperations: readonly Operation[] = [
  {
    name: 'SharedList: made, and let go of',
    atLeast: 335,
    prepare: (survivor) => makeItems(survivor, []),
    arm: hold,
    act: (victim, facts) => {
      const made = makeList(victim);
      fillList(victim, made, valuesIn(victim, facts, [1, TEXT, OBJECT]));
      victim.release(made.address);
      victim.bury();
    },
    verify: (survivor, facts) => isOneOf(survivor, facts, [[]]),
  },
  change({
    name: 'append a number',
    atLeast: 16,
    before: [1, 2],
    after: [1, 2, 3],
    act: (store) => store.append(3),
  }),
  change({
    name: 'append an object, the first element',
    atLeast: 104,
    before: [],
    after: [OBJECT],
    act: (store, values) => store.append(values([OBJECT])[0]),
  }),
  change({
    name: 'append a text, where chunks and directory are full',
    atLeast: 142,
    before: count(512),
    after: [...count(512), TEXT],
    act: (store) => store.append(TEXT),
  }),
  change({
    name: 'set a text for a number',
    atLeast: 68,
    before: [1, 2],
    after: [1, TEXT],
    act: (store) => void store.set(1, TEXT),
  }),
  change({
    name: 'set an object for a text',
    atLeast: 47,
    before: [TEXT, 2],
    after: [OBJECT, 2],
    act: (store, values) => void store.set(0, values([OBJECT])[0]),
  }),
  change({
    name: 'compute',
    atLeast: 15,
    before: [OBJECT, 2],
    after: [OBJECT, 20],
    act: (store) => void store.compute(1, (old) => (old as number) * 10),
  }),
  change({
    name: 'pop the only one of the last chunk',
    atLeast: 35,
    before: [...count(128), TEXT],
    after: count(128),
    act: (store) => void store.pop(-1),
  }),
  change({
    name: 'pop the last, an object',
    atLeast: 37,
    before: [1, OBJECT],
    after: [1],
    act: (store) => void store.pop(1),
  }),
  change({
    name: 'pop the first, the last of its chunk',
    atLeast: 43,
    made: [...count(127), TEXT, 8, 9],
    shape: popsFirst(127),
    before: [TEXT, 8, 9],
    after: [8, 9],
    act: (store) => void store.pop(0),
  }),
  change({
    name: 'pop the last of all',
    atLeast: 49,
    before: [OBJECT],
    after: [],
    act: (store) => void store.pop(0),
  }),
  change({
    name: 'pop one in the middle, and join chunks',
    atLeast: 75,
    made: count(250),
    shape: (store) => {
      store.splice(part(130, 70), []);
      store.splice(part(40, 90), []);
      store.set(45, TEXT);
    },
    before: spliced(spliced(count(250), 40, 160), 45, 1, TEXT),
    after: spliced(spliced(count(250), 40, 160), 45, 1),
    act: (store) => void store.pop(45),
  }),
  change({
    name: 'insert before all, where cells are unused',
    atLeast: 67,
    made: [0, 1, 2],
    shape: popsFirst(1),
    before: [1, 2],
    after: [TEXT, 1, 2],
    act: (store) => store.insert(0, TEXT),
  }),
  change({
    name: 'insert an object before all, in a chunk and a directory of its own',
    atLeast: 85,
    before: [1, 2],
    after: [OBJECT, 1, 2],
    act: (store, values) => store.insert(0, values([OBJECT])[0]),
  }),
  change({
    name: 'insert an object into a full chunk',
    atLeast: 135,
    before: count(200),
    after: spliced(count(200), 50, 0, OBJECT),
    act: (store, values) => store.insert(50, values([OBJECT])[0]),
  }),
  change({
    name: 'remove a value',
    atLeast: 77,
    before: [1, TEXT, OBJECT, TEXT],
    after: [1, OBJECT, TEXT],
    act: (store) => void store.remove(TEXT),
  }),
  change({
    name: 'push some',
    atLeast: 138,
    before: count(126),
    after: [...count(126), ...mixed],
    act: (store, values) => void store.extend(values(mixed)),
  }),
  {
    name: 'SharedList: several chunks for several others that were made aside',
    atLeast: 139,
    prepare: (survivor) => makeItems(survivor, replaced.before),
    arm: (victim, facts) => {
      hold(victim, facts);
      const [source, taker] = [makeList(victim), makeList(victim)];
      fillList(victim, source, valuesIn(victim, facts, replaced.inserted));
      facts['source'] = source.address;
      facts['taker'] = taker.address;
    },
    act: (victim, facts) => {
      const bodyIn = (tx: Transaction, address: number) => tx.read(address + root.a);
      victim.transaction.run((tx) => {
        tx.lockObject(facts['address']!);
        const [at, source, taker] = [facts['address']!, facts['source']!, facts['taker']!];
        replaceRange(tx, bodyIn(tx, at), 90, 212, bodyIn(tx, source), bodyIn(tx, taker));
      });
    },
    verify: (survivor, facts, died) =>
      isOneOf(survivor, facts, died ? [replaced.before, replaced.after] : [replaced.after]),
  },
  change({
    name: 'splice a few for a few',
    atLeast: 479,
    before: [1, TEXT, OBJECT, 2],
    after: [1, 3, TEXT, 2],
    act: (store) => void store.splice(part(1, 2), [3, TEXT]),
  }),
  change({
    name: 'splice one for one',
    atLeast: 261,
    before: mixed,
    after: spliced(mixed, 2, 1, TEXT),
    act: (store) => void store.splice(part(2, 1), [TEXT]),
  }),
  change({
    name: 'reverse',
    atLeast: 287,
    before: [...mixed, ...count(130)],
    after: [...mixed, ...count(130)].reverse(),
    act: (store) => store.reverse(),
  }),
  change({
    name: 'sort',
    atLeast: 244,
    before: [TEXT, 'b', 'a', `${TEXT} 0`],
    after: ['a', TEXT, `${TEXT} 0`, 'b'],
    act: (store) => store.sort(undefined),
  }),
  change({
    name: 'clear',
    atLeast: 210,
    before: [OBJECT, ...texts(8), ...count(130)],
    after: [],
    act: (store) => store.clear(),
  }),
];

/** With more steps: some of them are enough. */
export const longListOperations: readonly Operation[] = [
  change({
    name: 'extend by several chunks',
    atLeast: 713,
    before: [1],
    after: [1, OBJECT, ...count(130)],
    act: (store, values) => void store.extend(values([OBJECT, ...count(130)])),
  }),
  change({
    name: 'splice several chunks for several others',
    atLeast: 985,
    before: [...count(100), TEXT, OBJECT, ...count(300)],
    after: [...count(90), OBJECT, TEXT, ...count(130), ...count(100, 200)],
    act: (store, values) => void store.splice(part(90, 212), values([OBJECT, TEXT, ...count(130)])),
  }),
  change({
    name: 'push more than one transaction takes',
    atLeast: 448,
    before: count(126),
    after: [...count(126), ...texts(30), OBJECT],
    act: (store, values) => void store.extend(values([...texts(30), OBJECT])),
  }),
  change({
    name: 'clear, where much is buried in parts',
    atLeast: 760,
    before: [...mixed, ...texts(60), ...count(130)],
    after: [],
    act: (store) => store.clear(),
  }),
];
