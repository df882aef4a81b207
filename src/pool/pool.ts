import { inspect } from 'node:util';
import { encode } from '../codec/internal.js';
import { ProcessStateError } from '../errors/index.js';
import type { WaitOptions } from '../heap/internal.js';
import { fulfilledInTime, travelling } from '../process/internal.js';
import { markUncloneable, refuseJson } from '../shared-memory/internal.js';
import { callable, type Kind } from '../synchronize/internal.js';
import { Batch } from './batch.js';
import { Crew } from './crew.js';
import type { Job } from './messages.js';
import { type PoolArgs, type PoolSettings, readPoolArgs } from './pool-options.js';
import type { PoolStats } from './pool-stats.js';
import { Stream } from './stream.js';
import { defaultChunksize, readTaskOptions, type TaskOptions } from './task-options.js';

type Fn = (...args: any[]) => any;

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

class PoolClass implements Pool {
  static {
    Object.defineProperty(PoolClass, 'name', { value: 'Pool' });
  }

  readonly #settings: PoolSettings;
  readonly #crew: Crew;

  constructor(...args: PoolArgs) {
    const settings = readPoolArgs(args);
    const { initializer, initargs, processes, maxTasksPerChild, allowSource } = settings;
    encode(initargs, 'initargs');
    markUncloneable(this);
    this.#settings = settings;
    this.#crew = new Crew({
      size: processes,
      maxTasks: maxTasksPerChild,
      initializer: { fn: initializer === undefined ? null : travelling(initializer, allowSource), args: initargs },
    });
  }

  async apply(fn: Fn, args: readonly unknown[] = [], options?: TaskOptions): Promise<any> {
    if (!Array.isArray(args)) throw new TypeError('args is an array of arguments.');
    const settings = readTaskOptions(options);
    const [result] = await new Batch(this.#crew, this.#job(fn, true), [[...args]], 1, settings).run();
    return result;
  }

  async map(fn: Fn, items: Iterable<unknown>, options?: TaskOptions): Promise<any[]> {
    return this.#all(fn, false, items, options);
  }

  async starmap(fn: Fn, rows: Iterable<readonly unknown[]>, options?: TaskOptions): Promise<any[]> {
    return this.#all(fn, true, rows, options);
  }

  imap(fn: Fn, items: Iterable<unknown> | AsyncIterable<unknown>, options?: TaskOptions): AsyncIterableIterator<any> {
    return this.#stream(fn, items, true, options);
  }

  imapUnordered(
    fn: Fn,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: TaskOptions,
  ): AsyncIterableIterator<any> {
    return this.#stream(fn, items, false, options);
  }

  stats(): PoolStats {
    return this.#crew.stats();
  }

  close(): void {
    this.#crew.close();
  }

  terminate(): Promise<void> {
    return this.#crew.terminate();
  }

  async join(options?: WaitOptions): Promise<boolean> {
    if (!this.#crew.isClosed) {
      throw new ProcessStateError('RUNNING', 'The pool still runs. Call close() or terminate() before join().');
    }
    const alive = setInterval(() => {}, 2 ** 30); // the workers do not keep the event loop so
    try {
      return await fulfilledInTime(this.#crew.over, options);
    } finally {
      clearInterval(alive);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate();
  }

  toJSON(): never {
    return refuseJson('Pool');
  }

  [inspect.custom](): string {
    const { queued, running, workers } = this.stats();
    const closed = this.#crew.isClosed ? ', closed' : '';
    return `Pool { ${workers.length} workers, ${queued} queued, ${running} running${closed} }`;
  }

  async #all(fn: Fn, spread: boolean, iterable: Iterable<unknown>, options?: TaskOptions): Promise<unknown[]> {
    const settings = readTaskOptions(options);
    if (typeof (iterable as Partial<Iterable<unknown>> | undefined)?.[Symbol.iterator] !== 'function') {
      throw new TypeError('The items are an iterable: an array, a Set, a generator. imap() takes async ones.');
    }
    const job = this.#job(fn, spread);
    const items = spread ? Array.from(iterable, (row) => rowOf(row)) : Array.from(iterable);
    const chunksize = settings.chunksize ?? defaultChunksize(items.length, this.#settings.processes);
    settings.signal?.throwIfAborted();
    return new Batch(this.#crew, job, items, chunksize, settings).run();
  }

  #stream(
    fn: Fn,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    ordered: boolean,
    options?: TaskOptions,
  ): AsyncIterableIterator<unknown> {
    const settings = readTaskOptions(options);
    const source = sourceOf(items);
    const job = this.#job(fn, false);
    settings.signal?.throwIfAborted();
    const { length, size } = items as { length?: unknown; size?: unknown };
    const total = typeof length === 'number' ? length : typeof size === 'number' ? size : undefined;
    const { processes } = this.#settings;
    const { chunksize = 1 } = settings;
    return new Stream(this.#crew, { job, source: source(), total, ordered, chunksize, processes, settings });
  }

  #job(fn: Fn, spread: boolean): Job {
    if (typeof fn !== 'function') throw new TypeError(`The first argument is a function; got ${typeof fn}.`);
    this.#crew.check();
    return { fn: travelling(fn, this.#settings.allowSource), spread };
  }
}

function rowOf(row: unknown): unknown[] {
  if (typeof (row as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] !== 'function') {
    throw new TypeError('Each row of starmap() is an array of arguments.');
  }
  return [...(row as Iterable<unknown>)];
}

function sourceOf(items: unknown): () => Iterator<unknown> | AsyncIterator<unknown> {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = (items ?? {}) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >;
  if (typeof later === 'function') return () => later.call(items);
  if (typeof now === 'function') return () => now.call(items);
  throw new TypeError('The items are an iterable or an async iterable.');
}

export const Pool: Kind<PoolArgs, Pool> = callable(PoolClass as unknown as new (...args: PoolArgs) => Pool);
