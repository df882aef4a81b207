import { makeRaw } from '../heap/internal.js';
import { type CharArray, type ItemArray, makeItemArray } from './item-array.js';
import { describe, type ItemType } from './item-type.js';
import type { AnyType, Write } from './type-codes.js';
import { typeOf } from './types.js';

/** The array of a type: a typed array where there is one. */
export type RawArrayOf<C> = C extends 'b'
  ? Int8Array<ArrayBuffer>
  : C extends 'B'
    ? Uint8Array<ArrayBuffer>
    : C extends 'h'
      ? Int16Array<ArrayBuffer>
      : C extends 'H'
        ? Uint16Array<ArrayBuffer>
        : C extends 'i'
          ? Int32Array<ArrayBuffer>
          : C extends 'I'
            ? Uint32Array<ArrayBuffer>
            : C extends 'l' | 'q'
              ? BigInt64Array<ArrayBuffer>
              : C extends 'L' | 'Q'
                ? BigUint64Array<ArrayBuffer>
                : C extends 'f'
                  ? Float32Array<ArrayBuffer>
                  : C extends 'd'
                    ? Float64Array<ArrayBuffer>
                    : C extends 'c'
                      ? CharArray
                      : ItemArray<C>;

/**
 * Makes an array in shared memory, without a lock. Of a numeric type it is a real typed array, on an ArrayBuffer of its own
 * that is exactly this memory: `Atomics` on it is atomic between processes; anything else is as unordered as between
 * threads, so guard it with a lock.
 *
 * It travels as the same memory, to a Process in its args or anywhere as a handle (`handleOf`). The memory lives as long as
 * any view of it, in any process, can be reached.
 *
 * @param type a {@link TypeCode}, or a structure. `'c'` makes a {@link CharArray}; `'?'`, `'u'` and structures, an
 * {@link ItemArray}.
 * @param sizeOrItems how many elements, all zero, or what they are.
 * @throws TypeError for an unknown type, a size that is no integer, or an element of a wrong type; RangeError for a negative
 * size, or an element that does not fit; a system error `ENOSPC` when there is no room.
 *
 * @example
 * ```ts
 * import { handleOf, open, RawArray } from 'multiprocess';
 *
 * const numbers = RawArray('d', [1.5, 2.5]);
 * const same = open(handleOf(numbers)); // in any process
 * same[1] = 4;
 * console.log(numbers); // Float64Array(2) [ 1.5, 4 ]
 * ```
 */
export const RawArray: {
  <C extends AnyType>(type: C, sizeOrItems: number | Iterable<Write<C>>): RawArrayOf<C>;
  new <C extends AnyType>(type: C, sizeOrItems: number | Iterable<Write<C>>): RawArrayOf<C>;
} = function RawArray(type: unknown, sizeOrItems: unknown) {
  const itemType = typeOf(type);
  return makeArray(itemType, itemsOf(itemType, sizeOrItems), false);
} as never;
Object.defineProperty(RawArray, 'name', { value: 'RawArray' });

const MAX_ELEMENTS = 2 ** 32 - 1;

/** A size, or items that have been checked. */
export type Items = number | readonly unknown[];

/** @throws TypeError, RangeError, before anything has been made. */
export function itemsOf(type: ItemType, sizeOrItems: unknown): Items {
  if (typeof sizeOrItems === 'number') {
    if (!Number.isInteger(sizeOrItems)) throw new TypeError(`The size of an array is an integer; got ${sizeOrItems}.`);
    if (sizeOrItems < 0 || sizeOrItems > MAX_ELEMENTS) {
      throw new RangeError(`The size of an array is from 0 to ${MAX_ELEMENTS}; got ${sizeOrItems}.`);
    }
    return sizeOrItems;
  }
  return prepareAll(type, sizeOrItems);
}

export function prepareAll(type: ItemType, items: unknown): readonly unknown[] {
  if (typeof (items as Iterable<unknown> | null)?.[Symbol.iterator] !== 'function') {
    throw new TypeError(`The items of an array are an iterable; got ${describe(items)}.`);
  }
  return Array.from(items as Iterable<unknown>, (item) => type.prepare(item));
}

/** @param locked whether the memory gets a lock of its own. */
export function makeArray(type: ItemType, items: Items, locked: boolean): { readonly length: number } {
  const length = typeof items === 'number' ? items : items.length;
  // An ArrayBuffer of no bytes shows no memory, so it is given one that nothing shows.
  const buffer = makeRaw(Math.max(1, length * type.bytes), { locked });
  const array = type.plain ? type.cells(buffer, 0, length) : makeItemArray(type, buffer, length);
  if (typeof items !== 'number') {
    const cells = type.plain ? array : array.cells;
    for (let i = 0; i < length; i++) type.store(cells, i, items[i]);
  }
  return array;
}
