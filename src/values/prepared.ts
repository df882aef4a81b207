import { encodeParts, isShared } from '../codec/internal.js';
import type { Heap, Place, RootAddress } from '../heap/internal.js';
import { type CellKind, cellKind, MOST_BYTES, MOST_REFERENCES } from './cell-kinds.js';
import { makeParcel } from './parcel.js';

// A value made ready to be stored: encoded, checked and sized before any lock is taken, so that storing it is a matter of a
// few words, and a value that cannot be stored has changed nothing.

const scratch = Buffer.from(new ArrayBuffer(MOST_BYTES));
const scratchWords = new Int32Array(scratch.buffer);
const doubleScratch = new Float64Array(scratch.buffer, 0, 1);
const nothing = new Uint8Array(0);
const noPlaces: readonly Place[] = [];
const BY_HAND = 64;
/** Up to here bytes are copied once more, so that they can be read as words. */
const FEW_BYTES = 64;
const SHORT_BYTES = 8;

/** Ready to be stored. What `prepare` returns is valid until it is called again; a copy (`keep`) for longer. */
export class Prepared {
  kind: CellKind = cellKind.none;
  x = 0;
  y = 0;
  /** Bytes of the value: what goes into a block, or, of a short one, what x and y have. */
  length = 0;
  /** Memory that begins with what goes into a block; there may be more of it. */
  payload: Uint8Array = nothing;
  /** The same memory as words, the last one filled up with zeros, where it can be seen so. */
  words: Int32Array | undefined;
  /** Objects of the same heap to which it refers. */
  references: readonly Place[] = noPlaces;
  #heap: Heap | undefined;

  /** Whether storing it counts references: then the roots lock must be taken before anything is allocated. */
  get refers(): boolean {
    return this.kind === cellKind.referring || this.kind === cellKind.parcel;
  }

  set(kind: CellKind, x: number, y: number): this {
    this.kind = kind;
    this.x = x;
    this.y = y;
    this.length = 0;
    this.payload = nothing;
    this.words = undefined;
    this.references = noPlaces;
    this.#heap = undefined;
    return this;
  }

  /** Of a kind that has a block. */
  setBytes(kind: CellKind, payload: Uint8Array, length: number, words: Int32Array | undefined): this {
    this.set(kind, 0, 0);
    this.length = length;
    this.payload = payload;
    this.words = words;
    return this;
  }

  /** Of bytes that refer to objects of the same heap. */
  setReferring(payload: Uint8Array, references: readonly Place[]): this {
    this.setBytes(cellKind.referring, payload, payload.length, undefined);
    this.y = references.length;
    this.references = references;
    return this;
  }

  /** @param held the hold that `release` gives back. */
  setParcel(heap: Heap, { address, serial }: RootAddress): this {
    this.set(cellKind.parcel, address, serial);
    this.#heap = heap;
    return this;
  }

  /** What goes into a block, and nothing more. */
  get bytes(): Uint8Array {
    return this.payload.length === this.length ? this.payload : this.payload.subarray(0, this.length);
  }

  /** One that stays valid. The hold on a parcel becomes the copy's. */
  keep(): Prepared {
    const kept = new Prepared();
    kept.set(this.kind, this.x, this.y);
    kept.length = this.length;
    kept.references = this.references;
    if (this.payload.length > 0) {
      kept.words = new Int32Array((this.length + 3) >> 2);
      kept.payload = new Uint8Array(kept.words.buffer, 0, this.length);
      kept.payload.set(this.bytes);
    }
    kept.#heap = this.#heap;
    this.#heap = undefined;
    return kept;
  }

  /** To be called when it has been stored, or will not be: gives back the hold on a parcel that was made for it. */
  release(): void {
    if (this.#heap === undefined) return;
    const heap = this.#heap;
    this.#heap = undefined;
    heap.release(this.x);
  }
}

const prepared = new Prepared();

/**
 * Makes a value ready to be stored in a container of that heap. The caller calls `release` in the end, whatever happens.
 *
 * @param label what the value is called in errors.
 * @throws NotShareableError for what cannot travel; ClosedError for a shared object that has been closed here;
 * StaleHandleError for one that has been disposed of; a system error `ENOSPC` when there is no room for a large one.
 */
export function prepare(heap: Heap, value: unknown, label = 'value'): Prepared {
  switch (typeof value) {
    case 'number':
      return prepareNumber(value);
    case 'string':
      if (value.length * 2 <= MOST_BYTES) return prepareText(value);
      break;
    case 'boolean':
      return prepared.set(cellKind.simple, value ? 3 : 2, 0);
    case 'undefined':
      return prepared.set(cellKind.simple, 0, 0);
    case 'object':
      if (value === null) return prepared.set(cellKind.simple, 1, 0);
      if (isPlainBytes(value)) return prepareBytes(value);
  }
  return prepareEncoded(heap, value, label);
}

function prepareNumber(value: number): Prepared {
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) return prepared.set(cellKind.int32, value, 0);
  doubleScratch[0] = value;
  return prepared.set(cellKind.double, scratchWords[0]!, scratchWords[1]!);
}

function prepareText(value: string): Prepared {
  const { length } = value;
  if (!packOneByte(value)) return prepareScratch(cellKind.wideText, scratch.write(value, 'utf16le'));
  if (length <= SHORT_BYTES) return prepareShort(cellKind.shortText, length);
  return prepareScratch(cellKind.text, length);
}

/** Writes the characters to the scratch, if each has one byte. */
function packOneByte(value: string): boolean {
  const { length } = value;
  if (length <= BY_HAND) {
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 255) return false;
      scratch[i] = code;
    }
    return true;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Latin-1 is all characters of one byte
  if (!/^[\x00-\xff]*$/.test(value)) return false;
  scratch.write(value, 0, length, 'latin1');
  return true;
}

/** Of the first bytes of the scratch. */
function prepareScratch(kind: CellKind, length: number): Prepared {
  for (let i = length; (i & 3) !== 0; i++) scratch[i] = 0;
  return prepared.setBytes(kind, scratch, length, scratchWords);
}

function prepareShort(kind: typeof cellKind.shortText | typeof cellKind.shortBytes, length: number): Prepared {
  for (let i = length; i < SHORT_BYTES; i++) scratch[i] = 0;
  const short = prepared.set(kind, scratchWords[0]!, scratchWords[1]!);
  short.length = length;
  return short;
}

function isPlainBytes(value: object): value is Uint8Array {
  return (
    value instanceof Uint8Array &&
    Object.getPrototypeOf(value) === Uint8Array.prototype &&
    value.length <= MOST_BYTES &&
    value.buffer instanceof ArrayBuffer &&
    !isShared(value.buffer)
  );
}

function prepareBytes(value: Uint8Array): Prepared {
  if (value.length > FEW_BYTES) return prepared.setBytes(cellKind.bytes, value, value.length, undefined);
  scratch.set(value);
  if (value.length > SHORT_BYTES) return prepareScratch(cellKind.bytes, value.length);
  return prepareShort(cellKind.shortBytes, value.length);
}

function prepareEncoded(heap: Heap, value: unknown, label: string): Prepared {
  const parts = encodeParts(value, label);
  const { byteLength, places, memory } = parts;
  if (memory !== undefined && byteLength <= MOST_BYTES && places.size === 0) {
    return prepared.setBytes(cellKind.encoded, memory.bytes, byteLength, memory.words);
  }
  const { pieces } = parts;
  if (
    byteLength > MOST_BYTES ||
    places.size > MOST_REFERENCES ||
    [...places].some((place) => place.heap.id !== heap.id)
  ) {
    const parcel = makeParcel(heap, byteLength, places, (memory) => {
      let at = 0;
      for (const piece of pieces) {
        memory.set(piece, at);
        at += piece.length;
      }
    });
    return prepared.setParcel(heap, parcel);
  }
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, byteLength);
  if (places.size === 0) return prepared.setBytes(cellKind.encoded, bytes, byteLength, undefined);
  return prepared.setReferring(bytes, [...places]);
}
