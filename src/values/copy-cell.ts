import { CorruptSegmentError } from '../errors/index.js';
import { EXTENT_MASK, type Heap, Place, root, type Transaction } from '../heap/internal.js';
import { cell, cellKind, isBlockKind, KIND_BITS, KIND_MASK, MOST_BYTES } from './cell-kinds.js';
import { Prepared } from './prepared.js';
import { blockOffset } from './store.js';

/**
 * What is in a cell, made ready to be stored in another cell of the same heap. The words may be changing: before it is
 * stored the caller makes sure, under the roots lock, that they have not.
 */
export function copyOfCell(tx: Transaction, heap: Heap, at: number): Prepared {
  const word = tx.read(at + cell.kind);
  const kind = (word & KIND_MASK) as Prepared['kind'];
  const length = word >>> KIND_BITS;
  const [x, y] = [tx.read(at + cell.x), tx.read(at + cell.y)];
  const copy = new Prepared();
  if (!isBlockKind(kind)) {
    copy.set(kind, x, y).length = kind === cellKind.parcel ? 0 : length;
    return copy;
  }
  if (length > MOST_BYTES) throw new CorruptSegmentError(`A cell has a value of ${length} bytes.`);
  const offset = blockOffset(tx, at);
  const references: Place[] = [];
  for (let i = 0; i < offset; i++) {
    const address = tx.read(x + i);
    references.push(new Place(heap, { address, serial: tx.read(address + root.serial) }));
  }
  const memory = tx.memory.bytesAt(x);
  const first = ((x & EXTENT_MASK) + offset) * 4;
  if (first + length > memory.length) throw new CorruptSegmentError('A value lies beyond its extent.');
  const bytes = memory.slice(first, first + length);
  return offset > 0 ? copy.setReferring(bytes, references) : copy.setBytes(kind, bytes, length, undefined);
}

/** Whether a value refers to objects, by the first word of its copied cell. */
export function refersInCopy(word: number): boolean {
  const kind = word & KIND_MASK;
  return kind === cellKind.referring || kind === cellKind.parcel;
}
