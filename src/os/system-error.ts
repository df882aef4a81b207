import { getSystemErrorMap } from 'node:util';

/** A failure of the operating system, in the shape that `node:fs` gives its own. */
export interface SystemError extends Error {
  readonly code: string;
  /** Negative, as Node has it. */
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
}

/** Builds the error for a positive `errno`, e.g. `ENOSPC: no space left on device, posix_fallocate '/dev/shm/x'`. */
export function systemError(errno: number, syscall: string, path?: string, hint?: string): SystemError {
  const [code, description] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error'];
  const message = `${code}: ${description}, ${syscall}${path === undefined ? '' : ` '${path}'`}`;
  const error = new Error(hint === undefined ? message : `${message}. ${hint}`);
  return Object.assign(error, { errno: -errno, code, syscall }, path === undefined ? {} : { path });
}

/** The `code` of an error in Node's shape, or `undefined`. */
export function errorCode(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code;
}

/** errno values that this library raises itself; the same on every Linux. */
export const errno = {
  ENOENT: 2,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  EEXIST: 17,
  EINVAL: 22,
  ENOSPC: 28,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ETIMEDOUT: 110,
} as const;
