import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { ValueError } from '../errors/index.js';
import { formatPlace, openRaw, rawPlaceOf } from '../heap/internal.js';
import { type Handle, markUncloneable, refuseJson, unsharedWarning } from '../shared-memory/internal.js';
import type { Lock, RLock } from '../synchronize/index.js';
import { atomically } from './atomics.js';
import { charType } from './character-types.js';
import { checkIndex, checkRoom, checkStart, indexOfAt, sliceBounds } from './indexes.js';
import { type CharArrayClass, checkedLength, ItemArrayClass, makeItemArray } from './item-array.js';
import type { Cells, ItemType } from './item-type.js';
import { type Locked, LockedBase, lockOption, openLock, splitLock } from './locked.js';
import { itemsOf, makeArray, prepareAll, type RawArrayOf } from './raw-array.js';
import { typeOfArray } from './scalar-types.js';
import type { AnyType, Read, Write } from './type-codes.js';
import { showType, typeFromText, typeOf } from './types.js';
import { enter, wrapperOf } from './wrappers.js';

/**
 * An array in shared memory with a lock, which guards it only as far as one uses it: `get`, `set` and the atomic operations
 * are single accesses, with or without the lock; anything that touches several items is not atomic without it.
 */
export interface SynchronizedArray<C> extends Locked, Iterable<Read<C>> {
  /** The item at that index; a structure as a view of the memory. @throws RangeError out of range. */
  get(index: number): Read<C>;
  /** @throws RangeError out of range, or for what does not fit; TypeError for a value of a wrong type. */
  set(index: number, value: Write<C>): void;
  /** As `Array`'s: counts from the end if negative; `undefined` out of range. */
  at(index: number): Read<C> | undefined;
  readonly length: number;
  /** As `Array`'s: the items in an array of this process's own. */
  slice(start?: number, end?: number): Read<C>[];
  /**
   * Writes items from that index on. All are checked before the first is stored.
   *
   * @throws RangeError when they do not all have room, or one does not fit; TypeError for a value of a wrong type.
   */
  setSlice(start: number, values: Iterable<Write<C>>): void;
  /** The array without the lock. */
  getObj(): RawArrayOf<C>;
  /** As {@link Synchronized}'s, of one item. */
  add(index: number, n: Write<C>): Read<C>;
  /** As {@link Synchronized}'s, of one item. */
  exchange(index: number, value: Write<C>): Read<C>;
  /** As {@link Synchronized}'s, of one item. */
  compareExchange(index: number, expected: Write<C>, value: Write<C>): Read<C>;
  readonly handle: Handle<SynchronizedArray<C>>;
}

/** An array of bytes with a lock. */
export interface SynchronizedString extends SynchronizedArray<'c'> {
  /** As {@link CharArray}'s. */
  get value(): Uint8Array;
  set value(bytes: Uint8Array);
  /** As {@link CharArray}'s. */
  get raw(): Uint8Array;
  set raw(bytes: Uint8Array);
}

type Raw = ItemArrayClass | (ArrayBufferView & { readonly buffer: ArrayBuffer; readonly length: number });

class SynchronizedArrayClass extends LockedBase {
  static {
    Object.defineProperty(SynchronizedArrayClass, 'name', { value: 'SharedArray' });
  }

  readonly #raw: Raw;
  readonly #type: ItemType;
  readonly #cells: Cells;
  readonly #plain: boolean;
  readonly #length: number;
  #handle: string | undefined;
  #warn = unsharedWarning('SharedArray');

  constructor(type: ItemType, raw: Raw, given: Lock | RLock | undefined) {
    super(rawPlaceOf(raw.buffer)!, given);
    this.#raw = raw;
    this.#type = type;
    this.#cells = type.plain ? raw : (raw as ItemArrayClass).cells;
    this.#plain = type.plain;
    this.#length = raw.length;
    markUncloneable(this);
  }

  get(index: number): unknown {
    this.#check(index);
    return this.#plain ? this.#cells[index] : this.#type.read(this.#cells, index);
  }

  set(index: number, value: unknown): void {
    this.#check(index);
    this.#type.store(this.#cells, index, this.#type.prepare(value));
  }

  at(index: number): unknown {
    const found = indexOfAt(index, this.#length);
    return found === undefined ? undefined : this.get(found);
  }

  get length(): number {
    return this.#length;
  }

  slice(start?: number, end?: number): unknown[] {
    const [from, to] = sliceBounds(start, end, this.#length);
    const items: unknown[] = [];
    for (let i = from; i < to; i++) items.push(this.get(i));
    return items;
  }

  setSlice(start: number, values: Iterable<unknown>): void {
    checkStart(start, this.#length);
    const prepared = prepareAll(this.#type, values);
    checkRoom(start, prepared.length, this.#length);
    this.used();
    for (const [i, item] of prepared.entries()) this.#type.store(this.#cells, start + i, item);
  }

  *[Symbol.iterator](): IterableIterator<unknown> {
    for (let i = 0; i < this.#length; i++) yield this.get(i);
  }

  getObj(): Raw {
    return this.#raw;
  }

  add(index: number, n: unknown): unknown {
    this.#check(index);
    return atomically(this.#type).add(this.#cells, index, n);
  }

  exchange(index: number, value: unknown): unknown {
    this.#check(index);
    return atomically(this.#type).exchange(this.#cells, index, value);
  }

  compareExchange(index: number, expected: unknown, value: unknown): unknown {
    this.#check(index);
    return atomically(this.#type).compareExchange(this.#cells, index, expected, value);
  }

  get handle(): string {
    this.#handle ??= enter(this.#makeHandle(), this);
    return this.#handle;
  }

  #makeHandle(): string {
    const { byteOffset } = this.#cells as { byteOffset: number };
    const part = `${this.#type.text}:${byteOffset}:${this.#length}`;
    const kind = this.#type === charType ? 'string' : 'array';
    return `mp:${kind}:${part}:${formatPlace(rawPlaceOf(this.#raw.buffer)!)}${this.lockText}`;
  }

  toJSON(): never {
    return refuseJson('SharedArray');
  }

  [inspect.custom](_depth: number, options: object, show: typeof inspect): string {
    return `SharedArray(${showType(this.#type)}) ${show(this.slice(), options)}`;
  }

  protected used(): void {
    this.#warn?.();
    this.#warn = undefined;
  }

  #check(index: number): void {
    if (this.#warn !== undefined) this.used();
    checkIndex(index, this.#length);
  }
}

class SynchronizedStringClass extends SynchronizedArrayClass {
  get value(): Uint8Array {
    this.used();
    return (this.getObj() as CharArrayClass).value;
  }

  set value(bytes: Uint8Array) {
    this.used();
    (this.getObj() as CharArrayClass).value = bytes;
  }

  get raw(): Uint8Array {
    this.used();
    return (this.getObj() as CharArrayClass).raw;
  }

  set raw(bytes: Uint8Array) {
    this.used();
    (this.getObj() as CharArrayClass).raw = bytes;
  }

  override [inspect.custom](_depth: number, options: object, show: typeof inspect): string {
    return `SharedArray('c') ${show(Buffer.from(this.raw).toString('latin1'), options)}`;
  }
}

type ArrayOf<C, L> = L extends false ? RawArrayOf<C> : C extends 'c' ? SynchronizedString : SynchronizedArray<C>;

/**
 * Makes an array in shared memory, with a lock. Exported as `Array` too, for those who write `mp.Array`.
 *
 * It travels as the same array, to a Process in its args or anywhere as a handle, and lives as long as anybody has it.
 *
 * @param type a {@link TypeCode}, or a structure.
 * @param sizeOrItems how many items, all zero, or what they are.
 * @param options.lock as for {@link Value}; `false` makes a {@link RawArray}.
 * @throws TypeError for an unknown type, a size that is no integer, an item of a wrong type, or a wrong lock; RangeError for
 * a negative size, or an item that does not fit; a system error `ENOSPC` when there is no room.
 *
 * @example
 * ```ts
 * import { SharedArray } from 'multiprocess';
 *
 * const numbers = SharedArray('d', [1, 2, 3]);
 * numbers.runSync(() => {
 *   for (let i = 0; i < numbers.length; i++) numbers.set(i, numbers.get(i) * 2);
 * });
 * numbers.add(0, 0.5); // atomic by itself
 * console.log(numbers.at(-1), numbers.slice()); // 6 [ 2.5, 4, 6 ]
 *
 * const text = SharedArray('c', 16);
 * text.value = Buffer.from('shared');
 * console.log(text.value.length, text.length); // 6 16
 * ```
 */
export const SharedArray: {
  <C extends AnyType, const L extends boolean | Lock | RLock = true>(
    type: C,
    sizeOrItems: number | Iterable<Write<C>>,
    options?: { lock?: L },
  ): ArrayOf<C, L>;
  new <C extends AnyType, const L extends boolean | Lock | RLock = true>(
    type: C,
    sizeOrItems: number | Iterable<Write<C>>,
    options?: { lock?: L },
  ): ArrayOf<C, L>;
} = function SharedArray(type: unknown, sizeOrItems: unknown, options?: unknown): unknown {
  const itemType = typeOf(type);
  const lock = lockOption(options);
  const items = itemsOf(itemType, sizeOrItems);
  if (lock === false) return makeArray(itemType, items, false);
  return wrap(itemType, makeArray(itemType, items, lock.own) as Raw, lock.given);
} as never;
Object.defineProperties(SharedArray, {
  name: { value: 'SharedArray' },
  prototype: { value: SynchronizedArrayClass.prototype },
});

function wrap(type: ItemType, raw: Raw, given: Lock | RLock | undefined): SynchronizedArrayClass {
  return new (type === charType ? SynchronizedStringClass : SynchronizedArrayClass)(type, raw, given);
}

/** A raw array with a lock; `undefined` for what is no raw array of this library. */
export function synchronizedArray(raw: object, lock: () => Lock | RLock): SynchronizedArray<unknown> | undefined {
  const type = raw instanceof ItemArrayClass ? raw.type : ArrayBuffer.isView(raw) ? typeOfArray(raw) : undefined;
  if (type === undefined || rawPlaceOf((raw as Raw).buffer) === undefined) return undefined;
  return wrap(type, raw as Raw, lock()) as unknown as SynchronizedArray<unknown>;
}

for (const [kind, type] of [
  ['array', SynchronizedArrayClass],
  ['string', SynchronizedStringClass],
] as const) {
  registerSharedKind<SynchronizedArrayClass>({
    kind,
    type: type as abstract new (...args: never[]) => SynchronizedArrayClass,
    handle: (array) => array.handle,
    places: LockedBase.placesOf,
    open: (fields) => {
      const [, text, offset, length, rest] = /^([^:]+):(\d{1,16}):(\d{1,10}):(.*)$/s.exec(fields) ?? [];
      if (text === undefined || rest === undefined) throw new ValueError(`This is no array: '${fields.slice(0, 80)}'.`);
      const found = typeFromText(text);
      if ((found === charType) !== (kind === 'string') || (!found.plain && Number(offset) !== 0)) {
        throw new ValueError(`There is no such array of the type '${text.slice(0, 80)}'.`);
      }
      const { place, lock } = splitLock(rest);
      const buffer = openRaw(place, { locked: lock === undefined });
      const count = checkedLength(found, buffer, Number(offset), Number(length));
      const raw = found.plain ? found.cells(buffer, Number(offset), count) : makeItemArray(found, buffer, count);
      const array = wrap(found, raw, openLock(lock));
      return wrapperOf(array.handle, () => array);
    },
  });
}
