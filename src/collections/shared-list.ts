import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { StaleHandleError, ValueError } from '../errors/index.js';
import {
  enterWrapper,
  formatPlace,
  type Heap,
  openPlace,
  Place,
  placeOf,
  type RootAddress,
  rootKind,
  treeHeap,
} from '../heap/internal.js';
import { type Handle, markUncloneable, unsharedWarning } from '../shared-memory/internal.js';
import type { NotPromise } from '../synchronize/internal.js';
import { absent } from '../values/internal.js';
import { contentsForJson, inspectContents } from './contents.js';
import { fillList, makeList } from './list-aside.js';
import { everything } from './list-snapshot.js';
import type { ListStore } from './list-store.js';
import { ListUnit } from './list-unit.js';
import { refuseThenable } from './refuse-thenable.js';
import { sameAs } from './same-value.js';
import { type Transactable, transactable } from './transact.js';
import './list-contents.js';

/**
 * A list that processes and worker threads share, made by {@link SharedList}.
 *
 * What goes in is copied, and what comes out is a copy: changing that changes nothing in the list. Shared objects in it,
 * other lists for example, come out as the same shared objects. Every method is atomic: others see all of it or nothing, also
 * if this process is killed in the middle.
 *
 * Negative indexes count from the end. All methods throw StaleHandleError when the list, or an object in what is read, has been
 * disposed of; those that store something throw NotShareableError for what cannot travel (and have changed nothing), and a
 * system error `ENOSPC` when there is no room.
 */
export interface ListProxy<T = any> extends Iterable<T> {
  /** @throws RangeError when there is no such element; TypeError for an index that is no integer. */
  get(index: number): T;
  /** The element, or undefined. */
  at(index: number): T | undefined;
  /** @throws RangeError when there is no such element. */
  set(index: number, value: T): void;
  append(value: T): void;
  /** Appends values, all at once. @returns how many elements there are then. */
  push(...values: T[]): number;
  /** Appends values, all at once. */
  extend(values: Iterable<T>): void;
  /** Puts a value before the element at `index`: beyond the ends, to the end. */
  insert(index: number, value: T): void;
  /**
   * Takes an element out, the last one by default. A value that cannot be decoded here (an unknown class, say) stays, unless
   * others change the list all the time.
   *
   * @returns undefined where the list is empty. @throws RangeError when there is no such element in one that is not.
   */
  pop(index?: number): T | undefined;
  /**
   * Removes the first element that is this value: data is compared by content, shared objects by identity.
   *
   * @throws ValueError when there is none.
   */
  remove(value: T): void;
  /** The index of the first element that is this value. @throws ValueError when there is none. */
  index(value: T): number;
  /** How many elements are this value. */
  count(value: T): number;
  reverse(): void;
  /**
   * Sorts, again from the start where others have changed the list meanwhile. Elements that compare as equal stay in order.
   *
   * @param compare as of `Array.prototype.sort`; called with no lock held. Without it, numbers are sorted as numbers and strings
   * by code point.
   * @throws TypeError for other values, or numbers and strings together, without `compare`. Whatever `compare` throws.
   */
  sort(compare?: (a: T, b: T) => number): void;
  /** As of arrays. */
  slice(start?: number, end?: number): T[];
  /** As of arrays. @returns what has been removed. */
  splice(start: number, deleteCount?: number, ...values: T[]): T[];
  clear(): void;
  /**
   * Replaces an element by what `fn` makes of it. `fn` is called with no lock held, and again if the element has changed
   * meanwhile: so nothing is lost, and nobody waits.
   *
   * @returns what is there then.
   * @throws RangeError when there is no such element; TypeError when `fn` returns a promise; MultiprocessError (`ERR_MULTIPROCESS_REENTRANT`) when
   * it keeps changing that element itself; whatever it throws. Nothing is stored then.
   */
  compute(index: number, fn: (old: T) => NotPromise<T>): T;
  readonly length: number;
  /** The elements as they are now. So is what iterating gives: the list may be changed meanwhile. */
  copy(): T[];
  /** The contents. @throws TypeError for a list that lies in itself. */
  toJSON(): unknown;
  readonly handle: Handle<ListProxy<T>>;
  /** Ends the list for all who use it. */
  dispose(): void;
}

class ListProxyClass implements ListProxy<unknown> {
  static {
    Object.defineProperty(ListProxyClass, 'name', { value: 'ListProxy' });
  }

  readonly #place: Place;
  readonly #unit: ListUnit;
  #warnUnshared: (() => void) | undefined;

  /** @param found where it is, or how it is made in a heap. @param home that heap; default: that of the process tree. */
  constructor(found?: Place | ((heap: Heap) => RootAddress), home?: Heap) {
    if (typeof found === 'function') {
      const heap = home ?? treeHeap();
      this.#place = new Place(heap, found(heap));
      this.#warnUnshared = unsharedWarning('SharedList');
    } else {
      if (!(found instanceof Place))
        throw new TypeError('A list is made by SharedList(values), not by new ListProxy().');
      this.#place = found;
    }
    this.#unit = new ListUnit(this.#place);
    enterWrapper(this, this.#place);
    markUncloneable(this);
  }

  /** What does the work, when the list is used. */
  get #used(): ListStore {
    if (this.#warnUnshared !== undefined) {
      this.#warnUnshared();
      this.#warnUnshared = undefined;
    }
    return this.#unit.store;
  }

  get [transactable](): Transactable {
    return this.#unit;
  }

  get length(): number {
    return this.#used.length();
  }

  get(index: number): unknown {
    checkIndex(index);
    const value = this.#used.get(index);
    if (value === absent) throw this.#outside(index);
    return value;
  }

  at(index: number): unknown {
    checkIndex(index);
    const value = this.#used.get(index);
    return value === absent ? undefined : value;
  }

  set(index: number, value: unknown): void {
    checkIndex(index);
    if (!this.#used.set(index, value)) throw this.#outside(index);
  }

  append(value: unknown): void {
    this.#used.append(value);
  }

  push(...values: unknown[]): number {
    return this.#used.extend(values);
  }

  extend(values: Iterable<unknown>): void {
    this.#used.extend(listOf(values, 'extend'));
  }

  insert(index: number, value: unknown): void {
    checkIndex(index);
    this.#used.insert(index, value);
  }

  pop(index = -1): unknown {
    checkIndex(index);
    const value = this.#used.pop(index);
    if (value === absent) throw this.#outside(index);
    return value;
  }

  remove(value: unknown): void {
    if (!this.#used.remove(value)) throw new ValueError(`The list has no such element to remove: ${brief(value)}.`);
  }

  index(value: unknown): number {
    const index = this.copy().findIndex(sameAs(value));
    if (index < 0) throw new ValueError(`The list has no such element: ${brief(value)}.`);
    return index;
  }

  count(value: unknown): number {
    return this.copy().filter(sameAs(value)).length;
  }

  reverse(): void {
    this.#used.reverse();
  }

  sort(compare?: (a: never, b: never) => number): void {
    if (compare !== undefined && typeof compare !== 'function') {
      throw new TypeError(`sort takes a function that compares two elements; got ${typeof compare}.`);
    }
    this.#used.sort(compare);
  }

  slice(start?: number, end?: number): unknown[] {
    return this.#used.values((count) => [relative(start, 0, count), relative(end, count, count)]);
  }

  splice(...args: [start?: number, deleteCount?: number, ...values: unknown[]]): unknown[] {
    const [start, deleteCount, ...values] = args;
    if (args.length === 0) return [];
    return this.#used.splice((count) => {
      const from = relative(start, 0, count);
      const most = count - from;
      return [from, from + (args.length === 1 ? most : Math.max(0, Math.min(whole(deleteCount), most)))];
    }, values);
  }

  clear(): void {
    this.#used.clear();
  }

  compute(index: number, fn: (old: never) => unknown): unknown {
    checkIndex(index);
    if (typeof fn !== 'function') throw new TypeError(`compute takes a function; got ${typeof fn}.`);
    const value = this.#used.compute(index, (old) => refuseThenable(fn(old as never), 'compute'));
    if (value === absent) throw this.#outside(index);
    return value;
  }

  copy(): unknown[] {
    return this.#used.values(everything);
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.copy()[Symbol.iterator]();
  }

  toJSON(): unknown {
    return contentsForJson(this, () => this.copy());
  }

  get handle(): Handle<ListProxy<unknown>> {
    return `mp:sharedlist:${formatPlace(this.#place)}` as Handle<ListProxy<unknown>>;
  }

  dispose(): void {
    this.#place.heap.dispose(this.#place.at);
  }

  [inspect.custom](depth: number | null, options: object): string {
    try {
      return inspectContents(this, `ListProxy(${this.length})`, depth, options, () => this.copy());
    } catch (error) {
      if (error instanceof StaleHandleError) return 'ListProxy { disposed }';
      throw error;
    }
  }

  #outside(index: number): RangeError {
    return new RangeError(`There is no element ${index}: the list has ${this.length}.`);
  }
}

/**
 * Makes a list that processes and worker threads share: see {@link ListProxy}.
 *
 * @param init its first elements.
 * @throws TypeError for what is not iterable; NotShareableError for a value that cannot travel; UnsupportedPlatformError, system
 * errors (`ENOSPC`), and TooManyParticipantsError.
 *
 * @example
 * ```ts
 * import { SharedList } from 'multiprocess';
 *
 * const list = SharedList([3, 1, 2]);
 * list.append(4);
 * console.log(list.get(-1), list.length); // 4 4
 * list.sort();
 * console.log(list.slice(1)); // [ 2, 3, 4 ]
 * console.log(list.compute(0, (old) => old * 10)); // 10
 * console.log(list.pop(), [...list]); // 4 [ 10, 2, 3 ]
 * ```
 */
export function SharedList<T = any>(init?: Iterable<T>): ListProxy<T> {
  const values = init === undefined || init === null ? [] : listOf(init, 'SharedList');
  return new ListProxyClass((heap) => makeFilled(heap, values)) as unknown as ListProxy<T>;
}

/** The class of all shared lists, for `instanceof` and `open(handle, ListProxy)`. */
export const ListProxy = ListProxyClass as unknown as abstract new () => ListProxy;

function makeFilled(heap: Heap, values: readonly unknown[]): RootAddress {
  const made = makeList(heap);
  try {
    fillList(heap, made, values);
    return made;
  } catch (error) {
    heap.release(made.address);
    throw error;
  }
}

registerSharedKind<ListProxyClass>({
  kind: 'sharedlist',
  type: ListProxyClass,
  handle: (list) => list.handle,
  places: (list) => [placeOf(list)],
  open: (fields) => openPlace(fields, rootKind.list, (place) => new ListProxyClass(place)),
});

function listOf(values: Iterable<unknown>, method: string): readonly unknown[] {
  if (Array.isArray(values)) return values;
  if (typeof values !== 'string' && (typeof values !== 'object' || values === null || !(Symbol.iterator in values))) {
    throw new TypeError(`${method} takes something to iterate over; got ${values === null ? 'null' : typeof values}.`);
  }
  return [...values];
}

function checkIndex(index: unknown): void {
  if (!Number.isInteger(index) && index !== Number.POSITIVE_INFINITY && index !== Number.NEGATIVE_INFINITY) {
    throw new TypeError(`An index is an integer; got ${typeof index === 'number' ? index : typeof index}.`);
  }
}

/** An index as `Array.prototype.slice` takes it. */
function relative(index: number | undefined, otherwise: number, count: number): number {
  if (index === undefined) return otherwise;
  const from = whole(index);
  return from < 0 ? Math.max(0, count + from) : Math.min(from, count);
}

function whole(index: number | undefined): number {
  if (index === undefined) return 0;
  if (typeof index !== 'number') throw new TypeError(`An index is a number; got ${typeof index}.`);
  return Math.trunc(index) || 0;
}

function brief(value: unknown): string {
  const text = inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
