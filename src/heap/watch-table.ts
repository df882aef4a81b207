import { MAX_WAIT_WORDS } from '../os/index.js';

// What an environment and its waiting thread tell each other (watch.ts, wait-helper.ts), in 32-bit words.
export const helper = {
  /** Odd while the table changes. */
  version: 0,
  stop: 1,
  state: 2,
  count: 3,
  expected: 8,
} as const;
/** First word of the addresses, 64 bits each. */
export const HELPER_TABLE = 8 + MAX_WAIT_WORDS;
export const HELPER_WORDS = HELPER_TABLE + 2 * MAX_WAIT_WORDS;

/** What `helper.state` says. The thread goes from one to the next; from NOT_BEGUN its environment may take it to ENDED. */
export const NOT_BEGUN = 0;
/** It loads koffi, which aborts the whole process when the thread is terminated at that: nobody may. */
export const LOADING = 1;
export const RUNNING = 2;
export const ENDED = 3;
