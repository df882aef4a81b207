import { signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { checkCount } from './pool-options.js';

/**
 * What a call of a pool may be told besides its tasks: also `timeout` (in ms) and `signal`, which end the workers that are at its
 * tasks.
 *
 * @example
 * ```ts
 * import { Pool } from 'multiprocess';
 *
 * await using pool = new Pool(2);
 * const half = (n: number) => n / 2;
 * await pool.map(half, [2, 4, 6], {
 *   chunksize: 1,
 *   retries: 1,
 *   timeout: 60_000,
 *   onProgress: (done, total) => {
 *     if (done === total) console.log(`${done} of ${total}`); // 3 of 3
 *   },
 * });
 * ```
 */
export interface TaskOptions extends WaitOptions {
  /**
   * How many tasks are handed to a worker at once. Default: 1 for `imap` and `imapUnordered`; otherwise as many as give each
   * worker four chunks, or fewer if they have large arrays (1 MiB together).
   */
  chunksize?: number;
  /** How often a task is tried again whose worker died. Default 0. A task that throws is not tried again. */
  retries?: number;
  /**
   * Called here when tasks are done: with how many of the call are, and how many there are, if that is known. If it throws,
   * the call rejects with that error.
   */
  onProgress?: (done: number, total: number | undefined) => void;
}

/** Options that have been checked. */
export interface TaskSettings {
  readonly chunksize: number | undefined;
  readonly retries: number;
  readonly onProgress: ((done: number, total: number | undefined) => void) | undefined;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws TypeError and RangeError for what is no such option. */
export function readTaskOptions(options: TaskOptions = {}): TaskSettings {
  const timeout = timeoutOf(options);
  const signal = signalOf(options);
  const { chunksize, retries = 0, onProgress } = options;
  if (chunksize !== undefined) checkCount('chunksize', chunksize);
  if (typeof retries !== 'number') throw new TypeError(`retries is a number; got ${typeof retries}.`);
  if (!(retries >= 0) || (retries !== Number.POSITIVE_INFINITY && !Number.isInteger(retries))) {
    throw new RangeError(`retries is a whole number from 0; got ${retries}.`);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') throw new TypeError('onProgress is a function.');
  return { chunksize, retries, onProgress, timeout, signal };
}

const CHUNKS_PER_WORKER = 4;

/** As Python's: so many tasks that each worker gets about four chunks. */
export function defaultChunksize(tasks: number, processes: number): number {
  return Math.max(1, Math.ceil(tasks / (processes * CHUNKS_PER_WORKER)));
}
