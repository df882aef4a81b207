import { inspect } from 'node:util';
import { ValueError } from '../errors/index.js';
import type { ItemType } from './item-type.js';
import { codes, scalarType } from './scalar-types.js';
import { StructLayout, structFromText } from './struct.js';

/** @throws TypeError for what is no type. */
export function typeOf(type: unknown): ItemType {
  const found = type instanceof StructLayout ? type : scalarType(type);
  if (found === undefined) {
    throw new TypeError(`A type is one of ${codes}, or made by Struct(); got ${inspect(type, { depth: 0 })}.`);
  }
  return found;
}

/** The type that stands in a handle. @throws ValueError for text that means none. */
export function typeFromText(text: string): ItemType {
  const found = text.length === 1 ? scalarType(text) : structFromText(text);
  if (found === undefined) throw new ValueError(`A handle names a type that does not exist: '${text.slice(0, 80)}'.`);
  return found;
}

/** A type as it is shown to users. */
export function showType(type: ItemType): string {
  return type instanceof StructLayout ? inspect(type) : `'${type.text}'`;
}
