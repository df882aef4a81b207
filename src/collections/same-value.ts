import { isDeepStrictEqual } from 'node:util';
import { decode, encode } from '../codec/internal.js';

/**
 * What tells whether values that come out of a container are the same as one given here: numbers as `includes` does (NaN is
 * NaN, 0 is -0), plain data by content, shared objects by identity. Data that has shared objects in it is the same when it
 * would be stored as the same bytes: there the order of keys matters.
 *
 * @throws NotShareableError for what no container can hold.
 */
export function sameAs(value: unknown): (other: unknown) => boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
    return (other) => value === other || (Number.isNaN(value) && Number.isNaN(other));
  }
  const { bytes, blocks, places } = encode(value);
  if (blocks.size === 0 && places.size === 0) {
    // As it would come out of a container itself.
    const plain = decode(bytes);
    return (other) => isDeepStrictEqual(plain, other);
  }
  return (other) => other !== null && typeof other === 'object' && bytes.equals(encode(other).bytes);
}
