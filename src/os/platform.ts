import { endianness } from 'node:os';
import { UnsupportedPlatformError } from '../errors/index.js';

/** System calls that libc has no portable wrapper for, by processor. */
export interface SyscallNumbers {
  readonly futex: number;
  readonly futexWaitv: number;
  readonly renameat2: number;
  readonly statx: number;
}

const numbers: Partial<Record<NodeJS.Architecture, SyscallNumbers>> = {
  x64: { futex: 202, futexWaitv: 449, renameat2: 316, statx: 332 },
  arm64: { futex: 98, futexWaitv: 449, renameat2: 276, statx: 291 },
};

/**
 * The numbers for this machine.
 *
 * @throws UnsupportedPlatformError where the library cannot work; importing it never throws.
 */
export function requireLinux(platform = process.platform, arch = process.arch): SyscallNumbers {
  if (platform !== 'linux') {
    throw new UnsupportedPlatformError(
      `multiprocess needs Linux for shared memory and locks between processes; this is ${platform}. ` +
        'Run it in a Linux container or virtual machine.',
    );
  }
  const found = numbers[arch];
  if (!found || endianness() !== 'LE') {
    throw new UnsupportedPlatformError(`multiprocess runs on x64 and arm64 Linux; this processor is ${arch}.`);
  }
  return found;
}
