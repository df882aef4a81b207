import { type InspectOptions, inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import {
  enterWrapper,
  formatPlace,
  type Heap,
  openPlace,
  Place,
  placeOf,
  rootKind,
  treeHeap,
  type WaitOptions,
} from '../heap/internal.js';
import { type Handle, markUncloneable, unsharedWarning } from '../shared-memory/internal.js';
import type { NotPromise } from '../synchronize/internal.js';
import { absent } from '../values/internal.js';
import { changed } from './changed.js';
import { contentsForJson, inspectContents } from './contents.js';
import { createDict, Dict } from './dict.js';
import type { DictKey } from './dict-keys.js';
import { type DictOptions, type SetOptions, settingsFrom, ttlOf } from './dict-options.js';
import type { DictSettings } from './dict-table.js';
import { DictUnit } from './dict-unit.js';
import { type Pairs, pairsOf } from './pairs.js';
import { type Transactable, transactable } from './transact.js';

export type { DictKey, DictOptions, SetOptions };

/** What all dicts have. */
export interface DictMethods<K, V> extends Iterable<[K, V]> {
  has(key: K): boolean;
  /** @returns whether there was such an entry. */
  delete(key: K): boolean;
  /** Removes all entries. */
  clear(): void;
  /** How many entries there are: exactly, those that have expired not counted. */
  readonly size: number;
  /** The keys as they are now, in the order in which they were inserted; changes that come later are not seen. */
  keys(): IterableIterator<K>;
  /** The values as they are now, all of one instant. */
  values(): IterableIterator<V>;
  /** The entries as they are now, all of one instant. */
  entries(): IterableIterator<[K, V]>;
  [Symbol.iterator](): IterableIterator<[K, V]>;
  forEach(fn: (value: V, key: K) => void): void;
  /**
   * Sets many entries. Nothing is set if one of them cannot be; but others may see some of them before the rest: for all at
   * once, there is `transact`.
   */
  update(entries: Iterable<readonly [K, V]> | Record<string, V>): void;
  /** Removes the entry that was inserted last. */
  popitem(): [K, V] | undefined;
  /** Adds to a number, in one step; a missing one counts from 0. @returns the sum. @throws TypeError for what is no number. */
  increment(key: K, by?: number): number;
  /**
   * Stores `value` if the entry's value is `expected`, in one step. Values are the same if they are encoded alike; undefined
   * stands for no entry. @returns whether it was.
   */
  compareAndSet(key: K, expected: V | undefined, value: V | undefined): boolean;
  /**
   * Waits for the next write, by anybody, of the entry or of any. @returns whether it came in time.
   *
   * @throws (rejects) `signal.reason`; StaleHandleError when the dict is disposed of.
   */
  changed(key?: K, options?: WaitOptions): Promise<boolean>;
  /** Its contents in a Map of this process. */
  copy(): Map<K, V>;
  /** Its contents in a plain object. @throws TypeError if a key is no string. */
  toObject(): Record<string, V>;
  /** Its contents: an object if all keys are strings, else entries. */
  toJSON(): unknown;
  /** Its address as text: see `handleOf`. */
  readonly handle: Handle<unknown>;
  /** Ends it for all who use it, and frees its memory. */
  dispose(): void;
}

/**
 * A `Map` that all processes share: they read and write it directly, in memory. Entries are in the order in which they were
 * inserted. Keys are compared by value.
 *
 * What goes in is copied, and what comes out is a fresh copy: changing it changes nothing that is shared. `compute`,
 * `transact`, and shared objects as values are the ways to change what is inside; those come out as the same shared objects.
 */
export interface DictProxy<K = any, V = any> extends DictMethods<K, V> {
  get(key: K): V | undefined;
  get<D>(key: K, fallback: D): V | D;
  /** @throws NotShareableError for what cannot be shared, and nothing is changed; system errors (`ENOSPC`). */
  set(key: K, value: V, options?: SetOptions): this;
  /** The entry's value; where there is none, `value` is stored first. */
  setdefault(key: K, value: V): V;
  /** Removes an entry. @returns its value. */
  pop(key: K): V | undefined;
  pop<D>(key: K, fallback: D): V | D;
  /**
   * Replaces a value by what `fn` makes of it, in one step; undefined stands for no entry. No lock is held while `fn` runs: if
   * somebody else writes the entry meanwhile, `fn` is called again.
   *
   * @returns the value after.
   * @throws TypeError when `fn` returns a promise, and nothing is stored; MultiprocessError (`ERR_MULTIPROCESS_REENTRANT`)
   * when it writes the entry itself.
   */
  compute(key: K, fn: (old: V | undefined) => NotPromise<V | undefined>): V | undefined;
  readonly handle: Handle<DictProxy<K, V>>;
}

/** A dict made from a plain object: typed by its shape. */
export interface SharedRecord<S extends object> extends DictMethods<keyof S & string, S[keyof S]> {
  get<K extends keyof S>(key: K): S[K];
  set<K extends keyof S>(key: K, value: S[K], options?: SetOptions): this;
  compute<K extends keyof S>(key: K, fn: (old: S[K]) => NotPromise<S[K]>): S[K];
  readonly handle: Handle<SharedRecord<S>>;
}

/** What makes dicts. */
export interface DictFactory {
  <K = any, V = any>(init?: Iterable<readonly [K, V]> | null, options?: DictOptions): DictProxy<K, V>;
  <S extends Record<string, any>>(init: S, options?: DictOptions): SharedRecord<S>;
  readonly prototype: DictProxy;
}

class DictProxyClass implements DictProxy<DictKey, unknown> {
  static {
    Object.defineProperty(DictProxyClass, 'name', { value: 'DictProxy' });
  }

  readonly #unit: DictUnit;
  #warnUnshared: (() => void) | undefined;

  /** @param warn where it has just been made: what warns on first use of one that is another in each process. */
  constructor(place: Place, warn?: () => void) {
    this.#unit = new DictUnit(new Dict(place));
    this.#warnUnshared = warn;
    enterWrapper(this, place);
    markUncloneable(this);
  }

  get [transactable](): Transactable {
    return this.#unit;
  }

  get(key: DictKey, fallback?: unknown): any {
    if (this.#warnUnshared !== undefined) this.#used();
    const value = this.#unit.operations.read(key);
    return value === absent ? fallback : value;
  }

  set(key: DictKey, value: unknown, options?: SetOptions): this {
    if (this.#warnUnshared !== undefined) this.#used();
    this.#unit.operations.write(key, value, ttlOf(options));
    return this;
  }

  has(key: DictKey): boolean {
    return this.#unit.operations.has(key);
  }

  delete(key: DictKey): boolean {
    return this.#unit.operations.remove(key);
  }

  clear(): void {
    this.#unit.operations.clear();
  }

  get size(): number {
    return this.#unit.operations.size();
  }

  keys(): IterableIterator<DictKey> {
    return this.#unit.operations.keys()[Symbol.iterator]();
  }

  values(): IterableIterator<unknown> {
    return valuesOf(this.#unit.operations.entries());
  }

  entries(): IterableIterator<[DictKey, unknown]> {
    return entriesOf(this.#unit.operations.entries());
  }

  [Symbol.iterator](): IterableIterator<[DictKey, unknown]> {
    return this.entries();
  }

  forEach(fn: (value: unknown, key: DictKey) => void): void {
    for (const [key, value] of this.#unit.operations.entries()) fn(value, key);
  }

  update(entries: Iterable<readonly [DictKey, unknown]> | Record<string, unknown>): void {
    if (entries === undefined || entries === null) throw new TypeError('update takes entries or an object.');
    if (this.#warnUnshared !== undefined) this.#used();
    this.#unit.operations.update(pairsOf(entries));
  }

  setdefault(key: DictKey, value: unknown): unknown {
    return this.#unit.operations.setDefault(key, value);
  }

  pop(key: DictKey, fallback?: unknown): any {
    const value = this.#unit.operations.take(key);
    return value === absent ? fallback : value;
  }

  popitem(): [DictKey, unknown] | undefined {
    return this.#unit.operations.takeLast();
  }

  compute(key: DictKey, fn: (old: unknown) => unknown): unknown {
    if (typeof fn !== 'function') throw new TypeError('compute takes a function.');
    return this.#unit.operations.compute(key, fn);
  }

  increment(key: DictKey, by = 1): number {
    if (typeof by !== 'number') throw new TypeError(`increment adds a number; got ${typeof by}.`);
    if (this.#warnUnshared !== undefined) this.#used();
    return this.#unit.operations.increment(key, by);
  }

  compareAndSet(key: DictKey, expected: unknown, value: unknown): boolean {
    return this.#unit.operations.compareAndSet(key, expected, value);
  }

  async changed(key?: DictKey, options?: WaitOptions): Promise<boolean> {
    const came = await changed(this.#unit.dict, key, options);
    // This wrapper is what holds the dict.
    return came && this.#unit !== undefined;
  }

  copy(): Map<DictKey, unknown> {
    return new Map(this.#unit.operations.entries());
  }

  toObject(): Record<string, unknown> {
    const entries = [...this.#unit.operations.entries()];
    if (!entries.every(([key]) => typeof key === 'string')) {
      throw new TypeError('toObject is for dicts whose keys are all strings; copy() makes a Map of any.');
    }
    return Object.fromEntries(entries as [string, unknown][]);
  }

  toJSON(): unknown {
    return contentsForJson(this, () => {
      const entries = [...this.#unit.operations.entries()];
      return entries.every(([key]) => typeof key === 'string')
        ? Object.fromEntries(entries as [string, unknown][])
        : entries;
    });
  }

  get handle(): Handle<DictProxy> {
    return `mp:dict:${formatPlace(this.#unit.place)}` as Handle<DictProxy>;
  }

  dispose(): void {
    this.#unit.place.heap.dispose(this.#unit.place.at);
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    const { heap, at } = this.#unit.place;
    if (!heap.exists(at)) return 'DictProxy { disposed }';
    const contents = this.copy();
    const text = inspectContents(this, `DictProxy(${contents.size})`, depth, options, () => contents);
    return text.replace(` Map(${contents.size}) `, ' ');
  }

  #used(): void {
    this.#warnUnshared?.();
    this.#warnUnshared = undefined;
  }
}

function* valuesOf(entries: Iterable<[DictKey, unknown]>): Generator<unknown> {
  for (const [, value] of entries) yield value;
}

function* entriesOf(entries: Iterable<[DictKey, unknown]>): Generator<[DictKey, unknown]> {
  yield* entries;
}

/** Makes a dict in a certain heap; by default, in that of the process tree. */
export function makeDict(init: unknown, options: DictOptions | undefined, home?: Heap): DictProxy {
  const settings = settingsFrom(options);
  const pairs = pairsOf(init);
  const heap = home ?? treeHeap();
  const place = makeDictAt(heap, rootKind.dict, settings, pairs);
  return new DictProxyClass(place, unsharedWarning('SharedDict')) as DictProxy;
}

/** Makes a dict, or what is one, with its first entries. */
export function makeDictAt(heap: Heap, kind: number, settings: DictSettings, pairs: Pairs): Place {
  const place = new Place(heap, createDict(heap, kind, settings));
  try {
    if (pairs.length > 0) new Dict(place).update(pairs);
    return place;
  } catch (error) {
    heap.release(place.at.address);
    throw error;
  }
}

/**
 * Makes a dict that processes share: empty, or with the entries of an iterable, or with those of a plain object. It lives as
 * long as a process holds it or another container has it.
 *
 * @throws TypeError for what are no entries, for wrong options, and for a name, which only managers give; RangeError;
 * NotShareableError for a value that cannot be shared; UnsupportedPlatformError, system errors (`ENOSPC`), and
 * TooManyParticipantsError.
 *
 * @example
 * ```ts
 * import { SharedDict } from 'multiprocess';
 *
 * const visits = SharedDict<string, number>(); // pass it to a Process in its args, or anywhere as a handle
 * visits.increment('/');
 * visits.increment('/', 2);
 * console.log(visits.get('/'), visits.get('/about', 0)); // 3 0
 *
 * const cache = SharedDict<string, object>(null, { ttl: 60_000, maxEntries: 10_000 });
 * cache.set('a', { b: 1 });
 * console.log(cache); // DictProxy(1) { 'a' => { b: 1 } }
 *
 * const stats = SharedDict({ total: 0, names: ['x'] }); // typed by its shape
 * stats.compute('names', (names) => [...names, 'y']);
 * console.log(stats.toObject()); // { total: 0, names: [ 'x', 'y' ] }
 * ```
 */
export const SharedDict: DictFactory = Object.assign(
  function SharedDict(init?: unknown, options?: DictOptions) {
    return makeDict(init, options) as never;
  },
  { prototype: DictProxyClass.prototype as unknown as DictProxy },
);

registerSharedKind<DictProxyClass>({
  kind: 'dict',
  type: DictProxyClass as unknown as abstract new (...args: never[]) => DictProxyClass,
  handle: (dict) => dict.handle,
  places: (dict) => [placeOf(dict)],
  open: (fields) => openPlace(fields, rootKind.dict, (place) => new DictProxyClass(place)),
});
