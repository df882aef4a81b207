// What a pool and one of its workers say to each other, by two queues. Who cannot unpack a message learns only that there was
// one, so which one it was must be known by the order: each message that may be undecodable is announced by one that never is.
//
//   to the worker     a TravellingFunction or null, an array                         by a queue of its own: the initializer
//                     FUNCTION, a Job                                                what the chunks after it are for
//                     a list (packed.ts)                                             a chunk: the tasks' arguments
//   from the worker   READY, or a Report with the initializer's error                first of all
//                     a list, or a Report                                            for each chunk, in order

import type { TravellingFunction } from '../process/internal.js';
import type { Queue } from '../queues/index.js';
import type { Sealed } from './sealed.js';

export const FUNCTION = 'function';
export const READY = 'ready';

/** What is to be done with each task of the chunks that follow. */
export interface Job {
  readonly fn: TravellingFunction | Sealed;
  /** Whether a task is an array of arguments. */
  readonly spread: boolean;
  /** Whether function, tasks, results and errors are sealed: they pass through a process that may not know their types. */
  readonly sealed: boolean;
}

/** How the tasks of a chunk ended, where not all went well. */
export interface Report {
  /** What they returned; `undefined` for those that failed. */
  readonly values: readonly unknown[];
  readonly failures: readonly (readonly [index: number, error: unknown])[];
}

/** What a worker is started with. */
export interface WorkerSetup {
  readonly first: Queue<unknown>;
  readonly tasks: Queue<unknown>;
  readonly results: Queue<unknown>;
  /** Where it is: see `place`. */
  readonly place: Int32Array;
  /** Whether the initializer and its arguments are sealed. */
  readonly sealed: boolean;
}

/**
 * The words in which a worker says where it is, so that whoever finds it dead knows what it was at. `index` is stored before
 * `chunks`, and both before the task begins: a chunk that is not counted has not been begun.
 *
 * `rung` is set by the worker when it has put a result into its queue, after that, and cleared by the pool before it looks for
 * results. Who finds it cleared rings the bell, a byte through a pipe.
 *
 * `quiet` is until when the worker need not ring (`microseconds()`), as long as it has more to do: what it has done by then, the
 * pool looks for by itself soon afterwards. Many small chunks make one wake-up so.
 */
export const place = { chunks: 0, index: 1, rung: 2, gate: 3, quiet: 4, words: 5 } as const;

/**
 * What `place.gate` is. The worker sets it to `taking` before it takes something from its tasks, or waits for something to take,
 * and to `open` afterwards; the pool sets it to `shut` while it takes tasks back. Each only finds it `open` and changes that, so
 * they never take alternately.
 */
export const gate = { open: 0, taking: 1, shut: 2 } as const;

/** The monotonic clock, the same in all processes, as an integer that wraps: two times are compared by their difference. */
export function microseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return (seconds * 1e6 + nanoseconds / 1000) | 0;
}
