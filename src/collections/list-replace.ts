import { allocate, EXTENT_MASK, step, type Transaction } from '../heap/internal.js';
import { CELL_WORDS, dropCell, fillCell, Prepared } from '../values/internal.js';
import { directoryRoom } from './list-ends.js';
import {
  body,
  CHUNK_CELLS,
  CHUNK_WORDS,
  cellOf,
  chunkWith,
  copyWords,
  corrupt,
  countOf,
  ENTRY_WORDS,
  entry,
  entryAt,
  type Stretch,
  stretchOf,
} from './list-layout.js';

// Any part of a list replaced by any number of elements, in one transaction that logs no more for a million of them than for
// one: whole chunks change hands, and only the two at which the part begins and ends are made anew.
//
//   before    | a a a a | a a x x | x x x x | x b b b | b b b b |
//   inserted  | c c c c | c c |
//   after     | a a a a | a a | c c c c | c c b b b | b b b b |      removed: | . . x x | x x x x | x . . . |
//
// What is removed goes to another list, as whole chunks of which that list's `base` and `count` cut off what stayed (and was
// copied). That list, and the one which brings what is inserted, are known to their maker alone.

/** Chunks that have come to be emptier than this are joined with a neighbour, if both fit into one. */
const EMPTY_CELLS = CHUNK_CELLS / 2;

/** Cells that are copied, or a value to be filled in. */
interface Piece {
  readonly cells: number | Prepared;
  readonly count: number;
}

interface MadeChunk {
  readonly chunk: number;
  readonly count: number;
}

/**
 * Replaces `removed` elements from `start` on. Logs at most 235 words. The caller has the list's lock, and the roots lock where
 * what is inserted or dropped refers to something.
 *
 * @param at the list's body.
 * @param inserted a value; the body of a list, which is empty afterwards; or nothing.
 * @param taker the body of an empty list, which takes the removed elements. Without it, no more than one can be removed, and is
 * dropped.
 */
export function replaceRange(
  tx: Transaction,
  at: number,
  start: number,
  removed: number,
  inserted: Prepared | number | undefined,
  taker?: number,
): void {
  const count = countOf(tx, at);
  const base = tx.read(at + body.base);
  const first = tx.read(at + body.first);
  const chunks = tx.read(at + body.chunks);
  if (removed > 0 && taker === undefined) dropCell(tx, cellOf(tx, at, start));
  const cut = cutAt(tx, at, start, removed);
  const [cutLow, cutHigh] = [cut.low, cut.high];
  let { low, high } = cut;
  const pieces = [...cut.left];

  const source = typeof inserted === 'number' ? chunksOf(tx, inserted) : [];
  let more = inserted instanceof Prepared ? 1 : 0;
  for (const { count: each } of source) more += each;
  if (inserted instanceof Prepared) pieces.push({ cells: inserted, count: 1 });
  if (source.length === 1) pieces.push(source[0]!);

  const made: MadeChunk[] = [];
  if (source.length < 2) {
    pieces.push(...cut.right);
    const total = sum(pieces);
    if (total > 0 && total <= EMPTY_CELLS) {
      const before = low > 0 ? stretchOf(tx, at, low - 1) : undefined;
      const behind = high < chunks ? stretchOf(tx, at, high) : undefined;
      if (before !== undefined && before.count + total <= CHUNK_CELLS) {
        pieces.unshift(before);
        tx.free(before.chunk);
        low -= 1;
      } else if (behind !== undefined && behind.count + total <= CHUNK_CELLS) {
        pieces.push(behind);
        tx.free(behind.chunk);
        high += 1;
      }
    }
    if (pieces.length === 1 && source.length === 1 && source[0]!.cells === source[0]!.chunk) {
      made.push(source[0]!);
    } else {
      made.push(...makeChunks(tx, pieces));
      for (const { chunk } of source) tx.free(chunk);
    }
  } else {
    made.push(...makeChunks(tx, pieces));
    const last = source.pop()!;
    made.push(...source);
    if (last.count + sum(cut.right) > CHUNK_CELLS || cut.right.length === 0) {
      made.push(last, ...makeChunks(tx, cut.right));
    } else {
      made.push(...makeChunks(tx, [last, ...cut.right]));
      tx.free(last.chunk);
    }
  }

  // The new directory: what comes before, what was made, and what comes behind, whose virtual indexes have changed.
  const length = low + made.length + chunks - high;
  const room = length === 0 ? 0 : directoryRoom(length);
  const old = tx.read(at + body.directory);
  const directory = length === 0 ? 0 : allocate(tx, room * ENTRY_WORDS);
  if (low > 0) copyWords(tx, old + first * ENTRY_WORDS, directory, low * ENTRY_WORDS);
  let virtual = low < chunks ? stretchOf(tx, at, low).start : (base + count) | 0;
  for (const [i, { chunk, count: each }] of made.entries()) {
    tx.fill(directory + (low + i) * ENTRY_WORDS, chunk, virtual);
    virtual = (virtual + each) | 0;
  }
  if (high < chunks) {
    const to = directory + (low + made.length) * ENTRY_WORDS;
    copyWords(tx, old + (first + high) * ENTRY_WORDS, to, (chunks - high) * ENTRY_WORDS);
    shiftStarts(tx, to, chunks - high, more - removed);
  }

  if (taker !== undefined && removed > 0) {
    tx.write(taker + body.directory, old);
    tx.write(taker + body.room, tx.read(at + body.room));
    tx.write(taker + body.first, first + cutLow);
    tx.write(taker + body.chunks, cutHigh - cutLow);
    tx.write(taker + body.base, (base + start) | 0);
    tx.write(taker + body.count, removed);
  } else {
    if (cutHigh > cutLow) tx.free(tx.read(entryAt(tx, at, cutLow) + entry.chunk));
    if (old !== 0) tx.free(old);
  }
  if (typeof inserted === 'number') {
    tx.write(inserted + body.chunks, 0);
    tx.write(inserted + body.count, 0);
  }
  tx.write(at + body.directory, directory);
  tx.write(at + body.room, room);
  tx.write(at + body.first, 0);
  tx.write(at + body.chunks, length);
  tx.write(at + body.count, count + more - removed);
}

interface Cut {
  /** Chunks low … high - 1 are those that are cut, or go altogether. */
  readonly low: number;
  readonly high: number;
  /** What stays of them. */
  readonly left: readonly Piece[];
  readonly right: readonly Piece[];
}

function cutAt(tx: Transaction, at: number, start: number, removed: number): Cut {
  const count = countOf(tx, at);
  const base = tx.read(at + body.base);
  const chunks = tx.read(at + body.chunks);
  if (start < 0 || removed < 0 || start + removed > count) throw corrupt('no such elements to replace');
  if (start === count) return { low: chunks, high: chunks, left: [], right: [] };
  const from = (base + start) | 0;
  const low = chunkWith(tx, at, from);
  const head = stretchOf(tx, at, low);
  const before = (from - head.start) | 0;
  const left = before > 0 ? [{ cells: head.cells, count: before }] : [];
  // Between two chunks nothing is cut: except that only a first chunk may have unused cells before its elements.
  if (removed === 0 && before === 0 && head.cells === head.chunk) return { low, high: low, left, right: [] };
  const last = removed === 0 ? low : chunkWith(tx, at, (from + removed - 1) | 0);
  const tail = stretchOf(tx, at, last);
  const gone = (from + removed - tail.start) | 0;
  const right = gone < tail.count ? [{ cells: tail.cells + gone * CELL_WORDS, count: tail.count - gone }] : [];
  return { low, high: last + 1, left, right };
}

function chunksOf(tx: Transaction, at: number): Stretch[] {
  return Array.from({ length: tx.read(at + body.chunks) }, (_, n) => stretchOf(tx, at, n));
}

/** Copies pieces, in order, to as few chunks as they need, of about the same length. Logs at most 12 words for each of them. */
function makeChunks(tx: Transaction, pieces: readonly Piece[]): MadeChunk[] {
  const total = sum(pieces);
  const made: MadeChunk[] = [];
  const parts = Math.ceil(total / CHUNK_CELLS);
  let piece = 0;
  let taken = 0;
  for (let part = 0; part < parts; part++) {
    const count = Math.floor((total * (part + 1)) / parts) - Math.floor((total * part) / parts);
    const chunk = allocate(tx, CHUNK_WORDS);
    for (let filled = 0; filled < count; ) {
      const { cells, count: there } = pieces[piece]!;
      const some = Math.min(count - filled, there - taken);
      const to = chunk + filled * CELL_WORDS;
      if (cells instanceof Prepared) fillCell(tx, to, cells);
      else copyWords(tx, cells + taken * CELL_WORDS, to, some * CELL_WORDS);
      filled += some;
      taken += some;
      if (taken === there) {
        piece += 1;
        taken = 0;
      }
    }
    made.push({ chunk, count });
  }
  return made;
}

/** Of a directory that nobody else can reach yet. */
function shiftStarts(tx: Transaction, entries: number, chunks: number, by: number): void {
  if (by === 0) return;
  const words = tx.memory.at(entries);
  const from = (entries & EXTENT_MASK) + entry.start;
  step();
  for (let i = 0; i < chunks; i++) words[from + i * ENTRY_WORDS]! += by;
}

function sum(pieces: readonly Piece[]): number {
  return pieces.reduce((total, { count }) => total + count, 0);
}
