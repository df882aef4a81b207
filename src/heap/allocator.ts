import { CorruptSegmentError } from '../errors/index.js';
import { step } from './doors.js';
import {
  BITMAP_WORDS,
  DESCRIPTOR_WORDS,
  descriptor,
  EXTENT_ENTRY_WORDS,
  EXTENT_MASK,
  EXTENT_SHIFT,
  EXTENT_TABLE,
  type ExtentKind,
  extentEntry,
  extentKind,
  header,
  MAX_EXTENT_PAGES,
  PAGE_SHIFT,
  PAGE_WORDS,
  pageKind,
} from './layout.js';
import { NeedsRoom } from './needs-room.js';
import { CLASS_CAPACITY, CLASS_WORDS, classOf, MAX_SMALL_WORDS } from './size-classes.js';
import type { Transaction } from './transaction.js';

// Blocks of memory within a heap. All state lies outside the blocks, in page descriptors, and every change of it is logged;
// a block's own words are never read or written here. Everything is guarded by the allocator's lock.
//
// An extent is a row of runs of pages, each described by the descriptor of its first page:
//
//   free    nobody's; two free runs are never neighbours
//   small   one page of blocks of one size class, a bit for each block in use
//   large   one block
//   roots   one page of roots (roots.ts)
//   table   descriptors, in the extent's first pages
//
// A page reference is `extent << 10 | page`, plus 1 where 0 must mean none.

const REFERENCE_SHIFT = EXTENT_SHIFT - PAGE_SHIFT;
const PAGE_MASK = MAX_EXTENT_PAGES - 1;
const MAX_RUNS = MAX_EXTENT_PAGES;

/** Pages that so many words take. */
export function pagesFor(words: number): number {
  return Math.ceil(words / PAGE_WORDS);
}

/** The most words that one block can have; larger memory gets a file of its own. */
export const MAX_BLOCK_WORDS = (MAX_EXTENT_PAGES - 16) * PAGE_WORDS;

/**
 * Takes a block of `words` words. Logs at most 12 words.
 *
 * @param kind raw memory, which users write through views, lies in extents of its own.
 * @returns its address. Its content is arbitrary.
 */
export function allocate(tx: Transaction, words: number, kind: ExtentKind = extentKind.structure): number {
  tx.lockAllocator();
  if (words > MAX_SMALL_WORDS) {
    if (words > MAX_BLOCK_WORDS) throw new RangeError(`A block has at most ${MAX_BLOCK_WORDS} words; ${words} wanted.`);
    const page = takeRun(tx, pagesFor(words), kind);
    tx.write(describe(tx, page) + descriptor.kind, pageKind.large);
    return addressOf(page);
  }
  const sizeClass = classOf(words);
  const listAt = listOf(kind) + sizeClass;
  const head = tx.read(listAt);
  const page = head === 0 ? newSmallPage(tx, sizeClass, kind, listAt) : head - 1;
  const at = describe(tx, page);
  if (tx.read(at + descriptor.kind) !== (pageKind.small | (sizeClass << 8))) throw corrupt('a list of pages');
  const index = takeBit(tx, at, CLASS_CAPACITY[sizeClass]!);
  const used = tx.read(at + descriptor.used) + 1;
  tx.write(at + descriptor.used, used);
  if (used >= CLASS_CAPACITY[sizeClass]!) unlist(tx, listAt, page, at);
  return addressOf(page) + index * CLASS_WORDS[sizeClass]!;
}

/**
 * Gives a block back. Logs at most 10 words.
 *
 * @throws CorruptSegmentError when there is no such block in use.
 */
export function free(tx: Transaction, address: number): void {
  tx.lockAllocator();
  const page = address >>> PAGE_SHIFT;
  const kind = kindOfExtent(tx, page >>> REFERENCE_SHIFT);
  const at = describe(tx, page);
  const what = tx.read(at + descriptor.kind);
  if (what === pageKind.large && address === addressOf(page)) return giveRun(tx, page);
  const sizeClass = what >> 8;
  const size = CLASS_WORDS[sizeClass];
  if ((what & 0xff) !== pageKind.small || size === undefined) throw corrupt('an address to free');
  const offset = address - addressOf(page);
  const index = offset / size;
  const wordAt = at + descriptor.bitmap + (index >> 5);
  const bit = 1 << (index & 31);
  if (offset % size !== 0 || index >= CLASS_CAPACITY[sizeClass]! || !(tx.read(wordAt) & bit)) {
    throw corrupt('an address to free');
  }
  tx.write(wordAt, tx.read(wordAt) & ~bit);
  const used = tx.read(at + descriptor.used) - 1;
  tx.write(at + descriptor.used, used);
  hint(tx, at, index >> 5);
  const listAt = listOf(kind) + sizeClass;
  if (used === CLASS_CAPACITY[sizeClass]! - 1) enlist(tx, listAt, page, at);
  // The last page with room of its class stays, or a single block taken and given back would cost a page each time.
  if (used === 0 && !(tx.read(listAt) === page + 1 && tx.read(at + descriptor.next) === 0)) {
    unlist(tx, listAt, page, at);
    giveRun(tx, page);
  }
}

/** The words of the block at `address`, as allocated. @throws CorruptSegmentError when there is none in use. */
export function blockWords(tx: Transaction, address: number): number {
  const page = address >>> PAGE_SHIFT;
  const at = describe(tx, page);
  const what = tx.read(at + descriptor.kind);
  if (what === pageKind.large && address === addressOf(page)) return tx.read(at + descriptor.run) * PAGE_WORDS;
  const size = CLASS_WORDS[what >> 8];
  const index = size === undefined ? -1 : (address - addressOf(page)) / size;
  if ((what & 0xff) !== pageKind.small || !Number.isInteger(index) || index >= CLASS_CAPACITY[what >> 8]!) {
    throw corrupt('the address of a block');
  }
  return size!;
}

/** Takes a page for roots, for good. */
export function allocateRootsPage(tx: Transaction): number {
  tx.lockAllocator();
  const page = takeRun(tx, 1, extentKind.structure);
  tx.write(describe(tx, page) + descriptor.kind, pageKind.roots);
  return addressOf(page);
}

/** Whether the page of that address is one of roots. */
export function isRootsPage(tx: Transaction, address: number): boolean {
  return tx.read(describe(tx, address >>> PAGE_SHIFT) + descriptor.kind) === pageKind.roots;
}

/** Address of a page's descriptor. @throws CorruptSegmentError when there is no such page. */
export function describe(tx: Transaction, page: number): number {
  const extent = page >>> REFERENCE_SHIFT;
  const entry = EXTENT_TABLE + extent * EXTENT_ENTRY_WORDS;
  const number = page & PAGE_MASK;
  if (extent < 1 || extent >= tx.memory.extentCount || number >= tx.read(entry + extentEntry.pages)) {
    throw corrupt('a page');
  }
  return tx.read(entry + extentEntry.table) + number * DESCRIPTOR_WORDS;
}

export function addressOf(page: number): number {
  return page << PAGE_SHIFT;
}

function kindOfExtent(tx: Transaction, extent: number): ExtentKind {
  return tx.read(EXTENT_TABLE + extent * EXTENT_ENTRY_WORDS + extentEntry.kind) as ExtentKind;
}

function listOf(kind: ExtentKind): number {
  return kind === extentKind.raw ? header.rawPartial : header.partial;
}

function newSmallPage(tx: Transaction, sizeClass: number, kind: ExtentKind, listAt: number): number {
  const page = takeRun(tx, 1, kind);
  const at = describe(tx, page);
  // The bitmap is all zeros: so it began, and each block's bit was cleared when it was freed.
  tx.write(at + descriptor.kind, pageKind.small | (sizeClass << 8));
  tx.write(at + descriptor.used, 0);
  enlist(tx, listAt, page, at);
  return page;
}

function enlist(tx: Transaction, listAt: number, page: number, at: number): void {
  const head = tx.read(listAt);
  tx.write(at + descriptor.next, head);
  tx.write(at + descriptor.previous, 0);
  if (head !== 0) tx.write(describe(tx, head - 1) + descriptor.previous, page + 1);
  tx.write(listAt, page + 1);
}

function unlist(tx: Transaction, listAt: number, page: number, at: number): void {
  const next = tx.read(at + descriptor.next);
  const previous = tx.read(at + descriptor.previous);
  if (previous === 0) {
    if (tx.read(listAt) !== page + 1) throw corrupt('a list of pages');
    tx.write(listAt, next);
  } else {
    tx.write(describe(tx, previous - 1) + descriptor.next, next);
  }
  if (next !== 0) tx.write(describe(tx, next - 1) + descriptor.previous, previous);
}

function takeBit(tx: Transaction, at: number, capacity: number): number {
  const bitmapWords = (capacity + 31) >> 5;
  const first = tx.read(at + descriptor.hint) & (BITMAP_WORDS - 1);
  for (let i = 0; i < bitmapWords; i++) {
    const word = (first + i) % bitmapWords;
    const bits = tx.read(at + descriptor.bitmap + word);
    if (bits === -1) continue;
    const bit = 31 - Math.clz32(~bits & (bits + 1)); // the lowest that is clear
    if (word * 32 + bit >= capacity) continue;
    tx.write(at + descriptor.bitmap + word, bits | (1 << bit));
    hint(tx, at, word);
    return word * 32 + bit;
  }
  throw corrupt('a page with room');
}

/** Only says where to begin looking, so it need not be undone. */
function hint(tx: Transaction, at: number, word: number): void {
  const address = at + descriptor.hint;
  if (tx.read(address) === word) return;
  step();
  tx.memory.at(address)[address & EXTENT_MASK] = word;
}

/** First run of at least so many pages, cut to size. */
function takeRun(tx: Transaction, pages: number, kind: ExtentKind): number {
  const count = tx.memory.extentCount;
  for (let extent = 1; extent < count; extent++) {
    const entry = EXTENT_TABLE + extent * EXTENT_ENTRY_WORDS;
    if (tx.read(entry + extentEntry.kind) !== kind || tx.read(entry + extentEntry.freePages) < pages) continue;
    for (const { page, at, run, isFree } of runs(tx, extent)) {
      if (!isFree || run < pages) continue;
      if (run > pages) {
        const rest = describe(tx, page + pages);
        tx.write(rest + descriptor.kind, pageKind.free);
        tx.write(rest + descriptor.run, run - pages);
        tx.write(at + descriptor.run, pages);
      }
      tx.write(entry + extentEntry.freePages, tx.read(entry + extentEntry.freePages) - pages);
      return page;
    }
  }
  if (tx.maySpendReserve && kind === extentKind.structure && spendReserve(tx)) return takeRun(tx, pages, kind);
  throw new NeedsRoom(kind, pages);
}

/** Pages that are kept back, so that what makes room, and takes a little to do so, succeeds when there is none. */
export const RESERVE_PAGES = 4;

/** Keeps pages back if there are free ones. Logs at most 14 words. */
export function fillReserve(tx: Transaction): void {
  tx.lockAllocator();
  if (tx.read(header.reserve) !== 0) return;
  try {
    tx.write(header.reserve, allocate(tx, RESERVE_PAGES * PAGE_WORDS));
  } catch (error) {
    if (!(error instanceof NeedsRoom)) throw error;
  }
}

/** Nobody else takes those pages: the allocator's lock is kept until the commit. Logs at most 6 words. */
function spendReserve(tx: Transaction): boolean {
  const block = tx.read(header.reserve);
  if (block === 0) return false;
  const page = block >>> PAGE_SHIFT;
  if (tx.read(describe(tx, page) + descriptor.kind) !== pageKind.large) throw corrupt('a reserve');
  tx.write(header.reserve, 0);
  giveRun(tx, page);
  return true;
}

function giveRun(tx: Transaction, page: number): void {
  const extent = page >>> REFERENCE_SHIFT;
  const entry = EXTENT_TABLE + extent * EXTENT_ENTRY_WORDS;
  let before: { page: number; at: number; run: number; isFree: boolean } | undefined;
  for (const current of runs(tx, extent)) {
    if (current.page !== page) {
      before = current;
      continue;
    }
    const pages = current.run;
    let first = page;
    let run = pages;
    const after = page + pages;
    if ((after & PAGE_MASK) < tx.read(entry + extentEntry.pages) && (after & PAGE_MASK) !== 0) {
      const at = describe(tx, after);
      if (tx.read(at + descriptor.kind) === pageKind.free) run += tx.read(at + descriptor.run);
    }
    if (before?.isFree) {
      first = before.page;
      run += before.run;
    }
    const at = describe(tx, first);
    if (first === page) tx.write(at + descriptor.kind, pageKind.free);
    tx.write(at + descriptor.run, run);
    tx.write(entry + extentEntry.freePages, tx.read(entry + extentEntry.freePages) + pages);
    return;
  }
  throw corrupt('a run of pages');
}

/** The runs of an extent, in order. */
export function* runs(
  tx: Transaction,
  extent: number,
): Generator<{ page: number; at: number; run: number; isFree: boolean }> {
  const pages = tx.read(EXTENT_TABLE + extent * EXTENT_ENTRY_WORDS + extentEntry.pages);
  let number = 0;
  for (let i = 0; number < pages && i < MAX_RUNS; i++) {
    const page = (extent << REFERENCE_SHIFT) | number;
    const at = describe(tx, page);
    const run = tx.read(at + descriptor.run);
    if (run < 1 || number + run > pages) throw corrupt('the length of a run');
    yield { page, at, run, isFree: tx.read(at + descriptor.kind) === pageKind.free };
    number += run;
  }
}

function corrupt(what: string): CorruptSegmentError {
  return new CorruptSegmentError(`The allocator of a heap found ${what} that cannot be.`);
}
