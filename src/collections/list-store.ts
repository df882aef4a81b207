import { MultiprocessError } from '../errors/index.js';
import {
  allocate,
  discardBody,
  Place,
  type RootAddress,
  readConsistently,
  root,
  type Transaction,
} from '../heap/internal.js';
import {
  absent,
  dropCell,
  isEncoded,
  LoadedCell,
  load,
  loadInto,
  lockRootsFor,
  type Prepared,
  prepare,
  replaceCell,
} from '../values/internal.js';
import { defaultOrder } from './default-order.js';
import { appendPrepared, appendSome, fillList, makeList, prepareOneOf } from './list-aside.js';
import { appendCell, prependCell, takeFirst, takeLast } from './list-ends.js';
import { body, bodyOf, cellOf, countOf } from './list-layout.js';
import { reorder } from './list-reorder.js';
import { replaceRange } from './list-replace.js';
import { type Bounds, isUnchanged, type Snapshot, valuesOf } from './list-snapshot.js';
import { sameAs } from './same-value.js';
import { tellWatchers } from './watchers.js';

/**
 * What a ListProxy does its work with: all that a list can do, each of it atomic. Indexes may be negative, from the end;
 * they are taken as of the instant at which the operation happens.
 */
export interface ListStore {
  length(): number;
  /** `absent` where there is no such element. */
  get(index: number): unknown;
  /** @returns whether there is such an element. */
  set(index: number, value: unknown): boolean;
  append(value: unknown): void;
  /** @returns how many elements there are then. */
  extend(values: readonly unknown[]): number;
  insert(index: number, value: unknown): void;
  /** @returns the element; `absent` where there is none; undefined for any index of an empty list. */
  pop(index: number): unknown;
  /** Removes the first element that is the same as this value. @returns whether there was one. */
  remove(value: unknown): boolean;
  values(bounds: Bounds): unknown[];
  /** @returns what has been removed. */
  splice(bounds: Bounds, values: readonly unknown[]): unknown[];
  reverse(): void;
  sort(compare: ((a: never, b: never) => number) | undefined): void;
  /** @returns what is there then; `absent` where there is no such element. */
  compute(index: number, fn: (old: unknown) => unknown): unknown;
  clear(): void;
}

/** How often a value is decoded before it is taken out; then it is taken out first. */
const MOST_LOOKS = 4;
/** Up to so many values may go to a list directly, if they are small enough. */
const FEW_VALUES = 128;

/** How often the function of `compute` may be called again when it has changed the list itself. */
const MOST_OWN_CHANGES = 8;

/** The store of a list in a heap, which this environment holds. */
export class HeapListStore implements ListStore {
  readonly #place: Place;
  /** How often this environment has changed the list. */
  #changes = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  length(): number {
    const { heap, at } = this.#place;
    return readConsistently(heap.transaction, at.address, (tx) => countOf(tx, bodyOf(tx, at)));
  }

  get(index: number): unknown {
    return load(this.#place, this.#finder(index));
  }

  #finder(index: number): (tx: Transaction) => number {
    return (tx) => {
      const at = bodyOf(tx, this.#place.at);
      const count = countOf(tx, at);
      const from = index < 0 ? index + count : index;
      return from < 0 || from >= count ? 0 : cellOf(tx, at, from);
    };
  }

  set(index: number, value: unknown): boolean {
    const find = this.#finder(index);
    return this.#with(value, (prepared) =>
      this.#change((tx) => {
        const at = find(tx);
        if (at === 0) return false;
        lockRootsFor(tx, prepared, at);
        replaceCell(tx, at, prepared);
        return true;
      }),
    );
  }

  append(value: unknown): void {
    this.#with(value, (prepared) =>
      this.#change((tx, at) => {
        lockRootsFor(tx, prepared, 0);
        appendCell(tx, at, prepared);
      }),
    );
  }

  extend(values: readonly unknown[]): number {
    const { heap } = this.#place;
    const kept: Prepared[] = [];
    let source: RootAddress | undefined;
    try {
      if (values.length <= FEW_VALUES) {
        for (const [i, value] of values.entries()) kept.push(prepareOneOf(heap, value, i));
        const length = this.#appendAll(kept);
        if (length !== undefined) return length;
        source = makeList(heap);
        appendPrepared(heap, source, kept);
      } else {
        source = makeList(heap);
        fillList(heap, source, values);
      }
      const aside = source;
      return this.#change((tx, at) => {
        replaceRange(tx, at, countOf(tx, at), 0, bodyOf(tx, aside));
        return countOf(tx, at);
      });
    } finally {
      for (const prepared of kept) prepared.release();
      if (source !== undefined) heap.release(source.address);
    }
  }

  /** @returns how many elements there are then; undefined, with nothing changed, where it takes more than one transaction. */
  #appendAll(kept: readonly Prepared[]): number | undefined {
    try {
      return this.#change((tx, at) => {
        if (kept.length > 0 && appendSome(tx, at, kept, 0) < kept.length) throw tooMuch;
        return countOf(tx, at);
      });
    } catch (error) {
      if (error === tooMuch) return undefined;
      throw error;
    }
  }

  insert(index: number, value: unknown): void {
    this.#with(value, (prepared) =>
      this.#change((tx, at) => {
        lockRootsFor(tx, prepared, 0);
        const count = countOf(tx, at);
        const to = index < 0 ? Math.max(0, count + index) : Math.min(index, count);
        if (to === count) appendCell(tx, at, prepared);
        else if (to === 0) prependCell(tx, at, prepared);
        else replaceRange(tx, at, to, 0, prepared);
      }),
    );
  }

  pop(index: number): unknown {
    const loaded = new LoadedCell();
    const find = this.#finder(index);
    // A value that takes no decoding is taken out at once. Any other is decoded first: what cannot be decoded here stays.
    const taken = this.#change((tx, at) => {
      const cell = find(tx);
      if (cell === 0) return countOf(tx, at) === 0 ? nothing : absent;
      if (isEncoded(tx, cell)) return undefined;
      loaded.take(tx, cell);
      removeCell(tx, at, indexFrom(tx, at, index), cell);
      return loaded;
    });
    if (taken === nothing) return undefined;
    if (taken === absent) return absent;
    if (taken !== undefined) return loaded.value(this.#place.heap);
    return this.#popEncoded(index);
  }

  #popEncoded(index: number): unknown {
    const [seen, found] = [new LoadedCell(), new LoadedCell()];
    const find = this.#finder(index);
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const value = loadInto(seen, this.#place, find);
      if (value === absent) return this.length() === 0 ? undefined : absent;
      const isTaken = this.#change((tx, at) => {
        const cell = find(tx);
        if (cell === 0) return false;
        found.take(tx, cell);
        if (!found.equals(seen)) return false;
        removeCell(tx, at, indexFrom(tx, at, index), cell);
        return true;
      });
      if (isTaken) return this.#buried(value);
    }
    // Others are quicker all the time. So it is taken out first, to where nobody else is.
    const { removed, wasEmpty } = this.#takeOut((count) => {
      const from = index < 0 ? index + count : index;
      return from < 0 || from >= count ? [0, 0] : [from, from + 1];
    }, undefined);
    if (removed.length > 0) return removed[0];
    return wasEmpty ? undefined : absent;
  }

  remove(value: unknown): boolean {
    const { at } = this.#place;
    const isSame = sameAs(value);
    for (;;) {
      const { values, snapshot } = valuesOf(this.#place);
      const index = values.findIndex(isSame);
      if (index < 0) return false;
      const isRemoved = this.#change((tx, body) => {
        if (!isUnchanged(tx, at, snapshot)) return false;
        removeCell(tx, body, index, cellOf(tx, body, index));
        return true;
      });
      if (isRemoved) return this.#buried(true);
    }
  }

  values(bounds: Bounds): unknown[] {
    return valuesOf(this.#place, bounds).values;
  }

  splice(bounds: Bounds, values: readonly unknown[]): unknown[] {
    if (values.length === 0) return this.#takeOut(bounds, undefined).removed;
    const { heap } = this.#place;
    if (values.length === 1) {
      const prepared = prepare(heap, values[0]).keep();
      try {
        return this.#buried(this.#takeOut(bounds, prepared).removed);
      } finally {
        prepared.release();
      }
    }
    const source = makeList(heap);
    try {
      fillList(heap, source, values);
      return this.#takeOut(bounds, source).removed;
    } finally {
      heap.release(source.address);
    }
  }

  /**
   * Replaces elements by a value, by those of a list made aside, or by nothing. What is removed is decoded first: what cannot
   * be decoded here stays. Only while others are quicker again and again it is taken out first, to where nobody else is.
   *
   * @param inserted a value that stays valid while others are decoded.
   */
  #takeOut(bounds: Bounds, inserted: Prepared | RootAddress | undefined): { removed: unknown[]; wasEmpty: boolean } {
    const { heap, at } = this.#place;
    for (let looks = 0; ; looks++) {
      const seen = looks < MOST_LOOKS ? valuesOf(this.#place, bounds) : undefined;
      const taker = makeList(heap);
      try {
        const taken = this.#change((tx, to) => {
          if (seen !== undefined && !isUnchanged(tx, at, seen.snapshot)) return undefined;
          const count = countOf(tx, to);
          const [start, end] = bounds(count);
          const removed = Math.max(0, end - start);
          const isList = inserted !== undefined && 'serial' in inserted;
          if (!isList) lockRootsFor(tx, inserted, 0);
          if (removed > 0 || inserted !== undefined) {
            replaceRange(tx, to, start, removed, isList ? bodyOf(tx, inserted) : inserted, bodyOf(tx, taker));
          }
          return { removed, wasEmpty: count === 0 };
        });
        if (taken === undefined) continue;
        const { removed, wasEmpty } = taken;
        return { removed: seen?.values ?? (removed === 0 ? [] : takenValues(heap, taker)), wasEmpty };
      } finally {
        heap.release(taker.address);
      }
    }
  }

  /**
   * Replaces elements by those of a list that was made aside.
   *
   * @returns false, with nothing changed, where the list is not as it was any more.
   */
  replaceUnlessChanged(snapshot: Snapshot, start: number, removed: number, source: RootAddress): boolean {
    const { heap, at } = this.#place;
    const taker = makeList(heap);
    try {
      return this.#change((tx, to) => {
        if (!isUnchanged(tx, at, snapshot)) return false;
        replaceRange(tx, to, start, removed, bodyOf(tx, source), bodyOf(tx, taker));
        return true;
      });
    } finally {
      heap.release(taker.address);
    }
  }

  reverse(): void {
    this.#changes += 1;
    reorder(this.#place, 'words', (_, length) =>
      length < 2 ? undefined : Int32Array.from({ length }, (_, i) => length - 1 - i),
    );
  }

  sort(compare: ((a: never, b: never) => number) | undefined): void {
    const by = compare ?? defaultOrder;
    this.#changes += 1;
    reorder(this.#place, 'values', (values, length) => {
      if (length < 2) return undefined;
      const indexes = Array.from(values.keys());
      return Int32Array.from(indexes.sort((a, b) => by(values[a] as never, values[b] as never)));
    });
  }

  compute(index: number, fn: (old: unknown) => unknown): unknown {
    const [seen, found] = [new LoadedCell(), new LoadedCell()];
    const find = this.#finder(index);
    for (let ownChanges = 0; ; ) {
      const old = loadInto(seen, this.#place, find);
      if (old === absent) return absent;
      const changes = this.#changes;
      const value = fn(old);
      if (this.#changes !== changes) ownChanges += 1;
      const outcome = this.#with(value, (prepared) =>
        this.#change((tx) => {
          const cell = find(tx);
          if (cell === 0) return absent;
          found.take(tx, cell);
          if (!found.equals(seen)) return 'changed';
          lockRootsFor(tx, prepared, cell);
          replaceCell(tx, cell, prepared);
          return 'stored';
        }),
      );
      if (outcome === 'stored') return value;
      if (outcome === absent) return absent;
      // Others may have; but a function that does it itself would do it again, for ever.
      if (ownChanges === MOST_OWN_CHANGES) {
        throw new MultiprocessError(
          'The function given to compute changes what is at that index itself. Return the new value instead.',
          { code: 'ERR_MULTIPROCESS_REENTRANT' },
        );
      }
    }
  }

  clear(): void {
    const { at } = this.#place;
    this.#change((tx) => {
      discardBody(tx, at.address);
      const fresh = allocate(tx, body.words);
      tx.fill(fresh, ...new Array<number>(body.words).fill(0));
      tx.write(at.address + root.a, fresh);
    }, true);
    this.#buried(undefined);
  }

  #with<T>(value: unknown, use: (prepared: Prepared) => T): T {
    const prepared = prepare(this.#place.heap, value);
    try {
      return this.#buried(use(prepared));
    } finally {
      prepared.release();
    }
  }

  #change<T>(change: (tx: Transaction, at: number) => T, makesRoom = false): T {
    const { heap, at } = this.#place;
    this.#changes += 1;
    const result = heap.transaction.run(
      (tx) => {
        tx.lockObject(at.address);
        return change(tx, bodyOf(tx, at));
      },
      undefined,
      makesRoom,
    );
    tellWatchers(this.#place);
    return result;
  }

  /** What has been let go of may have been the last that a container was held by. */
  #buried<T>(result: T): T {
    this.#place.heap.buryAny();
    return result;
  }
}

const tooMuch = new Error('These values are too much for one transaction.');
const nothing = Symbol('nothing');

function indexFrom(tx: Transaction, at: number, index: number): number {
  return index < 0 ? index + countOf(tx, at) : index;
}

/** Removes an element and drops what it has. Logs at most 200 words. */
function removeCell(tx: Transaction, at: number, index: number, cell: number): void {
  lockRootsFor(tx, undefined, cell);
  const isLast = index === countOf(tx, at) - 1;
  if (!isLast && index > 0) return replaceRange(tx, at, index, 1, undefined);
  dropCell(tx, cell);
  if (isLast) takeLast(tx, at);
  else takeFirst(tx, at);
}

function takenValues(heap: Place['heap'], taker: RootAddress): unknown[] {
  return valuesOf(new Place(heap, taker)).values;
}
