import { CorruptSegmentError, MultiprocessError } from '../errors/index.js';
import { atomicStore, step } from './doors.js';
import {
  EXTENT_MASK,
  EXTENT_SHIFT,
  EXTENT_TABLE,
  header,
  LOG_CAPACITY,
  logBase,
  SLOT_WORDS,
  slot,
  slotBase,
} from './layout.js';
import type { HeapMemory } from './memory.js';

// The crash safety of everything in a heap that is more than one word.
//
// Whoever changes shared structure first takes the locks that guard it, and then, for every word, in this order:
//
//   1. appends (address, old value) to the undo log in its own slot,
//   2. makes the log one entry longer,
//   3. stores the new value.
//
// Several words at once may be logged together: all of 1, then 2, then all of 3.
//
// Commit is one store: the log's length becomes 0. Only then are the locks let go of. A participant that is killed leaves
// its log in shared memory, and whoever finds it dead stores the old values back, last entry first.
//
// Why this is right. Call a word *touched* when a transaction that has not committed has stored into it.
//
//   (a) Every touched word has its old value in the log, counted by the length: 1 and 2 come before 3, and a process that
//       dies between two stores has made all of those before and none of those after. The kernel kills between
//       instructions, V8 keeps the order of stores to typed arrays, and memory that is shared on one machine shows a dead
//       process's stores to everybody: so program order is enough, without fences or flushes.
//   (b) The first entry for a word has the value from before the transaction. Undone in reverse, that is the one which
//       stays, however often the word was written.
//   (c) Nobody else has stored into a touched word: its lock is held by the dead one, and locks of the dead are only taken
//       from those that have been rolled back (internal-lock.ts). This is why every lock is kept until after the commit,
//       even one that is not needed any more.
//   (d) Undoing is idempotent: it stores constants, and the length is set to 0 only after all of them. A reaper that is
//       killed half-way leaves everything for the next.
//   (e) Killed before the commit, then, nothing has happened; after it, everything has. The one store in between decides.
//
// What does not go through here: lock and futex words (changed by compare-and-exchange, one word, true at every instant),
// the payload of blocks that nobody else can reach yet, and the memory that users write through their own views.

/** The undo log of one slot. */
export class Journal {
  readonly #memory: HeapMemory;
  readonly #base: number;
  readonly #log: number;

  constructor(memory: HeapMemory, slotIndex: number) {
    this.#memory = memory;
    this.#base = slotBase(slotIndex);
    this.#log = logBase(slotIndex);
  }

  /** Whether a transaction is unfinished. Read from memory, never remembered: JavaScript can be cut short and live on. */
  get open(): boolean {
    return this.#memory.segment[this.#base + slot.logLength] !== 0;
  }

  /** Words that have been logged. */
  get length(): number {
    return this.#memory.segment[this.#base + slot.logLength]!;
  }

  /**
   * Stores a word of shared structure so that it can be undone. Only under the lock that guards the word.
   *
   * @throws MultiprocessError when the log is full: then an operation is not as bounded as it must be, which is a defect;
   * CorruptSegmentError when the word is none that a transaction may change.
   */
  write(address: number, value: number): void {
    const words = this.#memory.at(address);
    // A pointer that hostile bytes have made 0, mostly.
    if (address >>> EXTENT_SHIFT === 0 && isBookkeeping(address)) {
      throw new CorruptSegmentError(`A heap refers to its own bookkeeping at word ${address}.`);
    }
    const segment = this.#memory.segment;
    const lengthAt = this.#base + slot.logLength;
    const length = segment[lengthAt]!;
    if (length >= LOG_CAPACITY || length < 0) throw tooLong();
    const entry = this.#log + 2 * length;
    const index = address & EXTENT_MASK;
    step();
    segment[entry] = address;
    step();
    segment[entry + 1] = words[index]!;
    step();
    segment[lengthAt] = length + 1; // invariant (a): counted before the word changes
    step();
    words[index] = value;
  }

  /**
   * The same for several words that lie one behind the other: those that change are logged, then counted, then stored.
   *
   * @throws as `write` does.
   */
  writeAll(address: number, source: Int32Array, count: number): void {
    const words = this.#memory.at(address);
    const index = address & EXTENT_MASK;
    if (address >>> EXTENT_SHIFT === 0 || index + count > words.length) {
      throw new CorruptSegmentError(`A heap refers to ${count} words at word ${address}, where they cannot be.`);
    }
    const segment = this.#memory.segment;
    const lengthAt = this.#base + slot.logLength;
    const length = segment[lengthAt]!;
    if (length + count > LOG_CAPACITY || length < 0) throw tooLong();
    let entry = this.#log + 2 * length;
    let logged = length;
    for (let i = 0; i < count; i++) {
      const old = words[index + i]!;
      if (old === source[i]) continue;
      step();
      segment[entry] = address + i;
      step();
      segment[entry + 1] = old;
      entry += 2;
      logged += 1;
    }
    if (logged === length) return;
    step();
    segment[lengthAt] = logged; // invariant (a): counted before any of the words changes
    for (let i = 0; i < count; i++) {
      const value = source[i]!;
      if (words[index + i] === value) continue;
      step();
      words[index + i] = value;
    }
  }

  /** From here on the transaction has happened. */
  commit(): void {
    atomicStore(this.#memory.segment, this.#base + slot.logLength, 0);
  }

  /**
   * Undoes what has not been committed. Takes no lock: those that guard the words are held by whoever wrote them.
   *
   * @throws CorruptSegmentError when the log cannot be ours; system errors when an extent cannot be mapped. Then nothing
   * has been changed.
   */
  rollBack(): void {
    const segment = this.#memory.segment;
    const length = segment[this.#base + slot.logLength]!;
    if (length === 0) return;
    if (length < 0 || length > LOG_CAPACITY)
      throw new CorruptSegmentError(`A log of ${length} entries is none of ours.`);
    const log = this.#log;
    for (let i = 0; i < length; i++) {
      const address = segment[log + 2 * i]!;
      this.#memory.at(address); // maps all before the first store
      if (isBookkeeping(address)) throw new CorruptSegmentError('A log would undo what is never logged.');
    }
    for (let i = length - 1; i >= 0; i--) {
      const address = segment[log + 2 * i]!;
      step();
      this.#memory.at(address)[address & EXTENT_MASK] = segment[log + 2 * i + 1]!;
    }
    atomicStore(segment, this.#base + slot.logLength, 0);
  }
}

/** What hostile bytes must not make us overwrite: what a heap is, its locks, the slots' own states and logs. Their lists are logged. */
function isBookkeeping(address: number): boolean {
  if (address < header.freeRoots) return true;
  if (address < slotBase(0) || address >= EXTENT_TABLE) return false;
  if (address >= logBase(0)) return true;
  const word = (address - slotBase(0)) % SLOT_WORDS;
  return word !== slot.belongings && word !== slot.arrivals;
}

function tooLong(): MultiprocessError {
  return new MultiprocessError(
    `A transaction would log more than ${LOG_CAPACITY} words. This is a defect of the library; please report it.`,
    { code: 'ERR_MULTIPROCESS_JOURNAL_FULL' },
  );
}
