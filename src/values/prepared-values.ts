import type { Heap } from '../heap/internal.js';
import { cellKind } from './cell-kinds.js';
import { decodedValue, sameParcels } from './load.js';
import type { Prepared } from './prepared.js';

/** A value that is ready to be stored, made again: a fresh copy, as from a container. */
export function valueOfPrepared(heap: Heap, { kind, x, y, length, payload }: Prepared): unknown {
  return decodedValue(heap, kind, length, x, y, payload, 0);
}

/** Whether two values are the same, byte for byte. */
export function samePrepared(heap: Heap, one: Prepared, other: Prepared): boolean {
  if (one.kind !== other.kind) return false;
  if (one.kind === cellKind.parcel) return sameParcels(heap, one.x, one.y, other.x, other.y);
  return (
    one.length === other.length &&
    one.x === other.x &&
    one.y === other.y &&
    Buffer.compare(one.bytes, other.bytes) === 0
  );
}
