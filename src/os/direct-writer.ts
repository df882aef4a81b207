import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Up to here what goes out together is put together; larger parts go one by one. */
const MOST_JOINED_BYTES = 262_144;

/**
 * Writes to a socket at once, past Node's stream, for as long as the kernel takes it; what it does not take, and what follows,
 * goes the stream's way.
 */
export class DirectWriter {
  readonly #socket: Socket;
  readonly #fd: number;

  /** @param fd the socket's descriptor, which does not block. Undefined: everything goes the stream's way. */
  constructor(socket: Socket, fd = descriptorOf(socket)) {
    this.#socket = socket;
    // What is written past the stream of a TLS connection would go out in the clear.
    this.#fd = 'encrypted' in socket ? -1 : (fd ?? -1);
  }

  /** What is written to a socket that has ended, or is about to, is dropped. */
  write(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    let done = 0;
    if (this.#fd >= 0 && socket.writableLength === 0) {
      try {
        done = writeSync(this.#fd, bytes);
      } catch {
        // The stream waits until there is room, or finds out what is wrong.
      }
      if (done === bytes.length) return;
    }
    socket.write(done === 0 ? bytes : bytes.subarray(done));
  }

  writeAll(parts: readonly Uint8Array[]): void {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (parts.length > 1 && bytes <= MOST_JOINED_BYTES) return this.write(Buffer.concat(parts, bytes));
    for (const part of parts) this.write(part);
  }
}

/** Node has no name for it; undefined where it cannot be had. */
export function descriptorOf(socket: Socket): number | undefined {
  // Of a TLS connection, that of the socket beneath it.
  const handle = (socket as { _handle?: { fd?: number; _parent?: { fd?: number } } })._handle;
  const fd = handle?.fd ?? handle?._parent?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}
