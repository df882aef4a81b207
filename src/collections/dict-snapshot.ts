import { StaleHandleError } from '../errors/index.js';
import { type Heap, now, type RootAddress, readConsistently, root, type Transaction } from '../heap/internal.js';
import { CELL_WORDS, cell, LoadedCells, refersInCopy } from '../values/internal.js';
import { type DictKey, keyLength, keyOf, takeKey } from './dict-keys.js';
import { body, bodyOf, corrupt, EXPIRING, entry } from './dict-layout.js';
import { expiryOf } from './dict-table.js';

const LOOK_EVERY = 64;
const FIRST_WORDS = 256;
const MOST_ATTEMPTS = 64;

/** All entries of a dict as they were at one instant, read without a lock. */
export class DictSnapshot {
  readonly #heap: Heap;
  readonly #cells = new LoadedCells();
  /** Head and words of each key, one after the other. */
  #keys = new Int32Array(FIRST_WORDS);
  #used = 0;
  #count = 0;
  /** Values with shared objects: made at once, while the dict still refers to those. */
  readonly #opened = new Map<number, unknown>();
  readonly #key = { head: 0, length: 0, words: new Int32Array(1024) };

  private constructor(heap: Heap) {
    this.#heap = heap;
  }

  /**
   * @param withValues whether values are wanted too.
   * @throws StaleHandleError when the dict, or an object in it, has been disposed of; CorruptSegmentError.
   */
  static take(heap: Heap, at: RootAddress, withValues: boolean): DictSnapshot {
    const snapshot = new DictSnapshot(heap);
    for (let attempts = 1; ; attempts++) {
      const sequence = readConsistently(heap.transaction, at.address, (tx) => snapshot.#copy(tx, at, withValues));
      try {
        if (withValues) snapshot.#open();
        return snapshot;
      } catch (error) {
        // An object that was taken out of the dict, and ended, after it was read: then there is another state to read.
        if (!(error instanceof StaleHandleError) || attempts === MOST_ATTEMPTS) throw error;
        if (heap.memory.load(at.address + root.sequence) === sequence) throw error;
      }
    }
  }

  get count(): number {
    return this.#count;
  }

  #copy(tx: Transaction, at: RootAddress, withValues: boolean): number {
    this.#cells.clear();
    this.#opened.clear();
    this.#used = 0;
    this.#count = 0;
    const from = bodyOf(tx, at);
    const most = tx.read(from + body.count);
    const sequence = tx.read(at.address + root.sequence);
    const clock = tx.read(from + body.expiring) === 0 ? 0 : now();
    let steps = 0;
    for (let address = tx.read(from + body.first); address !== 0; address = tx.read(address + entry.after)) {
      if (++steps > most) throw corrupt('more entries than it counts');
      // Somebody is changing it: no need to go on.
      if (steps % LOOK_EVERY === 0 && tx.read(at.address + root.sequence) !== sequence) throw corrupt('other words');
      if (tx.read(address + entry.head) & EXPIRING && expiryOf(tx, address) <= clock) continue;
      this.#addKey(tx, address);
      if (withValues) this.#cells.take(tx, address + entry.cell, 1);
      this.#count += 1;
    }
    // Odd where it was read with the lock, as a writer does: it is made even on leaving.
    return (sequence + 1) & ~1;
  }

  #addKey(tx: Transaction, address: number): void {
    const key = this.#key;
    takeKey(tx, address, key);
    const needed = this.#used + 1 + key.length;
    if (needed > this.#keys.length) {
      const larger = new Int32Array(2 * needed);
      larger.set(this.#keys);
      this.#keys = larger;
    }
    this.#keys[this.#used] = key.head;
    for (let i = 0; i < key.length; i++) this.#keys[this.#used + 1 + i] = key.words[i]!;
    this.#used = needed;
  }

  #open(): void {
    const { words } = this.#cells;
    for (let i = 0; i < this.#count; i++) {
      if (refersInCopy(words[i * CELL_WORDS + cell.kind]!)) this.#opened.set(i, this.#cells.value(this.#heap, i));
    }
  }

  *keys(): Generator<DictKey> {
    let at = 0;
    for (let i = 0; i < this.#count; i++) {
      const head = this.#keys[at]!;
      yield keyOf(head, this.#keys, at + 1);
      at += 1 + keyLength(head);
    }
  }

  *entries(): Generator<[DictKey, unknown]> {
    let i = 0;
    for (const key of this.keys()) {
      yield [key, this.#opened.has(i) ? this.#opened.get(i) : this.#cells.value(this.#heap, i)];
      i += 1;
    }
  }
}
