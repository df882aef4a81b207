import { packLatin1, packUtf16 } from './text.js';

const FIRST_BYTES = 4096;

/** Bytes from here on are not copied, but shown where they are. */
export const PIECE_BYTES = 8192;

/** The same memory seen in two ways. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** Bytes that grow as they are written, in memory that is used again. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #numbers = new DataView(this.#bytes.buffer);
  #words = new Int32Array(this.#bytes.buffer);
  #length = 0;
  /** Bytes that belong between what has been written up to `at` and what comes behind. */
  readonly #pieces: { readonly at: number; readonly bytes: Uint8Array; readonly length: number }[] = [];

  /** Of what lies in the writer's own memory. */
  get length(): number {
    return this.#length;
  }

  /** Of everything. */
  get byteLength(): number {
    let sum = this.#length;
    for (const { length } of this.#pieces) sum += length;
    return sum;
  }

  /** Whether all bytes that are shown where they are, are still there. */
  get complete(): boolean {
    for (const { bytes, length } of this.#pieces) if (bytes.length !== length) return false;
    return true;
  }

  get capacity(): number {
    return this.#bytes.length;
  }

  /** Whether everything lies in the writer's own memory, from its beginning. */
  get isWhole(): boolean {
    return this.#pieces.length === 0;
  }

  /** The writer's own memory: as bytes, and as words, of which the last is filled up with zeros. */
  memory(): Memory {
    const bytes = this.#bytes;
    for (let i = this.#length; (i & 3) !== 0; i++) bytes[i] = 0;
    return { bytes, words: this.#words };
  }

  /** Takes back everything after `length`, where something has been written since. */
  rewind(length: number): void {
    this.#length = length;
    // A piece right at `length` was there before: pieces follow what says how long they are.
    while (this.#pieces.length > 0 && this.#pieces.at(-1)!.at > length) this.#pieces.pop();
  }

  clear(): void {
    this.#length = 0;
    if (this.#pieces.length > 0) this.#pieces.length = 0;
  }

  /**
   * What has been written: memory that stays as it is until the writer is used again. The first piece lies at an offset
   * that is a multiple of 4, as does its end when rounded up.
   */
  pieces(): Uint8Array[] {
    const { buffer } = this.#bytes;
    if (this.#pieces.length === 0) return [new Uint8Array(buffer, 0, this.#length)];
    const all: Uint8Array[] = [];
    let from = 0;
    for (const { at, bytes } of this.#pieces) {
      if (at > from) all.push(new Uint8Array(buffer, from, at - from));
      all.push(bytes);
      from = at;
    }
    if (this.#length > from) all.push(new Uint8Array(buffer, from, this.#length - from));
    return all;
  }

  byte(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  uint32(value: number): void {
    const at = this.#room(4);
    this.#numbers.setUint32(at, value, true);
  }

  /** Writes over four bytes that have been written before. */
  patchUint32(at: number, value: number): void {
    this.#numbers.setUint32(at, value, true);
  }

  int32(value: number): void {
    const at = this.#room(4);
    this.#numbers.setInt32(at, value, true);
  }

  double(value: number): void {
    const at = this.#room(8);
    this.#numbers.setFloat64(at, value, true);
  }

  /** Its most significant byte first, like all magnitudes. */
  bigUint64(value: bigint): void {
    const at = this.#room(8);
    this.#numbers.setBigUint64(at, value);
  }

  /** Bytes that nobody changes before the pieces have been used. */
  bytes(value: Uint8Array): void {
    if (value.length >= PIECE_BYTES) {
      this.#pieces.push({ at: this.#length, bytes: value, length: value.length });
      return;
    }
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  /** @returns `false`, having written nothing, when the text has characters beyond Latin-1. */
  latin1(value: string): boolean {
    const at = this.#room(value.length);
    if (packLatin1(value, this.#bytes, at)) return true;
    this.#length = at;
    return false;
  }

  utf16(value: string): void {
    const at = this.#room(value.length * 2);
    packUtf16(value, this.#bytes, at);
  }

  #room(bytes: number): number {
    const at = this.#length;
    const end = at + bytes;
    if (end > this.#bytes.length) this.#grow(end);
    this.#length = end;
    return at;
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(Math.ceil(bytes / FIRST_BYTES) * FIRST_BYTES, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#numbers = new DataView(grown.buffer);
    this.#words = new Int32Array(grown.buffer);
  }
}
