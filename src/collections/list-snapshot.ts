import { StaleHandleError } from '../errors/index.js';
import { type Place, type RootAddress, readConsistently, root, type Transaction } from '../heap/internal.js';
import { CELL_WORDS, LoadedCells } from '../values/internal.js';
import { body, bodyOf, chunkWith, corrupt, countOf, stretchOf } from './list-layout.js';

// Many elements as they were at one instant, read without a lock.

export interface Snapshot {
  readonly cells: LoadedCells;
  /** Tells whether the list has changed since: see `isUnchanged`. */
  readonly sequence: number;
}

/** Which elements of so many: from the first index up to, and without, the second. */
export type Bounds = (count: number) => readonly [start: number, end: number];

export const everything: Bounds = (count) => [0, count];

const MOST_ATTEMPTS = 64;
/** A count that is wrong must not take all memory. */
const MOST_RESERVED = 1 << 20;

/**
 * Copies elements of a list that this environment holds.
 *
 * @param part whether values are wanted, or only the words of the cells.
 * @throws StaleHandleError when the list has been disposed of; CorruptSegmentError.
 */
export function takeSnapshot({ heap, at }: Place, bounds = everything, part: 'values' | 'words' = 'values'): Snapshot {
  const cells = new LoadedCells();
  const sequence = readConsistently(heap.transaction, at.address, (tx) => {
    cells.clear();
    const body = bodyOf(tx, at);
    const [start, end] = bounds(countOf(tx, body));
    takeRange(tx, body, start, end, cells, part);
    return tx.read(at.address + root.sequence);
  });
  // Odd where it was read as a writer does, with the lock: it was made even on leaving.
  return { cells, sequence: (sequence + 1) & ~1 };
}

function takeRange(tx: Transaction, at: number, start: number, end: number, cells: LoadedCells, part: string): void {
  if (start >= end) return;
  const base = tx.read(at + body.base);
  const chunks = tx.read(at + body.chunks);
  let n = chunkWith(tx, at, (base + start) | 0);
  cells.reserve(Math.min(end - start, MOST_RESERVED));
  for (let index = start; index < end; n++) {
    if (n >= chunks) throw corrupt('fewer elements than it counts');
    const stretch = stretchOf(tx, at, n);
    const offset = (base + index - stretch.start) | 0;
    const some = Math.min(end - index, stretch.count - offset);
    if (offset < 0 || some < 1) throw corrupt('chunks in a wrong order');
    const from = stretch.cells + offset * CELL_WORDS;
    if (part === 'values') cells.take(tx, from, some);
    else cells.takeWords(tx, from, some);
    index += some;
  }
}

/** Whether the list is as it was then, for who has its lock. */
export function isUnchanged(tx: Transaction, { address }: RootAddress, { sequence }: Snapshot): boolean {
  return tx.read(address + root.sequence) === ((sequence + 1) | 1);
}

/**
 * The values of elements, all as they were at one instant.
 *
 * @throws StaleHandleError when the list, or an object in it, has been disposed of; whatever a registered `decode` throws.
 */
export function valuesOf(place: Place, bounds = everything): { values: unknown[]; snapshot: Snapshot } {
  const { heap, at } = place;
  for (let attempts = 1; ; attempts++) {
    const snapshot = takeSnapshot(place, bounds);
    try {
      return { values: snapshot.cells.values(heap), snapshot };
    } catch (error) {
      // An object that was taken out of the list, and ended, after it was read: then there is another state to read.
      if (!(error instanceof StaleHandleError) || attempts === MOST_ATTEMPTS) throw error;
      if (heap.memory.load(at.address + root.sequence) === snapshot.sequence) throw error;
    }
  }
}
