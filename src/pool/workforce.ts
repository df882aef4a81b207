import type { Call } from './chunk.js';
import type { PoolStats } from './pool-stats.js';

/** Who works on the calls of a pool: its crew, or, of a pool in a manager's server, what leads there. */
export interface Workforce {
  /** @throws why there can be no more calls. */
  check(): void;
  readonly isClosed: boolean;
  /** A call has begun, or has more chunks now. */
  enlist(call: Call): void;
  /** A call needs nothing more. */
  finish(call: Call): void;
  /**
   * Nobody waits for a call any more: what no worker has begun of it is dropped.
   *
   * @param end whether workers that are at a task of it are killed, or may get done with it.
   */
  abandon(call: Call, end: boolean): void;
  stats(): PoolStats;
  close(): void;
  terminate(): Promise<void>;
  /** All workers have ended, and none will come. Never rejects. */
  readonly over: Promise<void>;
}
