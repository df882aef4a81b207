import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { crashPoint, fileFacts, openFileFacts, removeFile, sameFile } from '../os/index.js';
import { isHeld, tryLockForRemoval } from './hold.js';
import { type LedgerRecord, readLedger } from './ledger.js';
import { blockPath } from './names.js';
import { listTrees, treePath, tryLockTree, unlockTree } from './process-tree.js';

/**
 * Removes what process trees left behind that have no member any more: their blocks, except those that somebody still
 * holds, and then the trees' own files. Being killed half-way leaves work for the next one.
 *
 * Only files of this user that the tree's list proves to be its own are touched.
 *
 * @returns the names of the removed blocks, by tree.
 */
export function sweep(): Map<string, string[]> {
  const removed = new Map<string, string[]>();
  for (const id of listTrees()) {
    try {
      removed.set(id, sweepTree(treePath(id)));
    } catch {
      // Best effort: a list with impossible content proves nothing about any block, so none is touched; and for lack of
      // descriptors the next process is asked to do it.
    }
  }
  for (const other of others) other();
  return removed;
}

/** Each but the first because somebody let go of a block meanwhile. */
const MOST_ROUNDS = 100;

const others = new Set<() => void>();

/** For rooms above that leave files of their own: `sweeper` is called whenever there is a sweep. It never throws. */
export function alsoSweep(sweeper: () => void): void {
  others.add(sweeper);
}

function sweepTree(path: string): string[] {
  const removed: string[] = [];
  const fd = openQuietly(path);
  if (fd === undefined) return removed;
  try {
    if (!ownedByUs(openFileFacts(fd))) return removed;
    for (let round = 0; round < MOST_ROUNDS && tryLockTree(fd); round++) {
      crashPoint('sweep:locked');
      const held = removeBlocks(readLedger(readFileSync(`/proc/self/fd/${fd}`)), removed);
      crashPoint('sweep:blocks-done');
      // What somebody of another tree still holds is looked at again when that one leaves.
      if (held.length === 0 && sameFile(openFileFacts(fd), fileFacts(path))) removeFile(path);
      crashPoint('sweep:tree-removed');
      unlockTree(fd);
      // Who let go of one while the tree was locked could not sweep it. From here on, whoever lets go can.
      if (held.every(stillHeld)) break;
    }
    return removed;
  } finally {
    closeSync(fd);
  }
}

// Called with the tree locked exclusively: no member lives, and none can join until the lock has been let go of.
// Answers the names of those that are held.
function removeBlocks(records: readonly LedgerRecord[], removed: string[]): string[] {
  const held: string[] = [];
  for (const record of records) {
    // A record that is not live knows no identity; its temporary name is one that nobody else makes.
    for (const name of record.live ? new Set([record.temporary, record.name]) : [record.temporary]) {
      const outcome = removeUnheld(name, record);
      if (outcome === 'removed') removed.push(name);
      if (outcome === 'held') held.push(name);
      crashPoint('sweep:block-removed');
    }
  }
  return held;
}

function removeUnheld(name: string, record: LedgerRecord): 'removed' | 'held' | 'absent' {
  const path = blockPath(name);
  const fd = openQuietly(path);
  if (fd === undefined) return 'absent';
  try {
    const facts = openFileFacts(fd);
    if (!ownedByUs(facts) || (record.live && !sameFile(facts, record))) return 'absent';
    if (!tryLockForRemoval(fd)) return 'held';
    return sameFile(facts, fileFacts(path)) && removeFile(path) ? 'removed' : 'absent';
  } finally {
    closeSync(fd);
  }
}

/** By whatever file has the name now. */
function stillHeld(name: string): boolean {
  const fd = openQuietly(blockPath(name));
  if (fd === undefined) return false;
  try {
    return isHeld(fd);
  } finally {
    closeSync(fd);
  }
}

function ownedByUs({ uid, regular }: { uid: number; regular: boolean }): boolean {
  return regular && uid === process.geteuid?.();
}

function openQuietly(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined; // gone, another user's, or not a file
  }
}
