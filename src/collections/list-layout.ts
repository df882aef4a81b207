import { CorruptSegmentError } from '../errors/index.js';
import { BODY, EXTENT_MASK, type RootAddress, root, stale, step, type Transaction } from '../heap/internal.js';
import { CELL_WORDS } from '../values/internal.js';

// Where the elements of a list lie. Its body names a directory, whose entries name chunks of cells, in order:
//
//   body        directory | room | first | chunks | base | count | flags
//   directory   … | chunk, start | chunk, start | …      entries first … first + chunks - 1 are in use
//   chunk       cell 0 | cell 1 | … | cell 127
//
// Elements have *virtual* indexes: element i of the list has i + base, and a chunk's `start` is the virtual index of its
// first cell. So taking the first element moves `base`, and nothing else. Virtual indexes wrap around: only differences
// between them mean anything.
//
// Invariants, outside of transactions:
//   - each chunk has at least one element in use; those of a chunk that has another behind it end where that one starts;
//   - only the first chunk may have unused cells before its elements (from `start` to `base`), only between the last
//     element of a chunk and its 128th cell may there be others;
//   - what lies in unused cells and in unused entries of the directory means nothing to anybody. Both are filled without a
//     log before the logged write that makes them used; nothing else ever writes to them, so undoing that write is enough.

export const CHUNK_CELLS = 128;
export const CHUNK_SHIFT = 7;
export const CHUNK_WORDS = CHUNK_CELLS * CELL_WORDS;
export const ENTRY_WORDS = 2;

export const body = {
  /** Address of the directory; 0 while there is none. */
  directory: 0,
  /** How many entries it has room for. */
  room: 1,
  /** The first entry in use, and how many are. */
  first: 2,
  chunks: 3,
  /** The virtual index of the first element, and how many there are. */
  base: 4,
  count: 5,
  flags: 6,
  words: 8,
} as const;

export const entry = { chunk: 0, start: 1 } as const;

/** In a body's flags: what its cells have, blocks and references, belongs to another list. */
export const BORROWED = 1;

/**
 * The address of a list's body.
 *
 * @throws StaleHandleError when the list has been disposed of.
 */
export function bodyOf(tx: Transaction, { address, serial }: RootAddress): number {
  // A root that is held stays this object's; `dispose()` changes its serial.
  if (tx.read(address + root.serial) !== serial) throw stale();
  return tx.read(address + BODY);
}

export function countOf(tx: Transaction, at: number): number {
  const count = tx.read(at + body.count);
  if (count < 0) throw corrupt(`${count} elements`);
  return count;
}

/** The address of the n-th directory entry in use. */
export function entryAt(tx: Transaction, at: number, n: number): number {
  return tx.read(at + body.directory) + (tx.read(at + body.first) + n) * ENTRY_WORDS;
}

/** Which of the chunks has the element of that virtual index. There must be one. */
export function chunkWith(tx: Transaction, at: number, virtual: number): number {
  const chunks = tx.read(at + body.chunks);
  const entries = entryAt(tx, at, 0);
  const origin = tx.read(entries + entry.start);
  const distance = (virtual - origin) | 0;
  // No chunk has more than 128 cells, so it is this one or one that comes later.
  let low = distance >> CHUNK_SHIFT;
  let high = chunks - 1;
  if (distance < 0 || low > high) throw corrupt(`no chunk for one of its elements`);
  const startOf = (n: number) => (tx.read(entries + n * ENTRY_WORDS + entry.start) - origin) | 0;
  if (low === high || startOf(low + 1) > distance) return low;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (startOf(middle) <= distance) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The address of the cell of an element that there is. */
export function cellOf(tx: Transaction, at: number, index: number): number {
  const virtual = (tx.read(at + body.base) + index) | 0;
  const found = entryAt(tx, at, chunkWith(tx, at, virtual));
  const offset = (virtual - tx.read(found + entry.start)) | 0;
  if (offset < 0 || offset >= CHUNK_CELLS) throw corrupt('a chunk that is too short');
  return tx.read(found + entry.chunk) + offset * CELL_WORDS;
}

/** Elements in use of a chunk: where the first lies, its virtual index, and how many there are. */
export interface Stretch {
  readonly chunk: number;
  readonly cells: number;
  readonly start: number;
  readonly count: number;
}

/** What is in use of the n-th chunk. */
export function stretchOf(tx: Transaction, at: number, n: number): Stretch {
  const here = entryAt(tx, at, n);
  const chunk = tx.read(here + entry.chunk);
  const base = tx.read(at + body.base);
  const from = tx.read(here + entry.start);
  const start = n === 0 ? base : from;
  const end =
    n === tx.read(at + body.chunks) - 1
      ? (base + tx.read(at + body.count)) | 0
      : tx.read(here + ENTRY_WORDS + entry.start);
  const offset = (start - from) | 0;
  const count = (end - start) | 0;
  if (offset < 0 || count < 1 || offset + count > CHUNK_CELLS) throw corrupt('a chunk whose elements cannot lie in it');
  return { chunk, cells: chunk + offset * CELL_WORDS, start, count };
}

/** Copies words to a block that nobody else can reach yet: needs no log. */
export function copyWords(tx: Transaction, from: number, to: number, words: number): void {
  const source = tx.memory.at(from);
  const target = tx.memory.at(to);
  const [sourceAt, targetAt] = [from & EXTENT_MASK, to & EXTENT_MASK];
  if (words < 0 || sourceAt + words > source.length || targetAt + words > target.length) {
    throw corrupt('a part that lies beyond its extent');
  }
  step();
  target.set(source.subarray(sourceAt, sourceAt + words), targetAt);
}

export function corrupt(what: string): CorruptSegmentError {
  return new CorruptSegmentError(`A shared list has ${what}.`);
}
