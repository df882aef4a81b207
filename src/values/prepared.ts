import { encodeParts, isShared } from '../codec/internal.js';
import type { Heap, Place, RootAddress } from '../heap/internal.js';
import { type CellKind, cellKind, MOST_BYTES, MOST_REFERENCES } from './cell-kinds.js';
import { makeParcel } from './parcel.js';

// A value made ready to be stored: encoded, checked and sized before any lock is taken, so that storing it is a matter of a
// few words, and a value that cannot be stored has changed nothing.

const scratch = Buffer.alloc(MOST_BYTES);
const shortScratch = new Int32Array(scratch.buffer, scratch.byteOffset, 2);
const doubleScratch = new Float64Array(scratch.buffer, scratch.byteOffset, 1);
const nothing = new Uint8Array(0);
const noPlaces: readonly Place[] = [];
const BY_HAND = 64;
const SHORT_BYTES = 8;

/** Ready to be stored. What `prepare` returns is valid until it is called again; a copy (`keep`) for longer. */
export class Prepared {
  kind: CellKind = cellKind.none;
  x = 0;
  y = 0;
  /** What goes into a block. */
  payload: Uint8Array = nothing;
  /** Objects of the same heap to which it refers. */
  references: readonly Place[] = noPlaces;
  #heap: Heap | undefined;

  /** Whether storing it counts references: then the roots lock must be taken before anything is allocated. */
  get refers(): boolean {
    return this.kind === cellKind.referring || this.kind === cellKind.parcel;
  }

  set(kind: CellKind, x: number, y: number, payload: Uint8Array, references = noPlaces): this {
    this.kind = kind;
    this.x = x;
    this.y = y;
    this.payload = payload;
    this.references = references;
    this.#heap = undefined;
    return this;
  }

  /** @param held the hold that `release` gives back. */
  setParcel(heap: Heap, { address, serial }: RootAddress): this {
    this.set(cellKind.parcel, address, serial, nothing);
    this.#heap = heap;
    return this;
  }

  /** One that stays valid. The hold on a parcel becomes the copy's. */
  keep(): Prepared {
    const kept = new Prepared();
    kept.set(
      this.kind,
      this.x,
      this.y,
      this.payload.length > 0 ? new Uint8Array(this.payload) : nothing,
      this.references,
    );
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
      return prepared.set(cellKind.simple, value ? 3 : 2, 0, nothing);
    case 'undefined':
      return prepared.set(cellKind.simple, 0, 0, nothing);
    case 'object':
      if (value === null) return prepared.set(cellKind.simple, 1, 0, nothing);
      if (isPlainBytes(value)) return prepareBytes(value);
  }
  return prepareEncoded(heap, value, label);
}

function prepareNumber(value: number): Prepared {
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) return prepared.set(cellKind.int32, value, 0, nothing);
  doubleScratch[0] = value;
  return prepared.set(cellKind.double, shortScratch[0]!, shortScratch[1]!, nothing);
}

function prepareText(value: string): Prepared {
  const { length } = value;
  if (!packOneByte(value))
    return prepared.set(cellKind.wideText, 0, 0, scratch.subarray(0, scratch.write(value, 'utf16le')));
  if (length <= SHORT_BYTES) return prepareShort(cellKind.shortText, length);
  return prepared.set(cellKind.text, 0, 0, scratch.subarray(0, length));
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
function prepareShort(kind: typeof cellKind.shortText | typeof cellKind.shortBytes, length: number): Prepared {
  for (let i = length; i < SHORT_BYTES; i++) scratch[i] = 0;
  const short = prepared.set(kind, shortScratch[0]!, shortScratch[1]!, nothing);
  short.payload = lengths[length]!;
  return short;
}

/** A short value has its bytes in two words; of its payload only the length counts. */
const lengths = Array.from({ length: SHORT_BYTES + 1 }, (_, length) => new Uint8Array(length));

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
  if (value.length > SHORT_BYTES) return prepared.set(cellKind.bytes, 0, 0, value);
  scratch.set(value);
  return prepareShort(cellKind.shortBytes, value.length);
}

function prepareEncoded(heap: Heap, value: unknown, label: string): Prepared {
  const { pieces, byteLength, places } = encodeParts(value, label);
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
  if (places.size === 0) return prepared.set(cellKind.encoded, 0, 0, bytes);
  return prepared.set(cellKind.referring, 0, places.size, bytes, [...places]);
}
