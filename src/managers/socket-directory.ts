import { closeSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ValueError } from '../errors/index.js';
import { checkSocketPath, connectUnix, errno, errorCode, fileFacts, removeFile, systemError } from '../os/index.js';
import { SHM_DIRECTORY } from '../shared-memory/internal.js';

// Sockets of managers lie in a directory that only their user can enter: whoever can connect may run code in the server.
//
//   <16 hexadecimal digits>   the socket of a private manager, called like its heap
//   <name>.named              the socket of a named one
//   <name>.lock               held by the server of that name for as long as it lives, or by who is starting it

const PRIVATE = /^[0-9a-f]{16}$/;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
const NAMED = '.named';
const PERMISSIONS = 0o777;

/**
 * The directory, made if there is none.
 *
 * @throws a system error `EACCES` when somebody else could have put something there.
 */
export function socketDirectory(): string {
  const uid = process.geteuid!();
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const path = runtime ? join(runtime, 'multiprocess') : `/tmp/multiprocess-${uid}`;
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  const facts = lstatSync(path);
  if (!facts.isDirectory() || facts.uid !== uid || (facts.mode & PERMISSIONS) !== 0o700) {
    throw systemError(
      errno.EACCES,
      'lstat',
      path,
      'Sockets of managers lie in this directory, which has to be yours alone (mode 0700). Remove it, or set XDG_RUNTIME_DIR.',
    );
  }
  return path;
}

export function privateSocket(heap: string): string {
  return checked(join(socketDirectory(), heap));
}

/** @throws TypeError, ValueError for a name that no manager has. */
export function namedFiles(name: string): { socket: string; lock: string } {
  if (typeof name !== 'string') throw new TypeError(`The name of a manager is a string; got ${typeof name}.`);
  if (!NAME.test(name)) {
    throw new ValueError(
      `A manager's name has 1 to 64 letters, digits and _ . - and begins with neither of the last two; got '${name.slice(0, 80)}'.`,
    );
  }
  const directory = socketDirectory();
  return { socket: checked(join(directory, `${name}${NAMED}`)), lock: join(directory, `${name}.lock`) };
}

function checked(path: string): string {
  checkSocketPath(path);
  return path;
}

/** Removes the sockets of private managers that were killed: their heaps are gone. @returns their paths. */
export function sweepSockets(): string[] {
  const directory = socketDirectory();
  return (
    readdirSync(directory)
      .filter((file) => PRIVATE.test(file))
      // A server makes its heap before its socket, and removes the socket before it leaves the heap.
      .filter((file) => fileFacts(`${SHM_DIRECTORY}/mp-heap-${file}`) === undefined)
      .map((file) => join(directory, file))
      // A server in another mount namespace, whose /dev/shm is not this one, may share the directory.
      .filter((path) => !isServed(path) && removeFile(path))
  );
}

/** Whether somebody listens there, or may. */
function isServed(path: string): boolean {
  try {
    closeSync(connectUnix(path));
    return true;
  } catch (error) {
    return errorCode(error) !== 'ECONNREFUSED' && errorCode(error) !== 'ENOENT';
  }
}

/** The sockets of managers that are there, served or not; those of named ones with their name. */
export function listSockets(): { path: string; name: string | undefined }[] {
  const directory = socketDirectory();
  return readdirSync(directory)
    .filter((file) => PRIVATE.test(file) || file.endsWith(NAMED))
    .map((file) => ({
      path: join(directory, file),
      name: file.endsWith(NAMED) ? file.slice(0, -NAMED.length) : undefined,
    }));
}

/** The names under which a named manager has left, or has, any file. */
export function listNames(): string[] {
  const names = readdirSync(socketDirectory()).flatMap((file) => /^(.+)[.](named|lock)$/.exec(file)?.[1] ?? []);
  return [...new Set(names)].filter((name) => NAME.test(name));
}
