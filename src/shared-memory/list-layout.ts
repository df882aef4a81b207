import { CorruptSegmentError } from '../errors/index.js';
import { type EncodedItem, encodeItem, slotBytes } from './list-item.js';

// Python's layout of a ShareableList, all little-endian:
//
//   int64 N | int64 offsets[N + 1], from the start of the data | data, slots of a multiple of 8 bytes
//   | 8 bytes of struct format for each item, NUL-padded | 1 byte of code for each item

/** Where the parts of a list lie in its block, in bytes from the block's start. */
export interface ListLayout {
  readonly length: number;
  /** Start of each item's slot, and one past the last. A private copy: nobody can change it under our feet. */
  readonly slots: Float64Array;
  readonly formats: number;
  readonly codes: number;
  /** Bytes of the whole list. */
  readonly bytes: number;
}

/** Lays out a new list. */
export function planList(values: readonly unknown[]): { layout: ListLayout; items: EncodedItem[] } {
  const items = values.map(encodeItem);
  const slots = new Float64Array(items.length + 1);
  slots[0] = 8 * (items.length + 2);
  items.forEach((item, i) => {
    slots[i + 1] = slots[i]! + slotBytes(item);
  });
  return { layout: fromSlots(slots), items };
}

/** Writes the header and the offsets of a new list. */
export function writeHeader({ length, slots }: ListLayout, buffer: ArrayBuffer): void {
  const words = new BigInt64Array(buffer, 0, length + 2);
  words[0] = BigInt(length);
  slots.forEach((slot, i) => {
    words[i + 1] = BigInt(slot - slots[0]!);
  });
}

/**
 * Reads the layout of a list that anybody may have written; no byte of it is trusted.
 *
 * @throws CorruptSegmentError when it cannot be a list.
 */
export function readLayout(buffer: ArrayBuffer, name: string): ListLayout {
  const corrupt = (why: string) =>
    new CorruptSegmentError(`The shared memory block '${name}' holds no ShareableList: ${why}.`);
  const bytes = buffer.byteLength;
  if (bytes < 16) throw corrupt('it is too small');
  const words = new BigInt64Array(buffer, 0, Math.floor(bytes / 8));
  const length = Number(words[0]);
  // 8 bytes of offset, 8 of data, 8 of format and 1 of code for each item.
  if (length < 0 || length > Math.floor((bytes - 16) / 25)) throw corrupt(`it cannot have ${length} items`);
  // Looked at before memory is taken for all offsets: a sparse file can claim any number of items.
  const dataBytes = Number(words[length + 1]);
  if (dataBytes < 8 * length || dataBytes > bytes) throw corrupt('the length of its data is impossible');
  const start = 8 * (length + 2);
  const slots = new Float64Array(length + 1);
  for (let i = 0; i <= length; i++) {
    const offset = Number(words[i + 1]);
    const least = i === 0 ? 0 : slots[i - 1]! - start + 8;
    if (offset % 8 !== 0 || offset < least || offset > bytes || (i === 0 && offset !== 0)) {
      throw corrupt(`the offset of item ${i} is impossible`);
    }
    slots[i] = start + offset;
  }
  const layout = fromSlots(slots);
  if (layout.bytes > bytes) throw corrupt('it is longer than the block');
  return layout;
}

function fromSlots(slots: Float64Array): ListLayout {
  const length = slots.length - 1;
  const formats = slots[length]!;
  const codes = formats + 8 * length;
  return { length, slots, formats, codes, bytes: codes + length };
}
