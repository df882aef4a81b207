import { closeSync, constants, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { fileFacts, isLockedByOther, openFileFacts, removeFile, sameFile, tryLockFile } from '../os/index.js';
import { SHM_DIRECTORY } from '../shared-memory/internal.js';
import { step } from './doors.js';
import { header, heapState, MAX_SLOTS, SEGMENT_MAGIC, WORD_BYTES } from './layout.js';
import { GATE_BYTE, heapOfFile, SLOT_BYTES, segmentPath } from './segment.js';

/**
 * Removes heaps in which nobody takes part any more, and extents whose segment is gone. Killed anywhere, it leaves work for
 * the next one. Never throws: what cannot be done now is left to the next.
 *
 * @returns the names of the heaps that are gone.
 */
export function sweepHeaps(): string[] {
  const gone: string[] = [];
  const files = readdirSync(SHM_DIRECTORY).filter((file) => file.startsWith('mp-heap-'));
  const ids = new Set(files.flatMap((file) => heapOfFile(file)?.id ?? []));
  for (const id of ids) {
    try {
      if (sweepHeap(id)) gone.push(id);
    } catch {}
  }
  return gone;
}

/** @returns whether the heap is gone now. */
export function sweepHeap(id: string): boolean {
  const path = segmentPath(id);
  const fd = openQuietly(path);
  if (fd === undefined) {
    // Extents without a segment. Those listed here are of the past, even if a new heap of this name appears now.
    const orphans = filesOf(id);
    if (fileFacts(path) === undefined) for (const file of orphans) removeFile(file);
    return false;
  }
  try {
    const facts = openFileFacts(fd);
    if (!facts.regular || facts.uid !== process.geteuid?.() || !tryLockFile(fd, 'exclusive', GATE_BYTE)) return false;
    step();
    // Nobody can join now. Is anybody there, and is this still the file of that name?
    if (isLockedByOther(fd, SLOT_BYTES, BigInt(MAX_SLOTS)) || !sameFile(facts, fileFacts(path))) return false;
    // What is not a heap of this version is somebody else's, whatever its name.
    const magic = new Int32Array(1);
    if (readSync(fd, magic, 0, magic.byteLength, header.magic * WORD_BYTES) < magic.byteLength) return false;
    if (magic[0] !== SEGMENT_MAGIC) return false;
    step();
    writeSync(fd, new Int32Array([heapState.ending]), 0, 4, header.state * WORD_BYTES);
    // The segment last: as long as it is there, the next sweeper knows what to do.
    for (const file of filesOf(id)) {
      step();
      removeFile(file);
    }
    step();
    removeFile(path);
    step();
    return true;
  } finally {
    closeSync(fd);
  }
}

/** Paths of the extents of a heap. */
function filesOf(id: string): string[] {
  return readdirSync(SHM_DIRECTORY).flatMap((file) => {
    const heap = heapOfFile(file);
    return heap !== undefined && heap.id === id && !heap.segment ? [`${SHM_DIRECTORY}/${file}`] : [];
  });
}

function openQuietly(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined; // gone, another user's, or not a file
  }
}
