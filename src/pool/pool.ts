import { encode } from '../codec/internal.js';
import type { WaitOptions } from '../heap/internal.js';
import { travelling } from '../process/internal.js';
import { callable, type Kind } from '../synchronize/internal.js';
import { Crew } from './crew.js';
import { PoolObject } from './pool-object.js';
import { type PoolArgs, readPoolArgs } from './pool-options.js';
import type { PoolStats } from './pool-stats.js';
import type { TaskOptions } from './task-options.js';

/**
 * Processes that work on tasks: calls of a function with different arguments.
 *
 * The function is found as the target of a `Process` is. Arguments and results are copied; shared objects and views over shared
 * memory arrive as the same memory. A pool's workers are daemons: they end when this process does, and do not keep it alive,
 * while calls that are not done keep it so.
 *
 * A worker that dies (killed, out of memory, `process.exit()`) fails the task that it was at with {@link WorkerDiedError}, and
 * another one takes its place; with `retries` the task is tried again. A call always ends. The calls reject with what a task
 * throws; with TypeError and RangeError for wrong arguments; NotShareableError for a function, an argument or a result that
 * cannot travel; ClosedError when the pool has been closed or terminated; TimeoutError when not all was done in time and
 * `signal.reason` when aborted, and then workers that are at a task of the call are killed and replaced, as nothing else ends a
 * task. If workers cannot start, because their initializer throws, all calls reject with that error.
 *
 * @throws TypeError and RangeError for wrong options; NotShareableError for an `initializer` or `initargs` that cannot travel;
 * what `Process.start()` throws: when it is made.
 *
 * @example
 * ```ts
 * import { isMainProcess, Pool } from 'multiprocess';
 *
 * export function square(n: number): number {
 *   return n * n;
 * }
 *
 * if (isMainProcess) {
 *   const pool = new Pool(2);
 *   console.log(await pool.map(square, [1, 2, 3])); // [ 1, 4, 9 ]
 *   console.log(await pool.apply(square, [4])); // 16
 *   let sum = 0;
 *   for await (const result of pool.imap(square, [5, 6])) sum += result;
 *   console.log(sum); // 61
 *   await pool.terminate();
 * }
 * ```
 */
export interface Pool {
  /**
   * Calls `fn` once.
   *
   * @param args its arguments.
   */
  apply<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    ...rest: [] extends A ? [args?: Readonly<A>, options?: TaskOptions] : [args: Readonly<A>, options?: TaskOptions]
  ): Promise<Awaited<R>>;
  /**
   * Calls `fn` with each item, and only with it.
   *
   * @returns the results in the order of the items.
   * @throws (rejects) what the iterable throws, then nothing has been begun; when all are done, the error of the first item
   * that failed.
   */
  map<T, R>(fn: (item: T) => R, items: Iterable<T>, options?: TaskOptions): Promise<Awaited<R>[]>;
  /** As `map`, with several arguments: calls `fn(...row)`. */
  starmap<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    rows: Iterable<Readonly<A>>,
    options?: TaskOptions,
  ): Promise<Awaited<R>[]>;
  /**
   * As `map`, but results come one by one in the order of the items, and items are read as results are taken, at most eight
   * chunks for each worker ahead: so there may be no end of them, or they may come with time.
   *
   * A task that fails rejects its `next()`, and those after it go on. `timeout` is for each result. End it by `return()`, or by
   * leaving the loop, if not all are taken.
   *
   * @throws TypeError and RangeError for wrong arguments; NotShareableError; ClosedError.
   */
  imap<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: TaskOptions,
  ): AsyncIterableIterator<Awaited<R>>;
  /** As `imap`, but results come as they are done. */
  imapUnordered<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: TaskOptions,
  ): AsyncIterableIterator<Awaited<R>>;
  /** What it is doing now. */
  stats(): PoolStats;
  /** Takes no more calls; the workers end when those that are under way are done. */
  close(): void;
  /** Ends the workers at once; calls that are under way reject with ClosedError. Resolves when the workers have ended. */
  terminate(): Promise<void>;
  /**
   * Waits until all workers have ended.
   *
   * @returns whether they have in time.
   * @throws (rejects) ProcessStateError unless `close()` or `terminate()` has been called; `signal.reason`; RangeError for NaN.
   */
  join(options?: WaitOptions): Promise<boolean>;
  /** `terminate()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

class PoolClass extends PoolObject implements Pool {
  static {
    Object.defineProperty(PoolClass, 'name', { value: 'Pool' });
  }

  constructor(...args: PoolArgs) {
    const { initializer, initargs, processes, maxTasksPerChild, allowSource, flags } = readPoolArgs(args);
    encode(initargs, 'initargs');
    const fn = initializer === undefined ? null : travelling(initializer, allowSource);
    const crew = new Crew({
      size: processes,
      maxTasks: maxTasksPerChild,
      flags,
      initializer: { fn, args: initargs, sealed: false },
    });
    super(crew, { processes, allowSource, sealed: false });
  }
}

export const Pool: Kind<PoolArgs, Pool> = callable(PoolClass as unknown as new (...args: PoolArgs) => Pool);
