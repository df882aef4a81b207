import { closeSync, openSync, readFileSync } from 'node:fs';
import { MAX_SLOTS } from '../../src/heap/layout.js';
import { GATE_BYTE, heapOfFile, segmentPath } from '../../src/heap/segment.js';
import { isLockedByOther } from '../../src/os/index.js';
import { readLedger } from '../../src/shared-memory/ledger.js';
import { listTrees, treePath } from '../../src/shared-memory/process-tree.js';
import { shmEntries } from './shm.js';

/**
 * Files of this library in /dev/shm that belong to no living process tree, of whatever program: other programs that use
 * the library beside a test do not disturb it.
 */
export function orphans(): string[] {
  const owned = new Set<string>();
  for (const id of listTrees()) {
    let fd: number;
    try {
      fd = openSync(treePath(id), 'r+');
    } catch {
      continue;
    }
    try {
      if (!isLockedByOther(fd, 1n << 62n, 2n)) continue;
      owned.add(`mp-tree-${id}`);
      for (const { temporary, name } of readLedger(readFileSync(fd))) {
        owned.add(temporary);
        owned.add(name);
      }
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_MULTIPROCESS_CORRUPT_SEGMENT') throw error; // some test's own doing
    } finally {
      closeSync(fd);
    }
  }
  for (const file of shmEntries()) {
    const heap = heapOfFile(file);
    if (heap !== undefined && heapIsUsed(heap.id)) owned.add(file);
  }
  // Looked at afterwards: what has been made meanwhile may not be owned yet, so callers await an empty answer.
  return [...shmEntries()].filter((entry) => /^mp[_-]/.test(entry) && !owned.has(entry));
}

/** Whether anybody takes part in the heap, or is at its gate. */
function heapIsUsed(id: string): boolean {
  let fd: number;
  try {
    fd = openSync(segmentPath(id), 'r+');
  } catch {
    return false;
  }
  try {
    return isLockedByOther(fd, GATE_BYTE, BigInt(MAX_SLOTS) + 1n);
  } finally {
    closeSync(fd);
  }
}
