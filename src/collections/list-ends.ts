import { allocate, type Transaction } from '../heap/internal.js';
import { CELL_WORDS, fillCell, type Prepared } from '../values/internal.js';
import {
  body,
  CHUNK_CELLS,
  CHUNK_WORDS,
  copyWords,
  corrupt,
  countOf,
  ENTRY_WORDS,
  entry,
  entryAt,
} from './list-layout.js';

// Elements put to the ends of a list and taken from them: one logged write or two, whatever its length, unless a chunk
// begins or ends there. All of these have the list's lock; if the value refers to something, the roots lock too.

const LEAST_ROOM = 4;

/** Appends an element. Logs at most 80 words: 21, where the last chunk has room. */
export function appendCell(tx: Transaction, at: number, prepared: Prepared): void {
  const { cells } = cellsBehind(tx, at);
  fillCell(tx, cells, prepared);
  tx.write(at + body.count, countOf(tx, at) + 1);
}

/** The unused cells behind the last element: at least one. Logs at most 50 words. */
export function cellsBehind(tx: Transaction, at: number): { cells: number; room: number } {
  const chunks = tx.read(at + body.chunks);
  const end = (tx.read(at + body.base) + countOf(tx, at)) | 0;
  if (chunks > 0) {
    const last = entryAt(tx, at, chunks - 1);
    const used = (end - tx.read(last + entry.start)) | 0;
    if (used < 1 || used > CHUNK_CELLS) throw corrupt('a last chunk whose elements cannot lie in it');
    if (used < CHUNK_CELLS) {
      return { cells: tx.read(last + entry.chunk) + used * CELL_WORDS, room: CHUNK_CELLS - used };
    }
  }
  if (tx.read(at + body.first) + chunks >= tx.read(at + body.room)) moveDirectory(tx, at, 'front');
  const chunk = allocate(tx, CHUNK_WORDS);
  tx.fill(entryAt(tx, at, chunks), chunk, end);
  tx.write(at + body.chunks, chunks + 1);
  return { cells: chunk, room: CHUNK_CELLS };
}

/** Puts an element before all others. Logs at most 80 words. */
export function prependCell(tx: Transaction, at: number, prepared: Prepared): void {
  const count = countOf(tx, at);
  if (count === 0) return appendCell(tx, at, prepared);
  const virtual = (tx.read(at + body.base) - 1) | 0;
  fillCell(tx, cellBefore(tx, at, virtual), prepared);
  tx.write(at + body.base, virtual);
  tx.write(at + body.count, count + 1);
}

/** The unused cell before the first element. */
function cellBefore(tx: Transaction, at: number, virtual: number): number {
  const head = entryAt(tx, at, 0);
  const offset = (virtual - tx.read(head + entry.start)) | 0;
  if (offset >= 0) return tx.read(head + entry.chunk) + offset * CELL_WORDS;
  if (tx.read(at + body.first) === 0) moveDirectory(tx, at, 'back');
  const chunk = allocate(tx, CHUNK_WORDS);
  tx.fill(entryAt(tx, at, -1), chunk, (virtual - CHUNK_CELLS + 1) | 0);
  tx.write(at + body.first, tx.read(at + body.first) - 1);
  tx.write(at + body.chunks, tx.read(at + body.chunks) + 1);
  return chunk + (CHUNK_CELLS - 1) * CELL_WORDS;
}

/** Takes the last element off; what its cell has is the caller's to drop. Logs at most 14 words. */
export function takeLast(tx: Transaction, at: number): void {
  const count = countOf(tx, at) - 1;
  const chunks = tx.read(at + body.chunks);
  const last = entryAt(tx, at, chunks - 1);
  const end = (tx.read(at + body.base) + count) | 0;
  tx.write(at + body.count, count);
  if (count > 0 && end !== tx.read(last + entry.start)) return;
  tx.free(tx.read(last + entry.chunk));
  dropEntries(tx, at, tx.read(at + body.first), chunks - 1);
}

/** Takes the first element off; what its cell has is the caller's to drop. Logs at most 15 words. */
export function takeFirst(tx: Transaction, at: number): void {
  const count = countOf(tx, at) - 1;
  const chunks = tx.read(at + body.chunks);
  const base = (tx.read(at + body.base) + 1) | 0;
  tx.write(at + body.base, base);
  tx.write(at + body.count, count);
  if (count > 0 && (chunks < 2 || base !== tx.read(entryAt(tx, at, 1) + entry.start))) return;
  tx.free(tx.read(entryAt(tx, at, 0) + entry.chunk));
  dropEntries(tx, at, tx.read(at + body.first) + 1, chunks - 1);
}

function dropEntries(tx: Transaction, at: number, first: number, chunks: number): void {
  // An empty directory is used from its beginning again, or a list that is emptied all the time would move it often.
  const next = chunks === 0 ? 0 : first;
  if (next !== tx.read(at + body.first)) tx.write(at + body.first, next);
  tx.write(at + body.chunks, chunks);
}

/** Makes a directory with more room, its entries at that end of it. Logs at most 25 words. */
function moveDirectory(tx: Transaction, at: number, to: 'front' | 'back'): void {
  const chunks = tx.read(at + body.chunks);
  const room = directoryRoom(chunks);
  const directory = allocate(tx, room * ENTRY_WORDS);
  const first = to === 'front' ? 0 : room - chunks;
  if (chunks > 0) copyWords(tx, entryAt(tx, at, 0), directory + first * ENTRY_WORDS, chunks * ENTRY_WORDS);
  const old = tx.read(at + body.directory);
  if (old !== 0) tx.free(old);
  tx.write(at + body.directory, directory);
  tx.write(at + body.room, room);
  tx.write(at + body.first, first);
}

/** How many entries a directory of so many chunks is given. */
export function directoryRoom(chunks: number): number {
  if (chunks < 0) throw corrupt(`${chunks} chunks`);
  return Math.max(LEAST_ROOM, 2 * chunks);
}
