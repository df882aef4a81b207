import { CorruptSegmentError } from '../errors/index.js';
import { errno, type SystemError, systemError } from '../os/index.js';
import {
  EXTENT_ENTRY_WORDS,
  EXTENT_TABLE,
  extentEntry,
  header,
  MAX_EXTENT_PAGES,
  PAGE_WORDS,
  root,
  SEGMENT_WORDS,
  WORD_BYTES,
} from './layout.js';
import type { HeapMemory } from './memory.js';
import { NeedsRoom } from './needs-room.js';
import type { Transaction } from './transaction.js';

// How much of /dev/shm a heap may take: its segment, its extents, and the files of large objects, in pages. The limit is in
// the header, so that everybody obeys it.
//
// A file is counted in the transaction that enters its object, before there is a file, and no more when its object is freed,
// after the file has gone. Extents count from when they are published; that is done under the roots lock, which those who
// count a file have as well: so no two of them take the same room.

const PAGE_BYTES = PAGE_WORDS * WORD_BYTES;
const SEGMENT_PAGES = Math.ceil(SEGMENT_WORDS / PAGE_WORDS);
const MOST_PAGES = 0x7fff_ffff;

/** The least that a heap can be limited to: enough for an extent of each kind. */
export const LEAST_HEAP_BYTES = 4 * 2 ** 20;

/** The word of the header that says `maxBytes`. */
export function limitWord(maxBytes: number | undefined): number {
  return maxBytes === undefined ? 0 : Math.min(MOST_PAGES, Math.floor(maxBytes / PAGE_BYTES));
}

/** Pages of the segment, the extents and the files. */
export function pagesTaken(memory: HeapMemory): number {
  const { segment } = memory;
  const files = segment[header.filePages]!;
  if (files < 0) throw new CorruptSegmentError(`A heap has no ${files} pages in files.`);
  let pages = SEGMENT_PAGES + files;
  for (let i = 1; i < memory.extentCount; i++) {
    const extent = segment[EXTENT_TABLE + i * EXTENT_ENTRY_WORDS + extentEntry.pages]!;
    if (extent < 1 || extent > MAX_EXTENT_PAGES) throw new CorruptSegmentError(`An extent has no ${extent} pages.`);
    pages += extent;
  }
  return pages;
}

/** How many pages the heap may still take. Exact under the roots lock. */
export function pagesLeft(memory: HeapMemory): number {
  const most = memory.segment[header.maxPages]!;
  if (most === 0) return Number.POSITIVE_INFINITY;
  if (most < SEGMENT_PAGES) throw new CorruptSegmentError(`A heap has no limit of ${most} pages.`);
  return Math.max(0, most - pagesTaken(memory));
}

/** The pages that the file of an object takes; 0 for one without. */
export function filePages(tx: Transaction, address: number): number {
  const gibibytes = tx.read(address + root.c) - 1;
  return gibibytes < 0 ? 0 : pagesOf(tx.read(address + root.b) + 0x4000_0000 * gibibytes);
}

/** Counts a file of so many bytes that is about to be made. Logs 1 word. @throws NeedsRoom */
export function countFile(tx: Transaction, bytes: number): void {
  tx.lockRoots();
  const pages = pagesOf(bytes);
  const before = tx.read(header.filePages);
  if (pages > pagesLeft(tx.memory) || before + pages > MOST_PAGES) throw new NeedsRoom(undefined, pages);
  tx.write(header.filePages, before + pages);
}

/** The file of the object has gone, if it had one. Logs at most 1 word. */
export function discountFile(tx: Transaction, address: number): void {
  const pages = filePages(tx, address);
  if (pages === 0) return;
  const before = tx.read(header.filePages);
  if (before < pages) throw new CorruptSegmentError('A heap has fewer pages in files than its objects have.');
  tx.write(header.filePages, before - pages);
}

export function beyondLimit(memory: HeapMemory, path: string): SystemError {
  const most = memory.segment[header.maxPages]! * PAGE_BYTES;
  const hint =
    `The memory of this manager is limited to ${most} bytes (maxBytes): delete, take or dispose of something, ` +
    'or start the manager with a higher limit.';
  return systemError(errno.ENOSPC, 'posix_fallocate', path, most === 0 ? undefined : hint);
}

function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES);
}
