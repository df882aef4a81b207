import { closeSync, constants, openSync } from 'node:fs';
import {
  crashPoint,
  errno,
  type FileFacts,
  type FileIdentity,
  fileFacts,
  isLockedByOther,
  openFileFacts,
  sameFile,
  systemError,
  tryLockFile,
  unlockFile,
} from '../os/index.js';
import { blockPath } from './names.js';

// Every environment that has opened a block holds a shared lock on one byte of it, far beyond its end, for as long. Who
// wants to clean a block up takes that byte exclusively, so a block in use is never removed, and whoever opens one
// makes sure, under the lock, that it has not just been. (Who made the block needs no lock: it is a member of the tree
// that made it, and a tree that has members is not swept.)

const HOLD_BYTE = (1n << 62n) + 2n;
const SWEEPER_PATIENCE_MS = 1000;

/** A descriptor, however many objects of this environment use the block that it is of. */
interface OpenFile {
  readonly fd: number;
  readonly key: string | undefined;
  uses: number;
}

const openFiles = new Map<string, OpenFile>();
const allFiles = new Set<OpenFile>();

/** One object's use of an open block. The descriptor is closed, and its lock let go of, with the last of them. */
export class Hold {
  readonly #file: OpenFile;
  #open = true;

  constructor(fd: number, shareAs?: FileIdentity) {
    const key = shareAs && identityKey(shareAs);
    const known = key === undefined ? undefined : openFiles.get(key);
    if (known !== undefined) {
      closeSync(fd);
      known.uses += 1;
      this.#file = known;
      return;
    }
    this.#file = { fd, key, uses: 1 };
    allFiles.add(this.#file);
    if (key !== undefined) openFiles.set(key, this.#file);
  }

  get fd(): number {
    return this.#file.fd;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Lets go; idempotent. */
  release(): void {
    if (!this.#open) return;
    this.#open = false;
    const file = this.#file;
    file.uses -= 1;
    if (file.uses === 0) closeFile(file);
  }
}

export function identityKey({ device, inode }: FileIdentity): string {
  return `${device}:${inode}`;
}

function closeFile(file: OpenFile): void {
  if (!allFiles.delete(file)) return;
  if (file.key !== undefined && openFiles.get(file.key) === file) openFiles.delete(file.key);
  // Descriptors that hold are opened and closed by node:fs: then Node closes them when a worker is terminated.
  closeSync(file.fd);
}

/**
 * Before this process says what it leaves behind, its main thread lets go of everything that it holds. The descriptors stay
 * open: exit handlers that come later may use them, and their numbers must not become another file's.
 */
export function letGoOfAllHolds(): void {
  for (const { fd } of allFiles) unlockFile(fd, HOLD_BYTE);
}

/** Takes the right to remove a block that nobody holds. */
export function tryLockForRemoval(fd: number): boolean {
  return tryLockFile(fd, 'exclusive', HOLD_BYTE);
}

/** Whether somebody holds a block, or is about to remove it, on another descriptor. */
export function isHeld(fd: number): boolean {
  return isLockedByOther(fd, HOLD_BYTE);
}

/**
 * Opens and holds the block of that name.
 *
 * @throws a system error, `ENOENT` above all.
 */
export function holdByName(name: string): { hold: Hold; facts: FileFacts } {
  const path = blockPath(name);
  const deadline = performance.now() + SWEEPER_PATIENCE_MS;
  for (;;) {
    const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
    crashPoint('attach:opened');
    try {
      const facts = openFileFacts(fd);
      // Only a sweeper has the byte exclusively, for microseconds; then the name is gone, or free to be held.
      if (facts.regular && tryLockFile(fd, 'shared', HOLD_BYTE)) {
        if (sameFile(facts, fileFacts(path))) {
          crashPoint('attach:held');
          return { hold: new Hold(fd, facts), facts };
        }
      } else if (!facts.regular || performance.now() > deadline) {
        throw systemError(facts.regular ? errno.EAGAIN : errno.EINVAL, 'open', path);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
}

/** Opens what a descriptor of this process shows, by whatever name or none, and holds it on a descriptor of its own. */
export function holdByDescriptor(descriptor: number): { hold: Hold; facts: FileFacts } {
  const fd = openSync(`/proc/self/fd/${descriptor}`, constants.O_RDWR);
  try {
    // Nobody has the byte exclusively: the block is in use by the descriptor that was given.
    tryLockFile(fd, 'shared', HOLD_BYTE);
    return { hold: new Hold(fd), facts: openFileFacts(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
