import { constants } from 'node:os';
import { setImmediate } from 'node:timers/promises';

/** Why everything stops: somebody pressed Ctrl-C, or sent another signal that asks the program to end. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`Interrupted by ${signal}.`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Turns signals into an abort, so that the program ends by unwinding: every `using` and `finally` on the way out runs,
 * and nothing stays in shared memory. A second signal ends the program at once.
 */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => controller.abort(new Interrupted(signal)));
  }
  return controller.signal;
}

const LONGEST_BUSY_MILLISECONDS = 50;

/** Lets a long computation on the main thread hear of signals, and timers run, without slowing it down. */
export class Breather {
  readonly #signal: AbortSignal;
  #last = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** To be awaited often. @throws the signal's reason once it has been aborted. */
  async pause(): Promise<void> {
    if (performance.now() - this.#last < LONGEST_BUSY_MILLISECONDS) return;
    await setImmediate();
    this.#signal.throwIfAborted();
    this.#last = performance.now();
  }
}
