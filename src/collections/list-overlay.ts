import { StaleHandleError } from '../errors/index.js';
import { type Place, root } from '../heap/internal.js';
import { absent, type Prepared, prepare, valueOfPrepared } from '../values/internal.js';
import { defaultOrder } from './default-order.js';
import { prepareOneOf } from './list-aside.js';
import { type Bounds, everything, type Snapshot, takeSnapshot } from './list-snapshot.js';
import type { ListStore } from './list-store.js';
import { sameAs } from './same-value.js';
import { Overtaken } from './transact.js';

/** An element of the shared list, by its index there; or one that has been made since. */
export type OverlayItem = number | Prepared;

/** What a `transact` sees of a list: the shared one as it was when it was first looked at, and what has been done to it since. */
export class ListOverlay implements ListStore {
  readonly #place: Place;
  readonly #kept: Prepared[] = [];
  #snapshot: Snapshot | undefined;
  #items: OverlayItem[] = [];

  constructor(place: Place) {
    this.#place = place;
  }

  /** Undefined as long as nobody has looked. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  get items(): readonly OverlayItem[] {
    return this.#items;
  }

  /** To be called in the end: gives back what has been prepared. */
  drop(): void {
    for (const prepared of this.#kept.splice(0)) prepared.release();
  }

  /** The value of an element. @throws Overtaken when it is gone because others have changed the list. */
  valueOf(item: OverlayItem): unknown {
    const { heap, at } = this.#place;
    if (typeof item !== 'number') return valueOfPrepared(heap, item);
    try {
      return this.#snapshot!.cells.value(heap, item);
    } catch (error) {
      const isUnchanged = heap.memory.load(at.address + root.sequence) === this.#snapshot!.sequence;
      if (error instanceof StaleHandleError && !isUnchanged) throw new Overtaken();
      throw error;
    }
  }

  /** The elements, to be changed in place. */
  #used(): OverlayItem[] {
    if (this.#snapshot === undefined) {
      this.#snapshot = takeSnapshot(this.#place, everything);
      this.#items = Array.from({ length: this.#snapshot.cells.length }, (_, i) => i);
    }
    return this.#items;
  }

  #keep(prepared: Prepared): Prepared {
    this.#kept.push(prepared);
    return prepared;
  }

  #prepare(value: unknown): Prepared {
    return this.#keep(prepare(this.#place.heap, value).keep());
  }

  #prepareAll(values: readonly unknown[]): Prepared[] {
    return values.map((value, i) => this.#keep(prepareOneOf(this.#place.heap, value, i)));
  }

  length(): number {
    return this.#used().length;
  }

  get(index: number): unknown {
    const item = this.#used().at(index);
    return item === undefined || !this.#isIn(index) ? absent : this.valueOf(item);
  }

  #isIn(index: number): boolean {
    const { length } = this.#used();
    return index < length && index >= -length;
  }

  #from(index: number): number {
    return index < 0 ? index + this.#used().length : index;
  }

  set(index: number, value: unknown): boolean {
    const prepared = this.#prepare(value);
    if (!this.#isIn(index)) return false;
    this.#used()[this.#from(index)] = prepared;
    return true;
  }

  append(value: unknown): void {
    this.#used().push(this.#prepare(value));
  }

  extend(values: readonly unknown[]): number {
    const items = this.#used();
    for (const prepared of this.#prepareAll(values)) items.push(prepared);
    return items.length;
  }

  insert(index: number, value: unknown): void {
    this.#used().splice(index, 0, this.#prepare(value));
  }

  pop(index: number): unknown {
    const items = this.#used();
    if (items.length === 0) return undefined;
    const value = this.get(index);
    if (value !== absent) items.splice(this.#from(index), 1);
    return value;
  }

  remove(value: unknown): boolean {
    const isSame = sameAs(value);
    const items = this.#used();
    const index = items.findIndex((item) => isSame(this.valueOf(item)));
    if (index >= 0) items.splice(index, 1);
    return index >= 0;
  }

  values(bounds: Bounds): unknown[] {
    const items = this.#used();
    return items.slice(...bounds(items.length)).map((item) => this.valueOf(item));
  }

  splice(bounds: Bounds, values: readonly unknown[]): unknown[] {
    const items = this.#used();
    const prepared = this.#prepareAll(values);
    const [start, end] = bounds(items.length);
    const removed = items.slice(start, end).map((item) => this.valueOf(item));
    this.#items = [...items.slice(0, start), ...prepared, ...items.slice(Math.max(start, end))];
    return removed;
  }

  reverse(): void {
    this.#used().reverse();
  }

  sort(compare: ((a: never, b: never) => number) | undefined): void {
    const by = compare ?? defaultOrder;
    const known = this.#used().map((item) => ({ item, value: this.valueOf(item) as never }));
    known.sort((a, b) => by(a.value, b.value));
    this.#items = known.map(({ item }) => item);
  }

  compute(index: number, fn: (old: unknown) => unknown): unknown {
    const old = this.get(index);
    if (old === absent) return absent;
    const value = fn(old);
    return this.set(index, value) ? value : absent;
  }

  clear(): void {
    this.#used();
    this.#items = [];
  }
}
