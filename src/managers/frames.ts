import type { EncodedParts } from '../codec/internal.js';
import { MultiprocessError } from '../errors/index.js';

// What goes over a connection between a client and a manager's server, in both directions:
//
//   uint32 bytes that follow | uint32 number of the request | uint8 kind | payload
//
// Many requests may be under way; answers come in the order in which they are ready.

const PREFIX_BYTES = 4;
const HEAD_BYTES = 5;
/** What is larger than that goes through shared memory. */
export const MOST_FRAME_BYTES = 256 * 1024 * 1024;

export interface Frame {
  readonly id: number;
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** @throws RangeError for a payload that is too large. */
export function makeFrame({ id, kind, payload }: Frame): Buffer {
  const frame = emptyFrame(id, kind, payload.length);
  frame.set(payload, PREFIX_BYTES + HEAD_BYTES);
  return frame;
}

// Up to here a loop is faster than making a view of what is to be copied.
const SHORT_TO_COPY = 96;

/** A frame whose payload is what has been encoded last. @throws RangeError when it is too large. */
export function frameOf(id: number, kind: number, parts: EncodedParts): Buffer {
  const { byteLength, memory } = parts;
  const frame = emptyFrame(id, kind, byteLength);
  let at = PREFIX_BYTES + HEAD_BYTES;
  if (memory !== undefined && byteLength <= SHORT_TO_COPY) {
    const { bytes } = memory;
    for (let i = 0; i < byteLength; i++) frame[at + i] = bytes[i]!;
    return frame;
  }
  for (const piece of parts.pieces) {
    frame.set(piece, at);
    at += piece.length;
  }
  return frame;
}

function emptyFrame(id: number, kind: number, payloadBytes: number): Buffer {
  const bytes = HEAD_BYTES + payloadBytes;
  if (bytes > MOST_FRAME_BYTES) {
    throw new RangeError(
      `A message to or from a manager has at most ${MOST_FRAME_BYTES} bytes; this one has ${payloadBytes}. ` +
        'Pass large data as SharedMemory or a RawArray, which are not copied.',
    );
  }
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + bytes);
  setUint32(frame, 0, bytes);
  setUint32(frame, PREFIX_BYTES, id);
  frame[PREFIX_BYTES + 4] = kind;
  return frame;
}

/** How many bytes follow the prefix. @throws MultiprocessError for a length that no frame has. */
function frameBytes(prefix: Uint8Array, at = 0): number {
  const bytes = uint32(prefix, at);
  if (bytes < HEAD_BYTES || bytes > MOST_FRAME_BYTES) {
    throw new MultiprocessError(`No message has ${bytes} bytes: the other side is no manager, or of another version.`);
  }
  return bytes;
}

/** Reads what follows the prefix: so many bytes from `at`. */
function readFrame(bytes: Uint8Array, at: number, count: number): Frame {
  return { id: uint32(bytes, at), kind: bytes[at + 4]!, payload: bytes.subarray(at + HEAD_BYTES, at + count) };
}

/** Where the payload is text. */
export function textOf({ payload }: Frame): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
}

/** Puts frames together from the pieces in which a stream arrives. */
export class FrameReader {
  readonly #borrows: boolean;
  /** What has arrived of a frame that is not there as a whole. */
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Of the prefix and what follows it, once the prefix is there. */
  #needed = PREFIX_BYTES;

  /** @param borrows whether chunks, and frames with them, are good only until what is called with them returns. */
  constructor(borrows = false) {
    this.#borrows = borrows;
  }

  /**
   * Hands over each frame that is there as a whole with this chunk.
   *
   * @throws MultiprocessError for bytes that are no frames; what `take` throws.
   */
  read(chunk: Uint8Array, take: (frame: Frame) => void): void {
    let bytes = chunk;
    if (this.#bytes > 0) {
      const isWhole = this.#bytes + chunk.length >= this.#needed;
      this.#pieces.push(isWhole ? chunk : this.#kept(chunk));
      this.#bytes += chunk.length;
      // Not put together again with each of the thousands of chunks in which a large one arrives.
      if (!isWhole) return;
      bytes = Buffer.concat(this.#pieces, this.#bytes);
    }
    // Of one class, so that what V8 has compiled for reading fits all.
    if (bytes.constructor !== Uint8Array) bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    let needed = PREFIX_BYTES;
    while (bytes.length - at >= PREFIX_BYTES) {
      const count = frameBytes(bytes, at);
      needed = PREFIX_BYTES + count;
      if (bytes.length - at < needed) break;
      const frame = readFrame(bytes, at + PREFIX_BYTES, count);
      at += needed;
      needed = PREFIX_BYTES;
      take(frame);
    }
    this.#needed = needed;
    this.#bytes = bytes.length - at;
    this.#pieces = this.#bytes === 0 ? [] : [this.#kept(bytes.subarray(at))];
  }

  #kept(bytes: Uint8Array): Uint8Array {
    return this.#borrows ? bytes.slice() : bytes;
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function setUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
