import { isDeepStrictEqual } from 'node:util';
import { decode, encode } from '../codec/internal.js';
import type { Engine } from './engine.js';

/**
 * What tells whether values that come out of a container are the same as one given here: plain data by content, objects at the
 * server by identity. Data that has such objects in it is the same when it would be stored as the same bytes.
 *
 * @param zeros whether 0 is -0, as for those who look for a number.
 * @throws NotShareableError for what no container can hold.
 */
export function sameAs(engine: Engine, value: unknown, zeros = false): (other: unknown) => boolean {
  let isPlain = true;
  const { bytes } = encode(value, 'value', {
    nameOf(shared) {
      isPlain = false;
      return engine.nameOf(shared);
    },
    named: (text) => engine.named(text),
  });
  if (!isPlain) return (other) => bytes.equals(engine.encode(other));
  const plain = decode(bytes);
  if (zeros && typeof plain === 'number') return (other) => plain === other || Object.is(plain, other);
  return (other) => isDeepStrictEqual(plain, other);
}
