import { fstatSync, statfsSync } from 'node:fs';
import { libc } from './libc.js';
import { errno, systemError } from './system-error.js';

// tmpfs undoes a whole fallocate call that a signal interrupts; in steps, what is done stays done.
const STEP_BYTES = 64 * 1024 * 1024;
const LEAST_STEP_BYTES = 4096;
const CHECK_BYTES = 1024 * 1024;

const hint =
  'The shared memory file system is full: free blocks (ls -l /dev/shm) or make it larger ' +
  '(docker run --shm-size, mount -o remount,size=).';

/**
 * Makes the file `bytes` long with every page of it allocated, so that a full file system is an error here and not a
 * SIGBUS at some later store.
 *
 * @throws a system error, `ENOSPC` above all; the file may then have become longer and is the caller's to drop.
 */
export function reserve(fd: number, bytes: number, path: string): void {
  const c = libc();
  // A request far beyond what is free is refused before it drives the machine out of memory.
  if (bytes > CHECK_BYTES) {
    const { bavail, bsize, blocks } = statfsSync(path);
    if (blocks > 0 && bytes - fstatSync(fd).size > bavail * bsize) {
      throw systemError(errno.ENOSPC, 'posix_fallocate', path, hint);
    }
  }
  let step = STEP_BYTES;
  for (let offset = 0; offset < bytes; ) {
    const length = Math.min(step, bytes - offset);
    const failure = c.posixFallocate(fd, offset, length);
    if (failure === errno.EINTR) {
      step = Math.max(LEAST_STEP_BYTES, step / 2); // signals that keep coming must not keep it from getting on
      continue;
    }
    if (failure !== 0) throw systemError(failure, 'posix_fallocate', path, failure === errno.ENOSPC ? hint : undefined);
    offset += length;
  }
}
