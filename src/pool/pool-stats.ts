/**
 * What a pool is doing.
 *
 * @example
 * ```ts
 * import { Pool } from 'multiprocess';
 *
 * await using pool = new Pool(2);
 * await pool.map((n: number) => n + 1, [1, 2, 3]);
 * const { queued, running, done, failed, workers } = pool.stats();
 * console.log({ queued, running, done, failed }); // { queued: 0, running: 0, done: 3, failed: 0 }
 * console.log(workers.every(({ pid, busy }) => pid > 0 && busy >= 0)); // true
 * ```
 */
export interface PoolStats {
  /** Tasks that are known and not begun. */
  queued: number;
  /** Tasks that workers are at. */
  running: number;
  /** Tasks that have returned. */
  done: number;
  /** Tasks that threw, whose worker died, or that were given up. */
  failed: number;
  /** For each worker that lives: how many tasks it has done, and for how many ms it has been at work. */
  workers: { pid: number; tasks: number; busy: number }[];
}
