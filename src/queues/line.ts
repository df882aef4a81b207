import { now, OWNED_SLICE_MS, signalOf, timeoutOf, type WaitOptions, type Watch, watchWord } from '../heap/internal.js';
import type { WaitWord } from './wait-word.js';
import { notYet, OTHERS_AT_ONCE } from './waiting.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const TURNS = 2;

interface Waiter {
  readonly deadline: number;
  /** Tries, and settles the promise if that decides it. */
  attempt(): boolean;
  giveUp(): void;
}

/**
 * Those of this environment that wait for one thing without blocking it, first come first served: only the first one tries.
 *
 * Trying and resolving are one synchronous step, so whoever gave up has taken nothing.
 */
export class Line {
  readonly #word: WaitWord;
  readonly #waiters: Waiter[] = [];
  #watch: Watch | undefined;
  #slice: NodeJS.Timeout | undefined;
  #turns = 0;
  #slept = false;
  #scheduled = false;

  constructor(word: WaitWord) {
    this.#word = word;
  }

  /**
   * @param attempt tries; what it throws ends the waiting of this one.
   * @returns `notYet` when it did not succeed in time.
   * @throws (rejects) `signal.reason`; TypeError and RangeError for bad options; what `attempt` throws.
   */
  wait<T>(attempt: () => T | typeof notYet, options: WaitOptions | undefined): Promise<T | typeof notYet> {
    return new Promise((resolve, reject) => {
      const timeout = timeoutOf(options);
      const signal = signalOf(options);
      if (signal?.aborted) return reject(signal.reason);
      const first = this.#waiters.length === 0 || timeout <= 0;
      if (first) {
        const found = attempt();
        if (found !== notYet || timeout <= 0) return resolve(found);
      }
      let timer: NodeJS.Timeout | undefined;
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        deadline: now() + timeout,
        attempt() {
          try {
            const found = attempt();
            if (found === notYet) return false;
            end();
            resolve(found);
          } catch (error) {
            end();
            reject(error);
          }
          return true;
        },
        giveUp() {
          end();
          resolve(notYet);
        },
      };
      const onAbort = () => {
        end();
        reject(signal?.reason);
        this.#remove(waiter);
      };
      const arm = () => {
        const left = waiter.deadline - now();
        if (left > 0) timer = setTimeout(arm, Math.min(left, LONGEST_TIMER_MS));
        else this.#timeOut(waiter);
      };
      this.#waiters.push(waiter);
      signal?.addEventListener('abort', onAbort);
      if (timeout !== Number.POSITIVE_INFINITY) arm();
      if (first) this.#soon();
    });
  }

  get isEmpty(): boolean {
    return this.#waiters.length === 0;
  }

  /** All who wait here try again: this environment has closed what they wait for. */
  everybodyTries(): void {
    for (const waiter of [...this.#waiters]) if (waiter.attempt()) this.#remove(waiter);
  }

  /** One last try, then it is over. */
  #timeOut(waiter: Waiter): void {
    if (!(this.#waiters[0] === waiter && waiter.attempt())) waiter.giveUp();
    this.#remove(waiter);
  }

  #remove(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index < 0) return;
    this.#waiters.splice(index, 1);
    if (this.#waiters.length === 0) this.#rest();
    else if (index === 0) this.#soon();
  }

  #soon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    const first = this.#waiters[0];
    if (first === undefined) return;
    this.#watch?.cancel();
    this.#watch = undefined;
    const sleeps = this.#turns >= TURNS;
    const expected = sleeps ? this.#word.mark() : 0;
    if (first.attempt()) {
      this.#turns = 0;
      // This wake-up, if it was one, is used. There may be more to take, and nobody tells of what is there already.
      this.#slept = false;
      this.#remove(first);
      return;
    }
    this.#slice ??= setInterval(() => this.#lookAround(), OWNED_SLICE_MS);
    if (!sleeps) {
      this.#turns += 1;
      this.#soon();
      return;
    }
    this.#slept = true;
    this.#watch = watchWord(this.#word.heap, this.#word.address, expected, () => this.#pump());
  }

  #lookAround(): void {
    try {
      this.#word.heap.lookAround(OTHERS_AT_ONCE);
    } catch {} // the next attempt meets it, and tells those who wait
    this.#pump();
  }

  /** Nobody waits any more. */
  #rest(): void {
    clearInterval(this.#slice);
    this.#slice = undefined;
    this.#turns = 0;
    this.#watch?.cancel();
    this.#watch = undefined;
    // The wake-up may have been meant for us alone.
    if (this.#slept) this.#word.wakeOne();
    this.#slept = false;
  }
}
