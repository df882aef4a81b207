import { CorruptSegmentError } from '../errors/index.js';
import { allocate, EXTENT_MASK, type Transaction } from '../heap/internal.js';
import {
  CELL_WORDS,
  cell,
  copyCell,
  fillCellInPlace,
  inPlaceWords,
  type Prepared,
  wordsBehind,
} from '../values/internal.js';
import { CHUNK_WORDS, channel, chunk, item } from './layout.js';

// The items of a channel, in transactions that have the lock of its root. To put one is to write its record where the tail
// is, which nobody looks at, and then to move the tail; to get one is to copy it out and to move the head. So a chunk's words
// need no log: what lies outside of head and tail means nothing, and undoing moves these back.
//
// Returned items come first. They are in a list of their own, so that giving back takes no memory.

/** Adds a value at the end. The roots lock is taken already if the value refers to anything. Logs at most 40 words. */
export function append(tx: Transaction, base: number, prepared: Prepared): void {
  const behind = inPlaceWords(prepared);
  const at = makeSpace(tx, base, CELL_WORDS + behind);
  fillCellInPlace(tx, at, prepared, behind);
  tx.write(base + channel.tail, at + CELL_WORDS + behind);
  tx.write(base + channel.count, tx.read(base + channel.count) + 1);
}

/** Where a record of so many words can be written, with a word behind it to spare. */
function makeSpace(tx: Transaction, base: number, words: number): number {
  const last = tx.read(base + channel.tailChunk);
  const tail = tx.read(base + channel.tail);
  if (last !== 0) checkPlace(last, tail);
  if (last !== 0 && tail + words < last + CHUNK_WORDS) return tail;
  if (last !== 0 && tx.read(base + channel.head) === tail) {
    // All has been read: begins again.
    tx.write(base + channel.head, last + chunk.records);
    return last + chunk.records;
  }
  const added = allocate(tx, CHUNK_WORDS);
  tx.fill(added + chunk.next, 0);
  if (last === 0) {
    tx.write(base + channel.headChunk, added);
    tx.write(base + channel.head, added + chunk.records);
  } else {
    tx.fill(tail, 0);
    tx.fill(last + chunk.next, added);
  }
  tx.write(base + channel.tailChunk, added);
  return added + chunk.records;
}

/** Nothing is written, nor freed, where no chunk can be. @throws CorruptSegmentError */
function checkPlace(first: number, at: number): void {
  if (first <= EXTENT_MASK || at < first + chunk.records || at >= first + CHUNK_WORDS) {
    throw new CorruptSegmentError('The items of a queue lie outside of it.');
  }
}

/** Where the first record is; there is one. Leaves a chunk that has been read. Logs at most 2 words, and frees a block. */
export function firstRecord(tx: Transaction, base: number): number {
  const at = tx.read(base + channel.head);
  const done = tx.read(base + channel.headChunk);
  checkPlace(done, at);
  if (tx.read(at + cell.kind) !== 0) return at;
  const next = tx.read(done + chunk.next);
  checkPlace(next, next + chunk.records);
  tx.write(base + channel.headChunk, next);
  tx.write(base + channel.head, next + chunk.records);
  tx.free(done);
  return next + chunk.records;
}

/** Leaves a record behind. Logs 1 word. */
export function passRecord(tx: Transaction, base: number, at: number): void {
  tx.write(base + channel.head, at + CELL_WORDS + wordsBehind(tx, at));
}

/**
 * Takes the first of what there is, and makes it an item by itself. The roots lock is taken already. Logs at most 16 words,
 * and frees a block.
 */
export function takeItem(tx: Transaction, base: number): number {
  tx.write(base + channel.count, tx.read(base + channel.count) - 1);
  const returned = tx.read(base + channel.returned);
  if (returned !== 0) {
    tx.write(base + channel.returned, tx.read(returned + item.next));
    return returned;
  }
  const at = firstRecord(tx, base);
  const taken = allocate(tx, item.words + wordsBehind(tx, at));
  tx.fill(taken, 0, 0, 0);
  copyCell(tx, at, taken + item.cell);
  passRecord(tx, base, at);
  return taken;
}

/** Puts an item back before all others. Logs 3 words. */
export function putBack(tx: Transaction, base: number, returned: number): void {
  tx.write(returned + item.next, tx.read(base + channel.returned));
  tx.write(base + channel.returned, returned);
  tx.write(base + channel.count, tx.read(base + channel.count) + 1);
}

/** The cell of what is first; there is something. Logs at most 2 words, and frees a block. */
export function firstCell(tx: Transaction, base: number): number {
  const returned = tx.read(base + channel.returned);
  return returned !== 0 ? returned + item.cell : firstRecord(tx, base);
}
