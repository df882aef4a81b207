import { now, OWNED_SLICE_MS, Patience, sleepWhile } from '../heap/internal.js';
import type { WaitWord } from './wait-word.js';

/** What an attempt returns that did not succeed, and may later. */
export const notYet: unique symbol = Symbol('not yet');

/** How many of the other participants each slice asks after: all of them within half a second. */
export const OTHERS_AT_ONCE = 64;
/** As long as it takes to wake somebody who sleeps, who then brings what is waited for. */
const SPIN_MS = 0.05;
const MOST_LOOKS = 4096;
const clock = performance.now.bind(performance);
let patience: Patience | undefined;

/**
 * Called when something is made that one may wait for: a process that binds itself to one processor later still has the
 * others, for those who bring what it waits for.
 */
export function expectToWait(): Patience {
  patience ??= new Patience(SPIN_MS);
  return patience;
}

/** What somebody waits for who blocks his thread. */
export interface Attempt<T> {
  /** Tries; also decides that waiting is over, by throwing. */
  attempt(): T | typeof notYet;
  /**
   * Whether trying is worthwhile: a look that takes no lock and may be wrong.
   *
   * @param waiting whether it has been tried already, so that a moment more does not matter.
   */
  promising(waiting: boolean): boolean;
}

/**
 * Tries until it succeeds, blocking this thread.
 *
 * @returns `notYet` when it did not in time.
 */
export function tryUntil<T>(word: WaitWord, { attempt, promising }: Attempt<T>, timeout: number): T | typeof notYet {
  // Trying takes the lock, which those need who bring what is waited for.
  if (timeout <= 0 || promising(false)) {
    const found = attempt();
    if (found !== notYet || timeout <= 0) return found;
  }
  const { heap } = word;
  const deadline = now() + timeout;
  const patience = expectToWait();
  const { ms } = patience;
  if (ms > 0) {
    const until = clock() + ms;
    // A limit all the same: there are tests whose clock stands still.
    for (let look = 0; look < MOST_LOOKS; look++) {
      if (promising(true)) {
        const found = attempt();
        if (found !== notYet) {
          patience.ended(true);
          return found;
        }
      }
      if (clock() >= until) break;
    }
    patience.ended(false);
  }
  for (let slept = false; ; slept = true) {
    if (slept) {
      // Who was woken for something that is there does not let it wait. But what seems to be there may be what one of the dead has.
      if (promising(false)) {
        const found = attempt();
        if (found !== notYet) return found;
      }
      heap.lookAround(OTHERS_AT_ONCE);
    }
    const expected = word.mark();
    const found = attempt();
    if (found !== notYet || now() >= deadline) return found;
    sleepASlice(word, expected, deadline);
  }
}

/** One slice, in a function of its own: a thread that is being terminated gets out between two of them. */
function sleepASlice({ heap, address }: WaitWord, expected: number, deadline: number): void {
  sleepWhile(heap.memory, address, expected, OWNED_SLICE_MS, deadline);
}
