import type { DictProxy } from 'multiprocess';

/** What is known of one client: the window it is in, and how many requests were let through in it and in the one before. */
interface Count {
  readonly window: number;
  readonly before: number;
  readonly now: number;
}

/**
 * Lets each client make so many requests in any stretch of time as long as a window. Whichever process asks: the counts lie
 * in shared memory, and each decision is one atomic step.
 */
export class SlidingWindow {
  readonly #counts: DictProxy<string, Count>;
  readonly #limit: number;
  readonly #windowMs: number;

  constructor(counts: DictProxy<string, Count>, limit: number, windowMs: number) {
    this.#counts = counts;
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Whether this client may make one more request at this time. */
  admits(client: string, time: number): boolean {
    const window = Math.floor(time / this.#windowMs);
    let admitted = false;
    // May run again when another process was faster, so it decides anew each time.
    this.#counts.compute(client, (count) => {
      const before = count?.window === window ? count.before : count?.window === window - 1 ? count.now : 0;
      const now = count?.window === window ? count.now : 0;
      // The part of the window before that still lies within a window's length.
      const rest = 1 - (time / this.#windowMs - window);
      admitted = before * rest + now < this.#limit;
      return { window, before, now: admitted ? now + 1 : now };
    });
    return admitted;
  }

  /** How many requests have been let through in the current window. */
  admitted(client: string): number {
    return this.#counts.get(client)?.now ?? 0;
  }
}
