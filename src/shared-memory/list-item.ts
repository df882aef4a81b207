import { isUtf8 } from 'node:buffer';
import { CorruptSegmentError, ValueError } from '../errors/index.js';

/** What a ShareableList can hold. */
export type ShareableItem = number | bigint | string | boolean | Uint8Array | null;

/** How int64 values read: a number where it is exact, else a bigint; always a number; or always a bigint. */
export type Int64Reading = 'auto' | 'number' | 'bigint';

/** Python's code of what is done with the unpacked value. */
export const code = { plain: 0, string: 1, bytes: 2, null: 3 } as const;

/** Python formats at most 8 characters, so a slot of bytes has at most this many. */
const MAX_SLOT_BYTES = 9_999_992;

/** A value made ready to be stored: everything that can fail has been done. */
export type EncodedItem =
  | { readonly kind: 'int64'; readonly value: bigint }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'string' | 'bytes'; readonly bytes: Uint8Array };

/**
 * Safe integers become int64, other numbers double: so each number comes back as itself, and Python sees `int` and
 * `float` as one would write them.
 *
 * @throws TypeError for what a list cannot hold; RangeError for a bigint beyond int64; ValueError for a string that has
 * no UTF-8 form.
 */
export function encodeItem(value: unknown): EncodedItem {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? { kind: 'int64', value: BigInt(value) }
        : { kind: 'double', value };
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) {
        throw new RangeError(`A ShareableList holds integers from -2**63 to 2**63 - 1; got ${value}.`);
      }
      return { kind: 'int64', value };
    case 'boolean':
      return { kind: 'boolean', value };
    case 'string':
      if (/\p{Surrogate}/u.test(value)) throw new ValueError('A string with half a surrogate pair has no UTF-8 form.');
      return { kind: 'string', bytes: Buffer.from(value, 'utf8') };
    default:
      if (value === null) return { kind: 'null' };
      if (value instanceof Uint8Array) return { kind: 'bytes', bytes: plainBytes(value) };
      throw new TypeError(
        'A ShareableList holds numbers, bigints, strings, booleans, Uint8Arrays and null; ' +
          `got ${typeof value === 'object' ? value.constructor?.name : typeof value}.`,
      );
  }
}

// By the getters of the prototype: a subclass may say anything of itself.
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const getter = (name: string) => Object.getOwnPropertyDescriptor(typedArray, name)!.get!;
const [bufferOf, offsetOf, lengthOf] = [getter('buffer'), getter('byteOffset'), getter('byteLength')];

function plainBytes(value: Uint8Array): Uint8Array {
  return new Uint8Array(bufferOf.call(value) as ArrayBuffer, offsetOf.call(value), lengthOf.call(value));
}

/** The bytes that an item gets in a new list: Python's rule, counted in bytes where Python counts characters. */
export function slotBytes(item: EncodedItem): number {
  if (!('bytes' in item)) return 8;
  const slot = 8 * (Math.floor(item.bytes.length / 8) + 1);
  if (slot > MAX_SLOT_BYTES) {
    throw new RangeError(`A ShareableList holds strings and bytes of at most ${MAX_SLOT_BYTES - 1} bytes.`);
  }
  return slot;
}

/**
 * How many bytes the format of a string or byte value names.
 *
 * Python names the whole slot and takes trailing NULs for padding. So a value that ends with NUL gets its exact length,
 * which is always less than the slot: that tells the two apart when reading, and Python can read both. (Its format is
 * `<length>sx`, so that Python, storing something longer later, does not keep the length.)
 *
 * @throws ValueError when the value does not fit into the slot.
 */
export function formatBytes(bytes: Uint8Array, slot: number): number {
  if (bytes.length > slot) {
    throw new ValueError(`The item exceeds available storage: ${bytes.length} bytes into a slot of ${slot}.`);
  }
  if (bytes.length === 0 || bytes[bytes.length - 1] !== 0) return slot;
  if (bytes.length === slot) {
    throw new ValueError(`The item exceeds available storage: a value ending in NUL takes one byte more than ${slot}.`);
  }
  return bytes.length;
}

/** Turns the bytes of a slot that had the format `<length>s` back into the value. */
export function decodeBytes(stored: Buffer, slot: number, itemCode: number, index: number): string | Uint8Array {
  let end = stored.length;
  if (end === slot) while (end > 0 && stored[end - 1] === 0) end -= 1;
  const value = stored.subarray(0, end);
  if (itemCode === code.bytes) return new Uint8Array(value);
  if (!isUtf8(value)) {
    throw new CorruptSegmentError(
      `Item ${index} of the ShareableList is no valid UTF-8. Python cuts strings with multi-byte characters ` +
        'when it makes a list; store them as bytes there.',
    );
  }
  return value.toString('utf8');
}

/** Equality as `===` has it, with bytes by content and integers by value whether number or bigint. */
export function sameItem(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 is what is asked for, of these two types only
  return a === b || (typeof a !== typeof b && isNumeric(a) && isNumeric(b) && a == b);
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}
