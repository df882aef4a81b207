import { now, signalOf, timeoutOf, WAITERS, type WaitOptions, type Watch, watchWord } from '../heap/internal.js';
import type { TakeWord } from './take-word.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** While somebody waits, the lock is looked at this often whatever happens: lost wake-ups and deaths cost no more. */
const SLICE_MS = 50;
const STARVED_MS = 5;
const TURNS = 2;

interface Waiter {
  readonly since: number;
  readonly deadline: number;
  settle(taken: boolean): void;
  fail(error: unknown): void;
}

/**
 * Those of this environment that wait for a lock or a semaphore without blocking it, first come first served.
 *
 * Only the first one tries. It tries at once, on the next turns of the loop, and whenever the helper says that the word has
 * moved; taking and resolving are one synchronous step, so nobody who gave up has taken the lock.
 */
export class AsyncWaiters {
  readonly #word: TakeWord;
  readonly #waiters: Waiter[] = [];
  #watch: Watch | undefined;
  #slice: NodeJS.Timeout | undefined;
  #turns = 0;
  #slept = false;
  #scheduled = false;

  constructor(word: TakeWord) {
    this.#word = word;
  }

  /**
   * @param onTaken called in the step that takes the lock.
   * @throws (rejects) `signal.reason`; TypeError and RangeError for bad options; StaleHandleError when the lock is disposed.
   */
  wait(options: WaitOptions | undefined, onTaken: () => void): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const timeout = timeoutOf(options);
      const signal = signalOf(options);
      if (signal?.aborted) return reject(signal.reason);
      const since = now();
      let timer: NodeJS.Timeout | undefined;
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        since,
        deadline: since + timeout,
        settle(taken) {
          end();
          if (taken) onTaken();
          resolve(taken);
        },
        fail(error) {
          end();
          reject(error);
        },
      };
      const onAbort = () => {
        this.#remove(waiter);
        waiter.fail(signal?.reason);
      };
      const arm = () => {
        const left = waiter.deadline - now();
        if (left > 0) timer = setTimeout(arm, Math.min(left, LONGEST_TIMER_MS));
        else this.#timeOut(waiter);
      };
      this.#waiters.push(waiter);
      if (this.#waiters.length === 1) this.#pump();
      // Taken, or failed, at once.
      if (!this.#waiters.includes(waiter)) return;
      signal?.addEventListener('abort', onAbort);
      if (timeout !== Number.POSITIVE_INFINITY) arm();
    });
  }

  get any(): boolean {
    return this.#waiters.length > 0;
  }

  /** This environment has let go of the lock: its next waiter may try. In a later turn, so that others have a chance too. */
  released(): void {
    if (this.#waiters.length > 0) this.#soon();
  }

  /** One last try, then it is over. */
  #timeOut(waiter: Waiter): void {
    if (this.#waiters[0] === waiter) this.#pump();
    if (!this.#waiters.includes(waiter)) return;
    this.#remove(waiter);
    waiter.settle(false);
  }

  #remove(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index < 0) return;
    this.#waiters.splice(index, 1);
    if (this.#waiters.length === 0) this.#rest();
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
    try {
      this.#tryFirst();
    } catch (error) {
      // The lock has been disposed of, or this environment was declared dead: all who wait hear of it.
      const all = this.#waiters.splice(0);
      this.#rest();
      for (const waiter of all) waiter.fail(error);
    }
  }

  #tryFirst(): void {
    const first = this.#waiters[0];
    if (first === undefined) return;
    this.#word.check();
    this.#watch?.cancel();
    this.#watch = undefined;
    const mark = this.#slept ? WAITERS : 0;
    for (;;) {
      const clock = now();
      // Nor does a reservation outlast the last try: whom it was for may be gone.
      const pushy = this.#slept || clock - first.since >= STARVED_MS || clock >= first.deadline;
      const outcome = this.#word.attempt(mark, pushy);
      if (outcome === 'taken') {
        this.#waiters.shift();
        this.#turns = 0;
        this.#slept = false;
        if (this.#waiters.length === 0) this.#rest();
        // Of permits there may be more, and nobody tells of those that are there already.
        else this.#soon();
        first.settle(true);
        return;
      }
      if (this.#turns < TURNS) {
        if (this.#turns === 0) this.#word.glance();
        this.#turns += 1;
        this.#soon();
        return;
      }
      this.#keepLooking();
      // Held by this very environment: its release tells.
      if (outcome === 'own') return;
      const expected = this.#word.prepareSleep(now() - first.since >= STARVED_MS);
      if (expected === undefined) {
        if (outcome === 'reserved') return this.#soon();
        continue;
      }
      this.#slept = true;
      this.#watch = watchWord(this.#word.heap, this.#word.address, expected, () => this.#pump());
      return;
    }
  }

  #keepLooking(): void {
    this.#slice ??= setInterval(() => {
      try {
        this.#word.lookAround();
      } catch {} // the next look meets it, and tells those who wait
      this.#pump();
    }, SLICE_MS);
  }

  /** Nobody waits any more. */
  #rest(): void {
    clearInterval(this.#slice);
    this.#slice = undefined;
    this.#turns = 0;
    if (this.#watch !== undefined) {
      this.#watch.cancel();
      this.#watch = undefined;
      // The wake-up may have been meant for us alone.
      if (this.#slept) this.#word.passOn();
    }
    this.#slept = false;
  }
}
