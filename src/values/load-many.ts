import { CorruptSegmentError } from '../errors/index.js';
import { EXTENT_MASK, type Heap, type Transaction } from '../heap/internal.js';
import { CELL_WORDS, cell, isBlockKind, KIND_BITS, KIND_MASK, MOST_BYTES } from './cell-kinds.js';
import { decodedValue } from './load.js';
import { blockOffset } from './store.js';

const FIRST_CELLS = 32;

/**
 * Many values as copied out of cells that lie in a row: two arrays for all of them. As with `LoadedCell`, taking happens
 * within `readConsistently`, and nothing is made of the values before that has returned.
 */
export class LoadedCells {
  #words = new Int32Array(FIRST_CELLS * CELL_WORDS);
  /** Where the bytes of each lie in `#bytes`, for those that have some in a block. */
  #starts = new Int32Array(FIRST_CELLS);
  #bytes = new Uint8Array(0);
  #length = 0;
  #used = 0;

  /** How many have been taken. */
  get length(): number {
    return this.#length;
  }

  /** The cells' own words, three for each. */
  get words(): Int32Array {
    return this.#words.subarray(0, this.#length * CELL_WORDS);
  }

  clear(): void {
    this.#length = 0;
    this.#used = 0;
  }

  /** Makes room for so many, for those who know how many there will be. */
  reserve(count: number): void {
    if (count * CELL_WORDS <= this.#words.length) return;
    this.#words = grown(this.#words, count * CELL_WORDS);
    this.#starts = grown(this.#starts, count);
  }

  /** Copies cells. @throws CorruptSegmentError for such as cannot be, which may only be changing. */
  take(tx: Transaction, at: number, count: number): void {
    const before = this.#length;
    this.takeWords(tx, at, count);
    for (let i = 0; i < count; i++) {
      const word = this.#words[(before + i) * CELL_WORDS]!;
      if (isBlockKind(word & KIND_MASK)) this.#starts[before + i] = this.#takeBytes(tx, at + i * CELL_WORDS, word);
    }
  }

  /** Copies only the cells' own words: for those who move cells, not values. */
  takeWords(tx: Transaction, at: number, count: number): void {
    const extent = tx.memory.at(at);
    const index = at & EXTENT_MASK;
    const from = this.#length * CELL_WORDS;
    const end = index + count * CELL_WORDS;
    if (end > extent.length) throw new CorruptSegmentError('Cells lie beyond their extent.');
    if (from + count * CELL_WORDS > this.#words.length) {
      this.reserve(2 * (this.#length + count));
    }
    this.#words.set(extent.subarray(index, end), from);
    this.#length += count;
  }

  /** @returns where its bytes lie in `#bytes`. */
  #takeBytes(tx: Transaction, at: number, word: number): number {
    const length = word >>> KIND_BITS;
    if (length > MOST_BYTES) throw new CorruptSegmentError(`A cell has a value of ${length} bytes.`);
    const block = tx.read(at + cell.x) + blockOffset(tx, at);
    const memory = tx.memory.bytesAt(block);
    const first = (block & EXTENT_MASK) * 4;
    if (first + length > memory.length) throw new CorruptSegmentError('A value lies beyond its extent.');
    const start = this.#used;
    if (start + length > this.#bytes.length) {
      const grown = new Uint8Array(2 * (start + length));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(memory.subarray(first, first + length), start);
    this.#used = start + length;
    return start;
  }

  /** One of the values: see `LoadedCell.value`. */
  value(heap: Heap, i: number): unknown {
    const words = this.#words;
    const index = i * CELL_WORDS;
    const word = words[index]!;
    const [x, y] = [words[index + cell.x]!, words[index + cell.y]!];
    return decodedValue(heap, word & KIND_MASK, word >>> KIND_BITS, x, y, this.#bytes, this.#starts[i]!);
  }

  /** All of them. */
  values(heap: Heap): unknown[] {
    const values: unknown[] = new Array(this.#length);
    for (let i = 0; i < this.#length; i++) values[i] = this.value(heap, i);
    return values;
  }
}

function grown(words: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(words);
  return larger;
}
