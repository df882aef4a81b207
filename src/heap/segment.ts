import { closeSync, constants, openSync } from 'node:fs';
import { CorruptSegmentError } from '../errors/index.js';
import {
  errno,
  errorCode,
  fileFacts,
  type MemoryMap,
  mapShared,
  openFileFacts,
  publishOpenFile,
  requireLinux,
  reserve,
  sameFile,
  systemError,
  tryLockFile,
} from '../os/index.js';
import { randomHex, SHM_DIRECTORY } from '../shared-memory/internal.js';
import { blockInstead, step } from './doors.js';
import { header, heapState, SEGMENT_MAGIC, SEGMENT_WORDS, WORD_BYTES } from './layout.js';

// The file of a heap's segment, and the gate before it.
//
// Byte locks far beyond the file's end are the heap's doors: each participant holds the byte of its slot exclusively
// (participants.ts), and joiners hold the gate byte shared while they join. Who sweeps an orphan heap has the gate byte
// exclusively: so it sees either a joiner at the gate or its slot's byte held, never neither.

export const GATE_BYTE = 1n << 62n;
export const SLOT_BYTES = GATE_BYTE + 1n;
const GATE_PATIENCE_MS = 5000;
const GATE_POLL_MS = 1;
const SEGMENT_BYTES = SEGMENT_WORDS * WORD_BYTES;

/** A heap's name: sixteen hexadecimal digits, those of the process tree that made it. */
export type HeapId = string;

const HEAP_FILE = /^mp-heap-([0-9a-f]{16})$/;
const EXTENT_FILE = /^mp-heap-([0-9a-f]{16})[.]/;

export function segmentPath(id: HeapId): string {
  return `${SHM_DIRECTORY}/mp-heap-${id}`;
}

/** Extents carry the nonce, so that those of an earlier heap of this name are never taken for this one's. */
export function extentPath(id: HeapId, nonce: number, index: number | string): string {
  return `${segmentPath(id)}.${(nonce >>> 0).toString(16)}.${index}`;
}

/** The heap that a file in /dev/shm belongs to, and whether it is the segment itself. */
export function heapOfFile(file: string): { id: HeapId; segment: boolean } | undefined {
  const segment = HEAP_FILE.exec(file)?.[1];
  if (segment !== undefined) return { id: segment, segment: true };
  const extent = EXTENT_FILE.exec(file)?.[1];
  return extent === undefined ? undefined : { id: extent, segment: false };
}

/** A segment that has been opened at its gate. */
export interface OpenSegment {
  readonly id: HeapId;
  readonly path: string;
  /** Opened by node:fs: Node closes it, and the kernel lets go of its locks, when the environment is a worker that ends. */
  readonly fd: number;
  readonly inode: bigint;
  readonly map: MemoryMap;
}

/**
 * Opens the heap of that name, or makes it, with the gate held shared on `fd`: the caller joins, then lets go of the gate.
 *
 * @param create whether to make it when there is none.
 * @param maxPages what it is limited to if it is made; 0 for no limit.
 * @param sweep removes a heap that nobody is in any more, and whose sweeper was killed half-way.
 * @returns undefined when there is none and it is not to be made.
 * @throws CorruptSegmentError for a file that is no heap of this version; system errors: `EACCES` for another user's,
 * `ELOOP` and `EISDIR` for a symbolic link or a directory in its place, `ENOSPC` when there is no room.
 */
export function openSegment(
  id: HeapId,
  create: boolean,
  sweep: (id: HeapId) => void,
  maxPages = 0,
): OpenSegment | undefined {
  requireLinux();
  const path = segmentPath(id);
  const deadline = performance.now() + GATE_PATIENCE_MS;
  for (;;) {
    const found = enter(id, path) ?? (create ? make(id, path, maxPages) : 'none');
    if (found === 'none') return undefined;
    if (typeof found === 'object') return found;
    if (performance.now() > deadline) throw systemError(errno.EAGAIN, 'fcntl', path);
    if (found === 'ending') sweep(id);
    if (!blockInstead()) Atomics.wait(idle, 0, 0, GATE_POLL_MS);
  }
}

/** Maps the segment of a heap that is open already, and that somebody takes part in through `fd`. */
export function openHeldSegment(id: HeapId, fd: number): OpenSegment {
  return { id, path: segmentPath(id), fd, inode: openFileFacts(fd).inode, map: mapShared(fd, SEGMENT_BYTES) };
}

const idle = new Int32Array(new SharedArrayBuffer(4));

function enter(id: HeapId, path: string): OpenSegment | 'again' | 'ending' | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  let entered: OpenSegment | 'again' | 'ending' = 'again';
  try {
    step();
    const facts = openFileFacts(fd);
    if (!facts.regular || facts.uid !== process.geteuid?.() || facts.bytes < SEGMENT_BYTES) {
      throw notAHeap(path, facts.uid === process.geteuid?.() ? 'no heap of this version' : "another user's");
    }
    // Only a sweeper has the gate exclusively. Looked at again under the lock: it may have removed the file before.
    if (tryLockFile(fd, 'shared', GATE_BYTE) && sameFile(facts, fileFacts(path))) {
      step();
      const map = mapShared(fd, SEGMENT_BYTES);
      const words = new Int32Array(map.buffer);
      const state = Atomics.load(words, header.state);
      const known = state === heapState.ready || state === heapState.ending;
      if (words[header.magic] !== SEGMENT_MAGIC || words[header.words] !== SEGMENT_WORDS || !known) {
        throw notAHeap(path, 'no heap of this version');
      }
      entered = state === heapState.ready ? { id, path, fd, inode: facts.inode, map } : 'ending';
    }
    return entered;
  } finally {
    if (typeof entered !== 'object') closeSync(fd);
  }
}

/**
 * Built without a name and published in one step, with the gate held already: whoever finds it finds a whole heap with
 * somebody at its gate, and if this process is killed before, there never was a file.
 */
function make(id: HeapId, path: string, maxPages: number): OpenSegment | 'again' {
  const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
  const fd = openSync(SHM_DIRECTORY, O_TMPFILE | constants.O_RDWR, 0o600);
  let published = false;
  try {
    step();
    reserve(fd, SEGMENT_BYTES, SHM_DIRECTORY);
    step();
    const map = mapShared(fd, SEGMENT_BYTES);
    const words = new Int32Array(map.buffer);
    words[header.magic] = SEGMENT_MAGIC;
    words[header.state] = heapState.ready;
    words[header.nonce] = Number.parseInt(randomHex(8), 16) | 0;
    words[header.words] = SEGMENT_WORDS;
    words[header.extentCount] = 1;
    words[header.maxPages] = maxPages;
    tryLockFile(fd, 'shared', GATE_BYTE);
    step();
    publishOpenFile(fd, path);
    published = true;
    step();
    return { id, path, fd, inode: openFileFacts(fd).inode, map };
  } catch (error) {
    // Somebody else was faster: theirs is as good.
    if (errorCode(error) === 'EEXIST') return 'again';
    throw error;
  } finally {
    if (!published) closeSync(fd);
  }
}

function notAHeap(path: string, what: string): CorruptSegmentError {
  return new CorruptSegmentError(`The file '${path}' is ${what}. Remove it if nobody needs it.`);
}
