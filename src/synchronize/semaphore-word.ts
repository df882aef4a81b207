import { atomicLoad, compareExchange, RESERVED, step, WAITERS, wake } from '../heap/internal.js';
import { type Attempt, type SyncRun, TakeWord } from './take-word.js';

// A semaphore is one word: how many may still enter, with the two bits of every word that is taken (take-word.ts). Anybody
// may give back, so nobody knows whose a permit was, and those of the dead are lost.
//
// A release that wakes clears WAITERS, and a second release before the woken one has taken would wake nobody. So who has
// slept, and takes, and leaves something, wakes the next. It does so before it takes, because with the taking a `runSync` that
// is cut short has to be past everything at which that could happen.

const VALUE_MASK = 0x3fff_ffff;
export const MAX_SEMAPHORE_VALUE = VALUE_MASK;

export class SemaphoreWord extends TakeWord {
  get value(): number {
    return Atomics.load(this.words, this.index) & VALUE_MASK;
  }

  attempt(mark: number, pushy: boolean): Attempt {
    for (;;) {
      const seen = atomicLoad(this.words, this.index);
      const value = seen & VALUE_MASK;
      if (value === 0) return 'busy';
      if (seen & RESERVED && !pushy) return 'reserved';
      if (mark !== 0 && value > 1) this.wakeOne();
      if (compareExchange(this.words, this.index, seen, (value - 1) | mark | (seen & WAITERS)) === seen) return 'taken';
    }
  }

  protected isFree(seen: number): boolean {
    return (seen & VALUE_MASK) !== 0;
  }

  protected askAfterOwners(): void {}

  /**
   * @param run the `runSync` that gives back; noted in the same step, lest one that is cut short does so twice.
   * @returns false when the value would become too large; then nothing has changed.
   */
  release(count: number, run?: SyncRun): boolean {
    for (;;) {
      const seen = atomicLoad(this.words, this.index);
      const value = (seen & VALUE_MASK) + count;
      if (value > MAX_SEMAPHORE_VALUE) return false;
      // Reserved, it stays marked, so that newcomers see it.
      const bits = seen & RESERVED ? RESERVED | WAITERS : 0;
      if (compareExchange(this.words, this.index, seen, value | bits) !== seen) continue;
      if (run !== undefined) run.acquired = false;
      if (seen & WAITERS) {
        step();
        wake(this.heap.memory, this.address, count);
      }
      return true;
    }
  }
}
