import { CorruptSegmentError } from '../errors/index.js';
import {
  addReference,
  allocate,
  CLASS_WORDS,
  classOf,
  dropReference,
  EXTENT_MASK,
  root,
  type Survey,
  stale,
  step,
  type Transaction,
} from '../heap/internal.js';
import { cell, cellKind, isBlockKind, KIND_BITS, KIND_MASK, MOST_REFERENCES } from './cell-kinds.js';
import type { Prepared } from './prepared.js';

// Cells in shared memory: storing, replacing and dropping values, in transactions of the container that they belong to.
//
// A cell owns its block, and each of the objects that its block names counts it as one reference: what happens to a cell and
// to those happens in one transaction. References are counted under the roots lock, which comes before the allocator's in
// the order of locks: whoever stores or drops what refers takes it first (`lockRootsFor`).

/** Shorter ones are written over in place: that logs less than giving a block back and taking another. */
const MOST_REWRITTEN_WORDS = 12;
/** Up to so many words are copied by a loop faster than by a call. */
const FEW_WORDS = 16;

/** Takes the roots lock if storing the value, or dropping what is in the cell, needs it. Before anything is allocated. */
export function lockRootsFor(tx: Transaction, prepared: Prepared | undefined, at: number): void {
  if (prepared?.refers || (at !== 0 && refers(tx, at))) tx.lockRoots();
}

/** Whether what is in the cell refers to objects. */
export function refers(tx: Transaction, at: number): boolean {
  const kind = tx.read(at + cell.kind) & KIND_MASK;
  return kind === cellKind.referring || kind === cellKind.parcel;
}

/** Whether making a value of what is in the cell takes the codec, which may run code of the user's, or open objects. */
export function isEncoded(tx: Transaction, at: number): boolean {
  return (tx.read(at + cell.kind) & KIND_MASK) >= cellKind.encoded;
}

/** Stores a value in a cell that has none and lies in a block nobody else can reach yet. Logs at most 20 words. */
export function fillCell(tx: Transaction, at: number, prepared: Prepared): void {
  const block = makeContents(tx, prepared);
  tx.fill(at, kindWord(prepared), block === 0 ? prepared.x : block, prepared.y);
}

/** Stores a value in a cell that others can reach, and that has none. Logs at most 24 words. */
export function storeCell(tx: Transaction, at: number, prepared: Prepared): void {
  const block = makeContents(tx, prepared);
  tx.write(at + cell.kind, kindWord(prepared));
  tx.write(at + cell.x, block === 0 ? prepared.x : block);
  tx.write(at + cell.y, prepared.y);
}

/** Stores another value in a cell. Logs at most 120 words; 40 where neither value refers to anything. */
export function replaceCell(tx: Transaction, at: number, prepared: Prepared): void {
  const old = tx.read(at + cell.kind);
  if (old === prepared.kind && old <= cellKind.double) {
    // A number for a number.
    if (prepared.x !== tx.read(at + cell.x)) tx.write(at + cell.x, prepared.x);
    if (prepared.y !== tx.read(at + cell.y)) tx.write(at + cell.y, prepared.y);
    return;
  }
  if (rewrite(tx, at, old, prepared)) return;
  dropCell(tx, at);
  storeCell(tx, at, prepared);
}

/** Writes the words of a block over, if the new value fits and is short. */
function rewrite(tx: Transaction, at: number, old: number, { kind, length, words: source }: Prepared): boolean {
  const oldKind = old & KIND_MASK;
  if (source === undefined || !isPlainBlock(kind) || !isPlainBlock(oldKind)) return false;
  const words = (length + 3) >> 2;
  const known = ((old >>> KIND_BITS) + 3) >> 2;
  // As many as were there at first may be more than is known now; never fewer.
  if (words > MOST_REWRITTEN_WORDS || words > CLASS_WORDS[classOf(known)]!) return false;
  tx.writeAll(tx.read(at + cell.x), source, words);
  const word = (length << KIND_BITS) | kind;
  if (word !== old) tx.write(at + cell.kind, word);
  return true;
}

function isPlainBlock(kind: number): boolean {
  return kind >= cellKind.text && kind <= cellKind.encoded;
}

/**
 * Lets go of what a cell has: its block, and what it refers to. The cell itself is left as it is, for the caller to write
 * over or to free. Logs at most 100 words; what it frees, another 10.
 */
export function dropCell(tx: Transaction, at: number): void {
  const kind = tx.read(at + cell.kind) & KIND_MASK;
  if (kind < cellKind.text) return;
  const x = tx.read(at + cell.x);
  if (kind === cellKind.parcel) return dropReference(tx, x);
  if (kind === cellKind.referring) {
    const count = referenceCount(tx, at);
    for (let i = 0; i < count; i++) dropReference(tx, tx.read(x + i));
  }
  tx.free(x);
}

/** For checkers: what a cell has. */
export function surveyCell(tx: Transaction, at: number, survey: Survey): void {
  const kind = tx.read(at + cell.kind) & KIND_MASK;
  const x = tx.read(at + cell.x);
  if (kind > cellKind.parcel) survey.problem(`a cell of the unknown kind ${kind}`);
  if (kind === cellKind.parcel) survey.refersTo(x);
  if (isBlockKind(kind)) survey.owns(x);
  if (kind === cellKind.referring) {
    for (let i = 0; i < referenceCount(tx, at); i++) survey.refersTo(tx.read(x + i));
  }
}

export function referenceCount(tx: Transaction, at: number): number {
  const count = tx.read(at + cell.y);
  if (count < 1 || count > MOST_REFERENCES) throw new CorruptSegmentError(`A cell refers to ${count} objects.`);
  return count;
}

/** How many words of a cell's block come before the value's bytes. */
export function blockOffset(tx: Transaction, at: number): number {
  return (tx.read(at + cell.kind) & KIND_MASK) === cellKind.referring ? referenceCount(tx, at) : 0;
}

export function kindWord({ kind, length }: Prepared): number {
  return (length << KIND_BITS) | kind;
}

/** Takes a block, fills it, and counts what the value refers to. @returns the block's address, 0 where none is needed. */
function makeContents(tx: Transaction, prepared: Prepared): number {
  const { kind, length, references, x } = prepared;
  if (kind === cellKind.parcel) {
    tx.lockRoots();
    addReference(tx, x);
    return 0;
  }
  if (!isBlockKind(kind)) return 0;
  for (const { at } of references) {
    tx.lockRoots();
    // It is held here, so its root is its own: but somebody may have disposed of it.
    if (tx.read(at.address + root.serial) !== at.serial) throw stale();
    addReference(tx, at.address);
  }
  const block = allocate(tx, Math.max(1, references.length + ((length + 3) >> 2)));
  for (let i = 0; i < references.length; i++) tx.fill(block + i, references[i]!.at.address);
  fillBytes(tx, block + references.length, prepared);
  return block;
}

/** Of a fresh block: needs no log. */
export function fillBytes(tx: Transaction, address: number, prepared: Prepared): void {
  const { words: source } = prepared;
  const words = (prepared.length + 3) >> 2;
  if (source === undefined || words > FEW_WORDS) {
    step();
    tx.memory.bytesAt(address).set(prepared.bytes, (address & EXTENT_MASK) * 4);
    return;
  }
  const extent = tx.memory.at(address);
  const index = address & EXTENT_MASK;
  for (let i = 0; i < words; i++) {
    step();
    extent[index + i] = source[i]!;
  }
}
