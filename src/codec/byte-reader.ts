import { constants } from 'node:buffer';
import { ValueError } from '../errors/index.js';
import { unpackKey } from './known-keys.js';
import { unpackLatin1, unpackUtf16 } from './text.js';

// Numbers are put together here: a DataView for each value to be read takes longer than this for the few that most have.
const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);
const integer = new BigUint64Array(double.buffer);

const nothing = new Uint8Array(0);

/** From here on, filling memory with zeros before it is written costs more than a way around it. */
const LARGE_BYTES = 4096;

/**
 * Reads bytes that nobody vouches for, and that may change meanwhile (they may be shared memory): never beyond their end,
 * and what has been checked is not read again.
 */
export class ByteReader {
  #bytes: Uint8Array = nothing;
  #end = 0;
  #at = 0;

  /** Begins anew, with a part of these bytes. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    // Of one class, so that what V8 has compiled fits all; and slice() of a Buffer does not copy.
    this.#bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
  }

  /** Holds no memory any more. */
  clear(): void {
    this.#bytes = nothing;
    this.#at = 0;
    this.#end = 0;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  /** Steps over the next byte if it is this one. */
  skipIf(byte: number): boolean {
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  int32(): number {
    const at = this.#take(4);
    return this.#int32(at);
  }

  double(): number {
    const at = this.#take(8);
    halves[0] = this.#int32(at);
    halves[1] = this.#int32(at + 4);
    return double[0]!;
  }

  /** Its most significant byte first, like all magnitudes. */
  bigUint64(): bigint {
    const at = this.#take(8);
    const bytes = this.#bytes;
    halves[1] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    halves[0] = (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!;
    return integer[0]!;
  }

  /** How many items follow; each takes at least one byte, so a count beyond what is left is a lie. */
  count(): number {
    const count = this.uint32();
    if (count > this.remaining) throw this.broken();
    return count;
  }

  /** A copy, on an ArrayBuffer of its own. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    if (length >= LARGE_BYTES) return new Uint8Array(this.buffer(length).buffer as ArrayBuffer);
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length) as Uint8Array<ArrayBuffer>;
  }

  /** The same as a Buffer; unlike typed arrays, they are made without being filled with zeros first. */
  buffer(length: number): Buffer {
    const at = this.#take(length);
    const copy = Buffer.allocUnsafeSlow(length);
    copy.set(this.#bytes.subarray(at, at + length));
    return copy;
  }

  latin1(length: number): string {
    const at = this.#take(length);
    if (length > constants.MAX_STRING_LENGTH) throw this.broken();
    return unpackLatin1(this.#bytes, at, length);
  }

  /** A short text where a property name is expected. */
  key(length: number): string {
    const at = this.#take(length);
    return unpackKey(this.#bytes, at, length);
  }

  utf16(length: number): string {
    const at = this.#take(length);
    if (length / 2 > constants.MAX_STRING_LENGTH) throw this.broken();
    return unpackUtf16(this.#bytes, at, length);
  }

  broken(): ValueError {
    return new ValueError('These bytes are no encoded value: they are cut off, changed, or of another version.');
  }

  #int32(at: number): number {
    const bytes = this.#bytes;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#end - at) throw this.broken();
    this.#at = at + bytes;
    return at;
  }
}
