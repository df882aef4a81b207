import {
  EXTENT_MASK,
  type Heap,
  now,
  OWNED_SLICE_MS,
  Patience,
  signalOf,
  sleepWhile,
  spinWhile,
  timeoutOf,
  type WaitOptions,
  type Watch,
  watchWord,
} from '../heap/internal.js';

// Waiting for something that is not taken but simply comes: an event, a notification, the end of a round. Each waiter looks
// for itself, and sleeps on a futex word; nothing is concluded from being woken.

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const TURNS = 2;
/** How many of the other participants each slice asks after: all of them within half a second. */
const OTHERS_AT_ONCE = 64;

let patience: Patience | undefined;

/** What is waited for. */
export interface Awaited<T> {
  readonly heap: Heap;
  /** The word that those who wait sleep on. */
  readonly address: number;
  /** The outcome, when it is there; called before each sleep. May throw, which ends the waiting. */
  look(): T | undefined;
  /** The word's value to sleep on, read before a last look; undefined to look again. */
  prepareSleep(): number | undefined;
}

/** Waits, blocking this thread. @returns undefined when it did not come in time. */
export function waitForSync<T extends {}>(awaited: Awaited<T>, timeout: number): T | undefined {
  const { heap, address } = awaited;
  const found = awaited.look();
  if (found !== undefined) return found;
  const deadline = now() + timeout;
  for (let first = true; ; first = false) {
    const expected = awaited.prepareSleep();
    const outcome = awaited.look();
    if (outcome !== undefined) return outcome;
    if (now() >= deadline) return undefined;
    if (expected === undefined) continue;
    if (first) {
      patience ??= new Patience();
      const changed = spinWhile(heap.memory.at(address), address & EXTENT_MASK, expected, patience.ms);
      patience.ended(changed);
      if (changed) continue;
    }
    if (!first) heap.lookAround(OTHERS_AT_ONCE);
    sleepASlice(heap, address, expected, deadline);
  }
}

/** One slice, in a function of its own: a thread that is being terminated gets out between two of them. */
function sleepASlice(heap: Heap, address: number, expected: number, deadline: number): void {
  sleepWhile(heap.memory, address, expected, OWNED_SLICE_MS, deadline);
}

/**
 * Waits without blocking the event loop.
 *
 * @returns undefined when it did not come in time.
 * @throws (rejects) `signal.reason` when aborted; what `look` throws.
 */
export function waitFor<T extends {}>(awaited: Awaited<T>, options: WaitOptions | undefined): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timeout = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted) return reject(signal.reason);
    const { heap, address } = awaited;
    const deadline = now() + timeout;
    let watch: Watch | undefined;
    let slice: NodeJS.Timeout | undefined;
    let timer: NodeJS.Timeout | undefined;
    let turns = 0;
    let over = false;

    const end = (settle: () => void) => {
      if (over) return;
      over = true;
      watch?.cancel();
      clearInterval(slice);
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = () => end(() => reject(signal?.reason));
    const pump = () => {
      if (over) return;
      watch?.cancel();
      watch = undefined;
      try {
        for (;;) {
          const expected = awaited.prepareSleep();
          const outcome = awaited.look();
          if (outcome !== undefined) return end(() => resolve(outcome));
          if (now() >= deadline) return end(() => resolve(undefined));
          if (turns < TURNS) {
            turns += 1;
            setImmediate(pump);
            return;
          }
          slice ??= setInterval(lookAround, OWNED_SLICE_MS);
          if (expected === undefined) continue;
          watch = watchWord(heap, address, expected, pump);
          return;
        }
      } catch (error) {
        end(() => reject(error));
      }
    };
    const lookAround = () => {
      try {
        heap.lookAround(OTHERS_AT_ONCE);
      } catch {} // the look meets it, and tells
      pump();
    };
    const arm = () => {
      const left = deadline - now();
      if (left > 0) timer = setTimeout(arm, Math.min(left, LONGEST_TIMER_MS));
      else pump();
    };

    let found: T | undefined;
    try {
      found = awaited.look();
    } catch (error) {
      return reject(error);
    }
    if (found !== undefined) return resolve(found);
    pump();
    if (over) return;
    signal?.addEventListener('abort', onAbort);
    if (timeout !== Number.POSITIVE_INFINITY) arm();
  });
}
