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

export const STARTING = 0;
export const RUNNING = 1;
export const ENDED = 2;
