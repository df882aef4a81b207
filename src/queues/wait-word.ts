import { atomicLoad, compareExchange, EXTENT_MASK, type Heap, WAITERS, wake } from '../heap/internal.js';

const COUNT_MASK = 0x7fff_ffff;
const EVERYBODY = 0x7fff_ffff;

/**
 * A word that processes sleep on until what they wait for may have come: a count that tells one time from the next, and a bit
 * that says that somebody may be asleep. Nothing but wake-ups hangs on it.
 *
 * Whoever brings what is waited for takes the bit away together with moving the count, wakes, and sets the bit again if
 * somebody was asleep, because others may be. Killed in between, or paused, it leaves sleepers that nobody wakes: they look
 * by themselves after a slice.
 */
export class WaitWord {
  readonly heap: Heap;
  readonly address: number;

  constructor(heap: Heap, address: number) {
    this.heap = heap;
    this.address = address;
  }

  /** Says that somebody is about to sleep, and will look once more before. @returns what to sleep on. */
  mark(): number {
    const words = this.heap.memory.at(this.address);
    const index = this.address & EXTENT_MASK;
    for (;;) {
      const seen = atomicLoad(words, index);
      if (seen & WAITERS) return seen;
      const marked = seen | WAITERS;
      if (compareExchange(words, index, seen, marked) === seen) return marked;
    }
  }

  /** What was waited for has come, for one. Costs a load where nobody sleeps. */
  wakeOne(): void {
    const words = this.heap.memory.at(this.address);
    if (atomicLoad(words, this.address & EXTENT_MASK) & WAITERS) this.#wake(1);
  }

  wakeAll(): void {
    const words = this.heap.memory.at(this.address);
    if (atomicLoad(words, this.address & EXTENT_MASK) & WAITERS) this.#wake(EVERYBODY);
  }

  #wake(count: number): void {
    const words = this.heap.memory.at(this.address);
    const index = this.address & EXTENT_MASK;
    for (;;) {
      const seen = atomicLoad(words, index);
      if (compareExchange(words, index, seen, (seen + 1) & COUNT_MASK) === seen) break;
    }
    // Before this call nobody can fall asleep on what the word was; after it, only with the bit set.
    if (wake(this.heap.memory, this.address, count) === 0 || count === EVERYBODY) return;
    this.mark();
  }
}
