import { constants } from 'node:buffer';
import { ValueError } from '../errors/index.js';

/** Reads bytes that nobody vouches for: never beyond their end. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  /** Steps over the next byte if it is this one. */
  skipIf(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  /** How many items follow; each takes at least one byte, so a count beyond what is left is a lie. */
  count(): number {
    const count = this.uint32();
    if (count > this.remaining) throw this.broken();
    return count;
  }

  /** A copy, on an ArrayBuffer of its own. */
  bytes(length: number): ArrayBuffer {
    const at = this.#take(length);
    const copy = new ArrayBuffer(length);
    new Uint8Array(copy).set(this.#bytes.subarray(at, at + length));
    return copy;
  }

  text(length: number, encoding: 'latin1' | 'utf16le'): string {
    const at = this.#take(length);
    if (length / (encoding === 'latin1' ? 1 : 2) > constants.MAX_STRING_LENGTH) throw this.broken();
    return this.#bytes.toString(encoding, at, at + length);
  }

  broken(): ValueError {
    return new ValueError('These bytes are no encoded value: they are cut off, changed, or of another version.');
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#bytes.length - at) throw this.broken();
    this.#at = at + bytes;
    return at;
  }
}
