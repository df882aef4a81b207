import { ValueError } from '../errors/index.js';
import {
  formatPlace,
  makeRaw,
  makeRawCell,
  openRaw,
  openRawCell,
  type Place,
  type RawCell,
  type RawOptions,
  rawPlaceOf,
} from '../heap/internal.js';
import { unsharedWarning } from '../shared-memory/internal.js';
import type { Cells, ItemType } from './item-type.js';
import { ScalarType } from './scalar-type.js';

/** The memory of a single value: held for as long as this object, or a view of a structure in it, can be reached. */
export class ValueMemory {
  readonly type: ItemType;
  readonly place: Place;
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  readonly cells: Cells;
  readonly index: number;
  /** What holds the memory. */
  readonly hold: object;
  readonly #plain: boolean;
  /** Of a structure: one object, so that it is the same whenever it is read. */
  readonly #view: unknown;
  #warn: (() => void) | undefined;

  constructor(type: ItemType, hold: ArrayBuffer | RawCell, warn?: () => void) {
    this.type = type;
    this.hold = hold;
    this.#warn = warn;
    this.#plain = type.plain;
    if (hold instanceof ArrayBuffer) {
      this.place = rawPlaceOf(hold)!;
      this.buffer = hold;
      this.byteOffset = 0;
      this.cells = type.cells(hold, 0, 1);
      this.index = 0;
      this.#view = type.read(this.cells, 0);
    } else {
      this.place = hold.place;
      this.buffer = hold.buffer;
      this.byteOffset = hold.byteOffset;
      // The cells of the extent, which are there already: so a value costs no typed array of its own.
      this.cells = type.column(hold.buffer);
      this.index = hold.byteOffset / type.bytes;
    }
  }

  get(): unknown {
    if (this.#warn !== undefined) this.used();
    return this.#plain ? this.cells[this.index] : (this.#view ?? this.type.read(this.cells, this.index));
  }

  /** @throws TypeError, RangeError; then nothing has been changed. */
  set(value: unknown): void {
    if (this.#warn !== undefined) this.used();
    this.type.store(this.cells, this.index, this.type.prepare(value, 'A value'));
  }

  /** Says once that it was made where it is another one in each process, if so. */
  used(): void {
    this.#warn?.();
    this.#warn = undefined;
  }

  get fields(): string {
    return `${this.type.text}:${formatPlace(this.place)}`;
  }

  /** All its bytes. */
  get content(): Uint8Array {
    return new Uint8Array(this.buffer, this.byteOffset, this.type.bytes);
  }
}

/**
 * Memory for a value, all zero. Structures are shown to users as views, so theirs has an ArrayBuffer of its own.
 *
 * @param name what it is for, in warnings.
 */
export function makeValueMemory(type: ItemType, name: string, options?: RawOptions): ValueMemory {
  const hold = type instanceof ScalarType ? makeRawCell(type.bytes, options) : makeRaw(type.bytes, options);
  return new ValueMemory(type, hold, unsharedWarning(name));
}

/** @throws StaleHandleError when it is gone; ValueError for text that is no address, or of too little memory. */
export function openValueMemory(type: ItemType, place: string, options?: RawOptions): ValueMemory {
  if (type instanceof ScalarType) return new ValueMemory(type, openRawCell(place, type.bytes, options));
  const buffer = openRaw(place, options);
  if (buffer.byteLength < type.bytes) throw new ValueError('A handle names less memory than its type takes.');
  return new ValueMemory(type, buffer);
}
