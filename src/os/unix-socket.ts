import { closeSync, readSync, writeSync } from 'node:fs';
import { aboutToBlock } from './before-blocking.js';
import { libc } from './libc.js';
import { errno, errorCode, systemError } from './system-error.js';

// Node connects only when its event loop turns, and a blocking call needs an answer without that.
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
/** `sun_path` has 108 bytes with the NUL. */
const MOST_PATH_BYTES = 107;
const SLICE_MS = 100;
const ROOM_BYTES = 65_536;

/** @throws a system error `ENAMETOOLONG`. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MOST_PATH_BYTES) return;
  throw systemError(
    errno.ENAMETOOLONG,
    'bind',
    path,
    `The path of a Unix socket has at most ${MOST_PATH_BYTES} bytes; this one has ${bytes}.`,
  );
}

/**
 * Connects to a Unix socket, which is done at once if somebody listens there. Does not block, and neither does the descriptor.
 *
 * @returns the descriptor. @throws a system error: `ENOENT` and `ECONNREFUSED` when nobody listens, `EAGAIN` when the queue of
 * those who want to connect is full.
 */
export function connectUnix(path: string): number {
  const fd = openSocket(path, SOCK_NONBLOCK);
  for (;;) {
    const failure = tryConnect(fd, path);
    if (failure === 0) return fd;
    if (failure === errno.EINTR) continue;
    closeSync(fd);
    throw systemError(failure, 'connect', path);
  }
}

function openSocket(path: string, flags: number): number {
  checkSocketPath(path);
  const c = libc();
  const fd = c.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) throw systemError(c.errno(), 'socket');
  return fd;
}

/** @returns 0, or why it could not. */
function tryConnect(fd: number, path: string): number {
  const c = libc();
  const name = Buffer.from(path);
  const address = Buffer.alloc(2 + name.length + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  return c.connect(fd, address, address.length) === 0 ? 0 : c.errno();
}

/** A connection on which this thread blocks. */
export class BlockingSocket {
  readonly #fd: number;
  readonly #room = new Uint8Array(ROOM_BYTES);

  /**
   * Waits while the queue of those who want to connect is full.
   *
   * @param deadline of `performance.now()`; kept to within a slice.
   * @throws a system error: as `connectUnix`, `EAGAIN` when the time is over.
   */
  constructor(path: string, deadline = Number.POSITIVE_INFINITY) {
    this.#fd = openSocket(path, 0);
    try {
      this.#limitSlices();
      for (;;) {
        const failure = tryConnect(this.#fd, path);
        if (failure === 0) return;
        const mayComeToIt = failure === errno.EAGAIN || failure === errno.EINTR;
        if (!mayComeToIt || performance.now() >= deadline) throw systemError(failure, 'connect', path);
        aboutToBlock();
      }
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** In slices, connecting too: a thread that is in a foreign call for good could not be terminated. */
  #limitSlices(): void {
    const c = libc();
    const slice = Buffer.alloc(16);
    slice.writeBigInt64LE(0n, 0);
    slice.writeBigInt64LE(BigInt(SLICE_MS * 1000), 8);
    for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
      if (c.setsockopt(this.#fd, SOL_SOCKET, option, slice, slice.length) !== 0)
        throw systemError(c.errno(), 'setsockopt');
    }
  }

  /**
   * Sends all of it, unless the time is over before.
   *
   * @param deadline of `performance.now()`; kept to within a slice.
   * @returns whether all of it was sent. @throws a system error `EPIPE` or `ECONNRESET` when the other side is gone.
   */
  send(bytes: Uint8Array, deadline = Number.POSITIVE_INFINITY): boolean {
    for (let done = 0; done < bytes.length; ) {
      const sent = again(() => writeSync(this.#fd, bytes, done, bytes.length - done));
      if (sent === undefined && performance.now() >= deadline) return false;
      done += sent ?? 0;
    }
    return true;
  }

  /**
   * Waits for what comes next.
   *
   * @param deadline of `performance.now()`; kept to within a slice.
   * @returns it, in memory of its own; undefined when the other side has ended; 'late' when nothing has come in time.
   */
  receive(deadline = Number.POSITIVE_INFINITY): Uint8Array | 'late' | undefined {
    aboutToBlock();
    for (;;) {
      const got = again(() => readSync(this.#fd, this.#room, 0, ROOM_BYTES, null));
      if (got === 0) return undefined;
      if (got !== undefined) return this.#room.slice(0, got);
      if (performance.now() >= deadline) return 'late';
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** @returns undefined when a slice has passed, or a signal has come. */
function again(call: () => number): number | undefined {
  try {
    return call();
  } catch (error) {
    if (errorCode(error) === 'EAGAIN' || errorCode(error) === 'EINTR') return undefined;
    throw error;
  }
}
