import { ValueError } from '../errors/index.js';
import { errno, systemError } from '../os/index.js';
import { randomHex } from './random.js';

/** Where POSIX shared memory lies on Linux: Python's `shm_open` opens files here too. */
export const SHM_DIRECTORY = '/dev/shm';

const MAX_NAME_BYTES = 255;

/** The file of a block of that name. */
export function blockPath(name: string): string {
  return `${SHM_DIRECTORY}/${name}`;
}

/**
 * Brings a name into the form that both Python and we show: without leading slashes.
 *
 * @throws TypeError for anything but a string; ValueError for a NUL or half a surrogate pair in it, and for names of the
 * library's own files; a system error `EINVAL` for an empty name
 * or a slash inside, `ENAMETOOLONG` for more than 255 bytes.
 */
export function canonicalName(name: unknown): string {
  if (typeof name !== 'string') {
    throw new TypeError(`A shared memory name is a string; got ${name === null ? 'null' : typeof name}.`);
  }
  if (name.includes('\0')) throw new ValueError('A shared memory name cannot contain a NUL character.');
  if (/\p{Surrogate}/u.test(name)) throw new ValueError('A shared memory name cannot contain half a surrogate pair.');
  const canonical = name.replace(/^\/+/, '');
  if (canonical === '' || canonical === '.' || canonical === '..' || canonical.includes('/')) {
    throw systemError(errno.EINVAL, 'shm_open', name, 'A name is not empty and has no slash inside.');
  }
  if (Buffer.byteLength(canonical) > MAX_NAME_BYTES) {
    throw systemError(errno.ENAMETOOLONG, 'shm_open', name, `A name has at most ${MAX_NAME_BYTES} bytes.`);
  }
  if (canonical.startsWith('mp-tree-')) {
    throw new ValueError('Names that begin with mp-tree- are for the library itself.');
  }
  return canonical;
}

let prefix: string | undefined;
let made = 0;

/** A name that nobody else makes: 48 random bits for each environment, and a count. */
export function uniqueName(): string {
  prefix ??= `mp_${randomHex(12)}_`;
  made += 1;
  return prefix + made.toString(36);
}
