/** What a pool is doing. */
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
