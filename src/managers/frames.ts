import { MultiprocessError } from '../errors/index.js';

// What goes over a connection between a client and a manager's server, in both directions:
//
//   uint32 bytes that follow | uint32 number of the request | uint8 kind | payload
//
// Many requests may be under way; answers come in the order in which they are ready.

export const PREFIX_BYTES = 4;
const HEAD_BYTES = 5;
/** What is larger than that goes through shared memory. */
export const MOST_FRAME_BYTES = 256 * 1024 * 1024;

export interface Frame {
  readonly id: number;
  readonly kind: number;
  readonly payload: Buffer;
}

/** @throws RangeError for a payload that is too large. */
export function makeFrame({ id, kind, payload }: Frame): Buffer {
  const bytes = HEAD_BYTES + payload.length;
  if (bytes > MOST_FRAME_BYTES) {
    throw new RangeError(
      `A message to or from a manager has at most ${MOST_FRAME_BYTES} bytes; this one has ${payload.length}. ` +
        'Pass large data as SharedMemory or a RawArray, which are not copied.',
    );
  }
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + bytes);
  frame.writeUInt32LE(bytes, 0);
  frame.writeUInt32LE(id, 4);
  frame[8] = kind;
  payload.copy(frame, PREFIX_BYTES + HEAD_BYTES);
  return frame;
}

/** How many bytes follow the prefix. @throws MultiprocessError for a length that no frame has. */
export function frameBytes(prefix: Buffer): number {
  const bytes = prefix.readUInt32LE(0);
  if (bytes < HEAD_BYTES || bytes > MOST_FRAME_BYTES) {
    throw new MultiprocessError(`No message has ${bytes} bytes: the other side is no manager, or of another version.`);
  }
  return bytes;
}

/** Reads what follows the prefix. */
export function readFrame(body: Buffer): Frame {
  return { id: body.readUInt32LE(0), kind: body[4]!, payload: body.subarray(HEAD_BYTES) };
}

/** Puts frames together from the pieces in which a stream arrives. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #needed: number | undefined;

  /** @throws MultiprocessError for bytes that are no frames. */
  *read(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#needed === undefined) {
        if (this.#bytes < PREFIX_BYTES) return;
        this.#needed = frameBytes(this.#take(PREFIX_BYTES));
      }
      if (this.#bytes < this.#needed) return;
      const body = this.#take(this.#needed);
      this.#needed = undefined;
      yield readFrame(body);
    }
  }

  #take(count: number): Buffer {
    let whole = this.#chunks[0]!;
    if (whole.length < count) whole = Buffer.concat(this.#chunks);
    if (whole === this.#chunks[0]) this.#chunks.shift();
    else this.#chunks = [];
    if (whole.length > count) this.#chunks.unshift(whole.subarray(count));
    this.#bytes -= count;
    return whole.subarray(0, count);
  }
}
