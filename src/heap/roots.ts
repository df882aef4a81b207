import { CorruptSegmentError, StaleHandleError } from '../errors/index.js';
import { allocateRootsPage, isRootsPage } from './allocator.js';
import {
  DISPOSED,
  DYING,
  EXTENT_MASK,
  header,
  KIND_MASK,
  MAX_SERIAL,
  PAGE_WORDS,
  ROOT_WORDS,
  root,
  rootKind,
} from './layout.js';
import type { Transaction } from './transaction.js';

// A root is what stays in one place while a shared object lives: its lock, sequence and futex words, and the counts that
// say whether anybody still needs it. Roots are all of one size and only ever used again as roots, so a word that was a
// lock is never anything else, whoever still looks at it. A root's serial changes when its object ends, and is part of
// every handle: an old handle meets another serial, not another object.
//
// Guarded by the roots lock: the serial, the kind, both counts, and the lists of free and dying roots.

/** What a handle says of a root. */
export interface RootAddress {
  readonly address: number;
  readonly serial: number;
}

/** Takes a root for a new object, with no holds and no references yet. Logs at most 24 words. */
export function createRoot(tx: Transaction, kind: number, contents: readonly number[] = []): RootAddress {
  tx.lockRoots();
  const address = takeRoot(tx);
  const serial = tx.read(address + root.serial);
  tx.write(address + root.kind, kind);
  for (const [i, word] of contents.entries()) tx.write(address + root.a + i, word);
  return { address, serial };
}

function takeRoot(tx: Transaction): number {
  const first = tx.read(header.freeRoots);
  if (first !== 0) {
    if (!isRoot(tx, first) || tx.read(first + root.kind) !== rootKind.free) throw corrupt('the list of free roots');
    tx.write(header.freeRoots, tx.read(first + root.next));
    return first;
  }
  let page = tx.read(header.rootsPage);
  let cut = tx.read(header.rootsCut);
  if (page === 0 || cut >= PAGE_WORDS / ROOT_WORDS) {
    page = allocateRootsPage(tx);
    cut = 0;
    tx.write(header.rootsPage, page);
  }
  tx.write(header.rootsCut, cut + 1);
  const address = page + cut * ROOT_WORDS;
  // The page may have been something else before, so all that is not written below begins at zero.
  for (let word = 0; word < ROOT_WORDS; word++) if (tx.read(address + word) !== 0) tx.write(address + word, 0);
  return address;
}

/** What the next object at this root finds to be 0. */
const CLEARED = [
  root.lock,
  root.references,
  root.holds,
  root.foreignNodes,
  root.a,
  root.b,
  root.c,
  root.d,
  root.e,
  root.foreign,
];

/** Gives a root back that nobody holds or refers to, and whose contents are gone. Logs 11 words. */
export function freeRoot(tx: Transaction, address: number): void {
  nextSerial(tx, address);
  tx.write(address + root.kind, rootKind.free);
  // Nobody can be at these words: all who hold or refer to the object have let go of it under the roots lock.
  for (const word of CLEARED) {
    if (tx.read(address + word) !== 0) tx.write(address + word, 0);
  }
  tx.write(address + root.next, tx.read(header.freeRoots));
  tx.write(header.freeRoots, address);
}

export function nextSerial(tx: Transaction, address: number): void {
  tx.write(address + root.serial, (tx.read(address + root.serial) + 1) & MAX_SERIAL);
}

/** Whether a root lies at that address. Never throws for what comes from a handle. */
export function isRoot(tx: Transaction, address: number): boolean {
  if (!Number.isInteger(address) || address <= EXTENT_MASK || address > 0x7fff_ffff || address % ROOT_WORDS !== 0) {
    return false;
  }
  try {
    return isRootsPage(tx, address);
  } catch (error) {
    if (error instanceof CorruptSegmentError) return false;
    throw error;
  }
}

/**
 * Makes sure, under the roots lock, that the object a handle means still exists.
 *
 * @returns its kind.
 * @throws StaleHandleError when it does not.
 */
export function confirmRoot(tx: Transaction, { address, serial }: RootAddress): number {
  tx.lockRoots();
  if (isRoot(tx, address) && tx.read(address + root.serial) === serial) {
    const kind = tx.read(address + root.kind);
    if ((kind & KIND_MASK) !== rootKind.free && (kind & (DISPOSED | DYING)) === 0) return kind & KIND_MASK;
  }
  throw stale();
}

export function stale(): StaleHandleError {
  return new StaleHandleError(
    'The shared object that was meant here exists no more: it was disposed of, or nobody held it any longer.',
  );
}

function corrupt(what: string): CorruptSegmentError {
  return new CorruptSegmentError(`A heap found ${what} broken.`);
}
