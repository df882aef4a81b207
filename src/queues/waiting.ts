import { EXTENT_MASK, now, OWNED_SLICE_MS, Patience, root, sleepWhile, spinWhile } from '../heap/internal.js';
import type { WaitWord } from './wait-word.js';

/** What an attempt returns that did not succeed, and may later. */
export const notYet: unique symbol = Symbol('not yet');

/** How many of the other participants each slice asks after: all of them within half a second. */
export const OTHERS_AT_ONCE = 64;
/** How often the root may change without anything for us, before we rather sleep. */
const MOST_LOOKS = 256;
let patience: Patience | undefined;

/** What somebody waits for who blocks his thread. */
export interface Attempt<T> {
  /** Tries; also decides that waiting is over, by throwing. */
  attempt(): T | typeof notYet;
  /** Whether trying is worthwhile: a look that takes no lock and may be wrong. */
  promising(): boolean;
}

/**
 * Tries until it succeeds, blocking this thread.
 *
 * @param address of the root that changes when there may be something.
 * @returns `notYet` when it did not in time.
 */
export function tryUntil<T>(
  word: WaitWord,
  address: number,
  { attempt, promising }: Attempt<T>,
  timeout: number,
): T | typeof notYet {
  const found = attempt();
  if (found !== notYet || timeout <= 0) return found;
  const { heap } = word;
  const deadline = now() + timeout;
  const words = heap.memory.at(address);
  const sequence = (address & EXTENT_MASK) + root.sequence;
  patience ??= new Patience();
  const { ms } = patience;
  const until = now() + ms;
  for (let look = 0; ms > 0 && look < MOST_LOOKS; look++) {
    const seen = words[sequence]!;
    if (promising()) {
      const found = attempt();
      if (found !== notYet) {
        patience.ended(true);
        return found;
      }
    }
    const left = until - now();
    if (left <= 0) break;
    spinWhile(words, sequence, seen, left);
  }
  patience.ended(false);
  for (let slept = false; ; slept = true) {
    if (slept) heap.lookAround(OTHERS_AT_ONCE);
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
