import type { ItemType } from './item-type.js';
import { ScalarType } from './scalar-type.js';

/** The type, if it has atomic operations. @throws TypeError for a structure. */
export function atomically(type: ItemType): ScalarType {
  if (type instanceof ScalarType) return type;
  throw new TypeError('A structure is changed in several steps, so not atomically. Do it within runSync() or run().');
}
