import { decode, unpackLatin1, unpackUtf16 } from '../codec/internal.js';
import { CorruptSegmentError, StaleHandleError } from '../errors/index.js';
import {
  EXTENT_MASK,
  type Heap,
  openInstead,
  type Place,
  readConsistently,
  root,
  type Transaction,
} from '../heap/internal.js';
import { keepFreedMemory } from '../os/index.js';
import { cell, cellKind, isBlockKind, KIND_BITS, KIND_MASK, MOST_BYTES, simpleValues } from './cell-kinds.js';
import { parcelBytes } from './parcel.js';
import type { Prepared } from './prepared.js';
import { referenceCount } from './store.js';

// Reading values without a lock: the words and bytes are copied out first; only when it is certain that nothing changed
// meanwhile is anything made of them.

const SHORT_WORDS = 16;
const FIRST_BYTES = 256;

/** A value as copied out of a cell. */
export class LoadedCell {
  #kind = 0;
  #length = 0;
  #x = 0;
  #y = 0;
  #bytes = new Uint8Array(FIRST_BYTES);
  #words = new Int32Array(this.#bytes.buffer);

  /** Copies a cell. @throws CorruptSegmentError for one that cannot be, which may only be changing. */
  take(tx: Transaction, at: number): void {
    const extent = tx.memory.at(at);
    const index = at & EXTENT_MASK;
    const word = extent[index + cell.kind]!;
    this.#kind = word & KIND_MASK;
    this.#length = word >>> KIND_BITS;
    // Zeros for what would lie beyond an extent.
    this.#x = extent[index + cell.x]! | 0;
    this.#y = extent[index + cell.y]! | 0;
    if (isBlockKind(this.#kind)) this.#takeBytes(tx, at);
  }

  #takeBytes(tx: Transaction, at: number): void {
    const length = this.#length;
    if (length > MOST_BYTES) throw new CorruptSegmentError(`A cell has a value of ${length} bytes.`);
    const block = this.#kind === cellKind.referring ? this.#x + referenceCount(tx, at) : this.#x;
    const extent = tx.memory.at(block);
    const index = block & EXTENT_MASK;
    const words = (length + 3) >> 2;
    if (index + words > extent.length) throw new CorruptSegmentError('A value lies beyond its extent.');
    if (words > this.#words.length) this.#grow(words);
    if (words <= SHORT_WORDS) for (let i = 0; i < words; i++) this.#words[i] = extent[index + i]!;
    else this.#bytes.set(tx.memory.bytesAt(block).subarray(index * 4, index * 4 + length));
  }

  #grow(words: number): void {
    this.#bytes = new Uint8Array(2 ** Math.ceil(Math.log2(words * 4)));
    this.#words = new Int32Array(this.#bytes.buffer);
  }

  /**
   * The value. Shared objects in it are opened here.
   *
   * @throws StaleHandleError when one of them, or the value itself, is gone; whatever a registered `decode` throws.
   */
  value(heap: Heap): unknown {
    if (this.#kind === cellKind.int32) return this.#x;
    return decodedValue(heap, this.#kind, this.#length, this.#x, this.#y, this.#bytes, 0);
  }

  /** Whether making the value may run code of the user's, or open objects. */
  get isEncoded(): boolean {
    return this.#kind >= cellKind.encoded;
  }

  /** Whether the same value, byte for byte, was copied out of another cell, or out of the same one at another time. */
  equals(other: LoadedCell): boolean {
    if (this.#kind !== other.#kind || this.#length !== other.#length) return false;
    // Of a block only the bytes count: another one may have come to lie there meanwhile.
    if (!isBlockKind(this.#kind)) return this.#x === other.#x && this.#y === other.#y;
    return Buffer.compare(this.#taken(), other.#taken()) === 0;
  }

  /** Whether it is, byte for byte, a value that is ready to be stored. @throws StaleHandleError when a large one is gone. */
  holds(heap: Heap, prepared: Prepared): boolean {
    const { kind, x, y, length } = prepared;
    if (this.#kind !== kind) return false;
    if (kind === cellKind.parcel) return sameParcels(heap, this.#x, this.#y, x, y);
    if (this.#length !== length) return false;
    if (!isBlockKind(kind)) return this.#x === x && this.#y === y;
    return Buffer.compare(this.#taken(), prepared.bytes) === 0;
  }

  #taken(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Makes a value of what was copied out of a cell: see `LoadedCell.value`. */
export function decodedValue(
  heap: Heap,
  kind: number,
  length: number,
  x: number,
  y: number,
  bytes: Uint8Array,
  start: number,
): unknown {
  switch (kind) {
    case cellKind.simple:
      return simpleValues[x];
    case cellKind.int32:
      return x;
    case cellKind.double:
      shortWords[0] = x;
      shortWords[1] = y;
      return shortDouble[0];
    case cellKind.shortText:
      shortWords[0] = x;
      shortWords[1] = y;
      return unpackLatin1(shortBytes, 0, Math.min(8, length));
    case cellKind.shortBytes:
      shortWords[0] = x;
      shortWords[1] = y;
      return shortBytes.slice(0, Math.min(8, length));
    case cellKind.text:
      return unpackLatin1(bytes, start, length);
    case cellKind.wideText:
      return unpackUtf16(bytes, start, length);
    case cellKind.bytes:
      return new Uint8Array(bytes.subarray(start, start + length));
    case cellKind.encoded:
    case cellKind.referring:
      return decodeFor(heap, bytes, start, start + length);
    case cellKind.parcel:
      return valueOfParcel(heap, x, y);
    default:
      throw new CorruptSegmentError(`A cell of the unknown kind ${kind} was found.`);
  }
}

const shortBytes = new Uint8Array(8);
const shortWords = new Int32Array(shortBytes.buffer);
const shortDouble = new Float64Array(shortBytes.buffer);

/** From here on malloc asks the kernel for each block, until it has learned better. */
const LARGE_BYTES = 128 * 1024;
/** Whoever has got so many values of that size goes on getting them. */
const MANY_LARGE = 8;
let large = 0;

function noteLarge(): void {
  large += 1;
  if (large === MANY_LARGE) keepFreedMemory();
}

function valueOfParcel(heap: Heap, address: number, serial: number): unknown {
  const at = { address, serial };
  heap.open(at);
  try {
    const bytes = parcelBytes(heap, at);
    if (bytes.length >= LARGE_BYTES) noteLarge();
    return decodeFor(heap, bytes);
  } finally {
    heap.release(address);
  }
}

/** Objects in a value are opened for whoever reads it. */
function decodeFor({ instead }: Heap, bytes: Uint8Array, start = 0, end = bytes.length): unknown {
  if (instead === undefined) return decode(bytes, undefined, start, end);
  return openInstead(instead, () => decode(bytes, undefined, start, end));
}

/** Whether two parcels, of which the other is held here, have the same bytes. */
export function sameParcels(
  heap: Heap,
  address: number,
  serial: number,
  otherAddress: number,
  otherSerial: number,
): boolean {
  const at = { address, serial };
  heap.open(at);
  try {
    const other = parcelBytes(heap, { address: otherAddress, serial: otherSerial });
    return Buffer.compare(parcelBytes(heap, at), other) === 0;
  } finally {
    heap.release(address);
  }
}

// Decoding may run code of the user's, which reads other values meanwhile: it takes another.
let idle: LoadedCell | undefined;

/** One to copy a cell to; `returnLoaded` when its value has been made. */
export function takeLoaded(): LoadedCell {
  const loaded = idle ?? new LoadedCell();
  idle = undefined;
  return loaded;
}

export function returnLoaded(loaded: LoadedCell): void {
  idle = loaded;
}

/** What `load` returns where there is no value. */
export const absent: unique symbol = Symbol('absent');

/**
 * Reads a value of a container that this environment holds, without a lock.
 *
 * @param find finds its cell; 0 where there is none. May run several times, and on words that are changing.
 * @throws StaleHandleError when a shared object in it is gone; CorruptSegmentError.
 */
export function load(place: Place, find: (tx: Transaction) => number): unknown {
  const loaded = takeLoaded();
  // One that is not given back, because of what is thrown, is not missed.
  const value = loadInto(loaded, place, find);
  returnLoaded(loaded);
  return value;
}

/** The same, for those who want to compare the cell with another later: leaves the copy in `loaded`. */
export function loadInto(loaded: LoadedCell, { heap, at }: Place, find: (tx: Transaction) => number): unknown {
  for (;;) {
    const sequence = heap.memory.load(at.address + root.sequence);
    const found = readConsistently(heap.transaction, at.address, (tx) => {
      const address = find(tx);
      if (address !== 0) loaded.take(tx, address);
      return address !== 0;
    });
    if (!found) return absent;
    try {
      return loaded.value(heap);
    } catch (error) {
      // Replaced after it was read, and its last reference dropped: then there is another value to read. Otherwise it is
      // really gone.
      if (!(error instanceof StaleHandleError)) throw error;
      if (heap.memory.load(at.address + root.sequence) === sequence) throw error;
    }
  }
}
