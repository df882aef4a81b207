import { makeRaw } from '../heap/internal.js';
import { arrayClass, checkElement, type NumericCode, type RawArrayOf, type Write } from './numeric-codes.js';

/**
 * Makes an array in shared memory: a real typed array, on an ArrayBuffer of its own that is exactly this memory. `Atomics`
 * on it is atomic between processes; anything else is as unordered as between threads, so guard it with a lock.
 *
 * It travels as the same memory, to a Process in its args or anywhere as a handle (`handleOf`). The memory lives as long as
 * any view of it, in any process, can be reached.
 *
 * @param code `'b' 'B' 'h' 'H' 'i' 'I'` for integers of 8, 16 and 32 bits, `'l' 'L' 'q' 'Q'` for those of 64 bits, which
 * read as bigints, `'f' 'd'` for floats and doubles.
 * @param sizeOrItems how many elements, all zero, or what they are.
 * @throws TypeError for an unknown code, a size that is no integer, or an element of a wrong type; RangeError for a negative
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
  <C extends NumericCode>(code: C, sizeOrItems: number | Iterable<Write<C>>): RawArrayOf<C>;
  new <C extends NumericCode>(code: C, sizeOrItems: number | Iterable<Write<C>>): RawArrayOf<C>;
} = function RawArray<C extends NumericCode>(code: C, sizeOrItems: number | Iterable<Write<C>>): RawArrayOf<C> {
  const type = arrayClass(code);
  const items = itemsOf(code, sizeOrItems);
  const length = typeof items === 'number' ? items : items.length;
  if (length > MAX_ELEMENTS) throw new RangeError(`An array has at most ${MAX_ELEMENTS} elements; got ${length}.`);
  // An ArrayBuffer of no bytes shows no memory, so it is given one that nothing shows.
  const buffer = makeRaw(Math.max(1, length * type.BYTES_PER_ELEMENT));
  const array = new type(buffer, 0, length);
  if (typeof items !== 'number') array.set(items as never);
  return array as RawArrayOf<C>;
} as never;
Object.defineProperty(RawArray, 'name', { value: 'RawArray' });

const MAX_ELEMENTS = 2 ** 32 - 1;

function itemsOf(code: NumericCode, sizeOrItems: unknown): number | (number | bigint)[] {
  if (typeof sizeOrItems === 'number') {
    if (!Number.isInteger(sizeOrItems)) throw new TypeError(`The size of an array is an integer; got ${sizeOrItems}.`);
    if (sizeOrItems < 0) throw new RangeError(`The size of an array is not negative; got ${sizeOrItems}.`);
    return sizeOrItems;
  }
  if (typeof (sizeOrItems as Iterable<unknown> | null)?.[Symbol.iterator] !== 'function') {
    throw new TypeError('An array is made of a size, or of its items.');
  }
  return Array.from(sizeOrItems as Iterable<unknown>, (item) => checkElement(code, item));
}
