import { libc } from './libc.js';
import { errno, systemError } from './system-error.js';

// Open-file-description locks: they belong to the open file, not to the process, so the kernel lets go of them when
// the last descriptor of that open file is closed, however its holder ended. Classic fcntl locks would be lost as soon
// as any descriptor of the file is closed anywhere in the process.
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const kinds = { shared: 0, exclusive: 1, none: 2 } as const;

export type LockKind = 'shared' | 'exclusive';

const request = Buffer.alloc(32); // struct flock: l_type, l_whence, padding, l_start, l_len, l_pid

function describe(kind: keyof typeof kinds, start: bigint, length: bigint): Uint8Array {
  request.writeInt16LE(kinds[kind], 0);
  request.writeInt16LE(0, 2);
  request.writeBigInt64LE(start, 8);
  request.writeBigInt64LE(length, 16);
  request.writeInt32LE(0, 24);
  return request;
}

/**
 * Locks a range of bytes, which may lie beyond the file's end, without waiting. A lock that this open file already has
 * on the range is replaced.
 *
 * @returns whether the lock was taken; `false` when another open file has one in the way.
 */
export function tryLockFile(fd: number, kind: LockKind, start: bigint, length = 1n): boolean {
  const c = libc();
  if (c.fcntl(fd, F_OFD_SETLK, describe(kind, start, length)) === 0) return true;
  const failure = c.errno();
  if (failure === errno.EAGAIN || failure === errno.EACCES) return false;
  throw systemError(failure, 'fcntl');
}

/** Lets go of what this open file has locked in the range. */
export function unlockFile(fd: number, start: bigint, length = 1n): void {
  const c = libc();
  if (c.fcntl(fd, F_OFD_SETLK, describe('none', start, length)) !== 0) throw systemError(c.errno(), 'fcntl');
}

/**
 * Whether another open file holds a lock in the range. Locks of this very open file read as free, so look through
 * another one than that which locks.
 */
export function isLockedByOther(fd: number, start: bigint, length = 1n): boolean {
  const c = libc();
  if (c.fcntl(fd, F_OFD_GETLK, describe('exclusive', start, length)) !== 0) throw systemError(c.errno(), 'fcntl');
  return request.readInt16LE(0) !== kinds.none;
}
