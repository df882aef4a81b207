import { CorruptSegmentError } from '../errors/index.js';
import { allocate } from './allocator.js';
import { contentsOf } from './contents.js';
import {
  belonging,
  belongingKind,
  DISPOSED,
  DYING,
  header,
  isContainerKind,
  isRawKind,
  KIND_MASK,
  root,
  rootKind,
  slot,
  slotBase,
} from './layout.js';
import { discountFile } from './limit.js';
import { createRoot, freeRoot, isRoot, nextSerial } from './roots.js';
import type { Transaction } from './transaction.js';

// How long a shared object lives: as long as a participant holds it or a container refers to it. Both are counted exactly,
// in the transactions that bring them about, under the roots lock; when both counts are zero the object ends in that very
// transaction, or, if letting go of its contents takes more than a few words, goes to the list of the dying.
//
// Each hold is also a node in a list of its participant's slot: what a participant has is the estate which a reaper settles.
// An arrival is a hold that somebody else has taken for the participant, on an object which is on its way to it.

export function belongingsOf(slotIndex: number): number {
  return slotBase(slotIndex) + slot.belongings;
}

export function arrivalsOf(slotIndex: number): number {
  return slotBase(slotIndex) + slot.arrivals;
}

/** Puts a node, whose other words are filled already, at the head of a slot's list. Logs at most 2 words. */
export function enlist(tx: Transaction, node: number, headAt: number): void {
  tx.lockRoots();
  const head = tx.read(headAt);
  tx.fill(node + belonging.next, head, 0);
  if (head !== 0) tx.write(head + belonging.previous, node);
  tx.write(headAt, node);
}

/** Takes a node out of the list at `headAt`, and frees it. Logs at most 12 words. */
export function unlist(tx: Transaction, node: number, headAt: number): void {
  tx.lockRoots();
  const next = tx.read(node + belonging.next);
  const previous = tx.read(node + belonging.previous);
  if (previous === 0) {
    if (tx.read(headAt) !== node) throw new CorruptSegmentError('A list of belongings is broken.');
    tx.write(headAt, next);
  } else {
    tx.write(previous + belonging.next, next);
  }
  if (next !== 0) tx.write(next + belonging.previous, previous);
  tx.free(node);
}

/** The nodes of a slot's list. @throws CorruptSegmentError for one that is broken, or leads into itself. */
export function* enlisted(tx: Transaction, headAt: number): Generator<number> {
  tx.lockRoots();
  let previous = 0;
  for (let node = tx.read(headAt); node !== 0; node = tx.read(node + belonging.next)) {
    if (tx.read(node + belonging.previous) !== previous) {
      throw new CorruptSegmentError('A list of belongings is broken.');
    }
    yield node;
    previous = node;
  }
}

/**
 * Enters that a participant holds the object. Logs at most 17 words.
 *
 * @param headAt the list: that of the participant's belongings, or of its arrivals.
 * @param label the kind of belonging; for an arrival, what it is found by.
 * @param words how many the node has; those beyond the common ones are the caller's to fill.
 * @returns the node.
 */
export function addHold(
  tx: Transaction,
  address: number,
  headAt: number,
  label: number = belongingKind.hold,
  words: number = belonging.words,
): number {
  tx.lockRoots();
  const node = allocate(tx, words);
  tx.fill(node + belonging.root, address);
  tx.fill(node + belonging.kind, label);
  enlist(tx, node, headAt);
  tx.write(address + root.holds, tx.read(address + root.holds) + 1);
  return node;
}

/** Takes a hold back, and ends the object if that was the last. Logs at most 40 words. */
export function removeHold(tx: Transaction, node: number, headAt: number): void {
  tx.lockRoots();
  const address = tx.read(node + belonging.root);
  unlist(tx, node, headAt);
  const holds = tx.read(address + root.holds);
  if (holds < 1) throw new CorruptSegmentError('An object is held by fewer than its holders.');
  tx.write(address + root.holds, holds - 1);
  endIfUnused(tx, address);
}

/** A container has come to refer to the object. Logs 1 word. */
export function addReference(tx: Transaction, address: number): void {
  tx.lockRoots();
  tx.write(address + root.references, tx.read(address + root.references) + 1);
}

/** A container refers to it no more. Logs at most 20 words. */
export function dropReference(tx: Transaction, address: number): void {
  tx.lockRoots();
  const references = tx.read(address + root.references);
  if (references < 1) throw new CorruptSegmentError('An object is referred to by fewer than its containers.');
  tx.write(address + root.references, references - 1);
  endIfUnused(tx, address);
}

/**
 * Ends an object for all: no handle opens it any more, and whoever still holds it finds another serial. Its root is used
 * again only when nobody holds or refers to it. Logs at most 3 words.
 */
export function disposeRoot(tx: Transaction, address: number): void {
  tx.lockRoots();
  nextSerial(tx, address);
  tx.write(address + root.kind, tx.read(address + root.kind) | DISPOSED);
}

function endIfUnused(tx: Transaction, address: number): void {
  if (tx.read(address + root.holds) !== 0 || tx.read(address + root.references) !== 0) return;
  const kind = tx.read(address + root.kind);
  const contents = tx.read(address + root.a);
  const ended = kind & KIND_MASK;
  // A file cannot be removed within a transaction, and of a container there may be much.
  if (isContainerKind(kind) || (isRawKind(kind) && tx.read(address + root.c) !== 0)) {
    tx.write(address + root.kind, kind | DYING);
    pushDying(tx, address);
    return;
  }
  if (contents !== 0 && OWNS_A.has(ended)) tx.free(contents);
  const text = ended === rootKind.barrier ? tx.read(address + root.d) : 0;
  if (text !== 0) tx.free(text);
  // A condition refers to its lock.
  const other = ended === rootKind.condition ? tx.read(address + root.c) : 0;
  freeRoot(tx, address);
  if (other === 0) return;
  if (!isRoot(tx, other)) throw new CorruptSegmentError('A condition has no such lock.');
  dropReference(tx, other);
}

/** The kinds whose root has the address of a block in its first word. */
export const OWNS_A = new Set<number>([rootKind.raw, rootKind.lockedRaw, rootKind.cell, rootKind.boundedSemaphore]);

function pushDying(tx: Transaction, address: number): void {
  tx.write(address + root.next, tx.read(header.dying));
  tx.write(header.dying, address);
}

/**
 * Takes away what a container consists of, to be let go of later: the container is empty then, without a body. Its contents
 * get a root of their own, on the list of the dying. The caller has the container's lock. Logs at most 28 words.
 */
export function discardBody(tx: Transaction, address: number): void {
  const body = tx.read(address + root.a);
  if (body === 0) return;
  const carcass = createRoot(tx, (tx.read(address + root.kind) & KIND_MASK) | DYING, [body]);
  tx.write(address + root.a, 0);
  pushDying(tx, carcass.address);
}

/** A dying object: its contents are gone, and its file, if it has one, is to be removed before its root is freed. */
export interface Dying {
  readonly address: number;
  readonly file: number;
}

/** Lets go of part of what is dying. @returns an object of which only a file may be left; `more`, or `nothing` to do. */
export function buryPart(tx: Transaction): Dying | 'more' | 'nothing' {
  tx.lockRoots();
  let linkAt: number = header.dying;
  for (let i = 0; i < MOST_UNKNOWN; i++) {
    const address = tx.read(linkAt);
    if (address === 0) return 'nothing';
    const kind = tx.read(address + root.kind);
    if ((kind & DYING) === 0) throw new CorruptSegmentError('A list of the dying names the living.');
    if (isRawKind(kind)) return { address, file: tx.read(address + root.d) };
    const contents = contentsOf(kind & KIND_MASK);
    if (contents !== undefined) {
      // What is let go of may be the last of other containers, which come to the head of the list.
      tx.write(linkAt, tx.read(address + root.next));
      const whole = contents.bury(tx, address);
      const hasFile = (kind & KIND_MASK) === rootKind.parcel && tx.read(address + root.c) !== 0;
      if (whole && !hasFile) freeRoot(tx, address);
      else pushDying(tx, address);
      return whole && hasFile ? { address, file: tx.read(address + root.d) } : 'more';
    }
    linkAt = address + root.next;
  }
  return 'nothing';
}

/** How many dying objects of kinds that this program does not know are passed over. */
const MOST_UNKNOWN = 64;

/** Buries an object whose file has been removed, unless somebody else has. Logs at most 14 words. */
export function buryFile(tx: Transaction, { address, file }: Dying): void {
  tx.lockRoots();
  let linkAt: number = header.dying;
  for (let i = 0; i < MOST_UNKNOWN && tx.read(linkAt) !== 0; i++) {
    if (tx.read(linkAt) !== address) {
      linkAt = tx.read(linkAt) + root.next;
      continue;
    }
    if (tx.read(address + root.d) !== file) return;
    tx.write(linkAt, tx.read(address + root.next));
    discountFile(tx, address);
    freeRoot(tx, address);
    return;
  }
}
