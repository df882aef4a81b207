import { type ItemType, plainItem, ScalarType } from '../sharedctypes/internal.js';
import type { Argument } from './port.js';

// Items as bytes, as they would lie in memory. All machines that this library runs on have the lower bytes first.

/** @param prepared by the type. Fields of a structure that are not named are zero. */
export function bytesOf(type: ItemType, prepared: readonly unknown[]): Buffer {
  return filled(type, prepared, 0);
}

/** The items that so many bytes are; structures as plain objects. */
export function itemsIn(type: ItemType, bytes: Buffer): unknown[] {
  const cells = cellsOf(type, bytes);
  return Array.from({ length: Math.floor(bytes.length / type.bytes) }, (_, i) => plainItem(type.read(cells, i)));
}

/** What a cell has, as `prepare` gives it. */
export function storedIn(type: ScalarType, bytes: Buffer): number | bigint {
  return cellsOf(type, bytes)[0];
}

/** Places and bytes by turns, by which items are written from an index on: of structures, only the fields that are named. */
export function writesOf(type: ItemType, first: number, prepared: readonly unknown[]): Argument[] {
  const at = first * type.bytes;
  const bytes = bytesOf(type, prepared);
  if (type instanceof ScalarType) return bytes.length === 0 ? [] : [at, bytes];
  // What is written is the same over whatever was there before.
  const other = filled(type, prepared, 0xff);
  const writes: Argument[] = [];
  for (let from = 0; from < bytes.length; from++) {
    if (bytes[from] !== other[from]) continue;
    let to = from + 1;
    while (to < bytes.length && bytes[to] === other[to]) to += 1;
    writes.push(at + from, bytes.subarray(from, to));
    from = to;
  }
  return writes;
}

function filled(type: ItemType, prepared: readonly unknown[], before: number): Buffer {
  const buffer = new ArrayBuffer(prepared.length * type.bytes);
  const bytes = Buffer.from(buffer).fill(before);
  const cells = type.cells(buffer, 0, prepared.length);
  for (const [i, item] of prepared.entries()) type.store(cells, i, item);
  return bytes;
}

/** In memory of its own, where a typed array can lie. */
function cellsOf(type: ItemType, bytes: Buffer): any {
  const buffer = new ArrayBuffer(bytes.length);
  Buffer.from(buffer).set(bytes);
  return type.cells(buffer, 0, Math.floor(bytes.length / type.bytes));
}
