import { closeSync, constants, openSync } from 'node:fs';
import { CorruptSegmentError } from '../errors/index.js';
import { errno, mapShared, removeFile, reserve, systemError } from '../os/index.js';
import { pagesFor } from './allocator.js';
import { atomicStore, step } from './doors.js';
import {
  DESCRIPTOR_WORDS,
  descriptor,
  EXTENT_ENTRY_WORDS,
  EXTENT_SHIFT,
  EXTENT_TABLE,
  type ExtentKind,
  extentEntry,
  header,
  MAX_EXTENT_PAGES,
  MAX_EXTENTS,
  PAGE_WORDS,
  pageKind,
  WORD_BYTES,
} from './layout.js';
import { beyondLimit, pagesLeft } from './limit.js';
import type { Transaction } from './transaction.js';

const FIRST_PAGES = 64; // 1 MiB

/**
 * Makes a heap larger by an extent: outside of transactions, under the growth lock.
 *
 * Everything of the new extent is in place before one store of the count publishes it; peers map only what lies below the
 * count, and an extent below it is never made anew, moved or shortened. Killed before that store, the next who grows the
 * heap removes the file and makes another.
 *
 * @param pages free pages that it is to have at least.
 * @throws a system error `ENOSPC` when there is no room, or the heap would take more than it may, with nothing changed.
 */
export function growHeap(tx: Transaction, kind: ExtentKind, pages: number, pathOf: (index: number) => string): void {
  const seen = tx.memory.extentCount;
  tx.locks.acquire(header.growthLock);
  try {
    // Somebody else may have made it larger while this one waited.
    while (tx.memory.extentCount === seen) addExtent(tx, kind, pages, pathOf);
  } finally {
    tx.locks.releaseAll();
  }
  if (tx.memory.extentCount <= seen) throw new CorruptSegmentError('A heap has lost extents.');
}

/** Does nothing when a large object has meanwhile taken the room that the heap's limit left. */
function addExtent(tx: Transaction, kind: ExtentKind, needed: number, pathOf: (index: number) => string): void {
  const { memory } = tx;
  const index = memory.extentCount;
  if (index >= MAX_EXTENTS)
    throw systemError(errno.ENOSPC, 'mmap', pathOf(index), `A heap has ${MAX_EXTENTS} extents.`);
  const pages = pagesOf(tx, kind, needed, index, pathOf);
  const entry = EXTENT_TABLE + index * EXTENT_ENTRY_WORDS;
  const path = pathOf(index);
  // Left by somebody killed before the count.
  removeFile(path);
  step();
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    step();
    reserve(fd, pages * PAGE_WORDS * WORD_BYTES, path);
    step();
    const map = mapShared(fd, pages * PAGE_WORDS * WORD_BYTES, { lockless: true });
    const table = index << EXTENT_SHIFT;
    const tablePages = pagesFor(pages * DESCRIPTOR_WORDS);
    const words = new Int32Array(map.buffer);
    words[descriptor.kind] = pageKind.table;
    words[descriptor.run] = tablePages;
    const free = tablePages * DESCRIPTOR_WORDS;
    words[free + descriptor.kind] = pageKind.free;
    words[free + descriptor.run] = pages - tablePages;
    // Beyond the count nobody reads the entry.
    const { segment } = memory;
    for (const [word, value] of [
      [extentEntry.kind, kind],
      [extentEntry.pages, pages],
      [extentEntry.table, table],
      [extentEntry.freePages, pages - tablePages],
    ] as const) {
      step();
      segment[entry + word] = value;
    }
    // Who counts a large object has it, too.
    tx.locks.acquire(header.rootsLock);
    tx.participant.check();
    if (pages > pagesLeft(memory)) {
      removeFile(path);
      return;
    }
    memory.adopt(index, map);
    atomicStore(segment, header.extentCount, index + 1);
  } catch (error) {
    removeFile(path);
    throw error;
  } finally {
    if (tx.locks.isHeld(header.rootsLock)) tx.locks.release();
    closeSync(fd);
  }
}

/** Extents double, two of each size, up to 16 MiB, and to what the heap's limit leaves. */
function pagesOf(
  tx: Transaction,
  kind: ExtentKind,
  needed: number,
  count: number,
  pathOf: (index: number) => string,
): number {
  let alike = 0;
  for (let i = 1; i < count; i++) {
    if (tx.read(EXTENT_TABLE + i * EXTENT_ENTRY_WORDS + extentEntry.kind) === kind) alike += 1;
  }
  const usual = FIRST_PAGES * 2 ** Math.floor(alike / 2);
  const withTable = Math.min(MAX_EXTENT_PAGES, needed + pagesFor((needed + 16) * DESCRIPTOR_WORDS) + 1);
  const left = pagesLeft(tx.memory);
  if (left < withTable) throw beyondLimit(tx.memory, pathOf(count));
  return Math.min(MAX_EXTENT_PAGES, left, Math.max(usual, withTable));
}
