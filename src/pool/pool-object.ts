import { inspect } from 'node:util';
import { ProcessStateError } from '../errors/index.js';
import type { WaitOptions } from '../heap/internal.js';
import { fulfilledInTime, type TravellingFunction, travelling } from '../process/internal.js';
import { markUncloneable, refuseJson } from '../shared-memory/internal.js';
import { Batch } from './batch.js';
import type { Job } from './messages.js';
import type { PoolStats } from './pool-stats.js';
import { seal } from './sealed.js';
import { Stream } from './stream.js';
import { defaultChunksize, readTaskOptions, type TaskOptions } from './task-options.js';
import type { Workforce } from './workforce.js';

type Fn = (...args: any[]) => any;

export interface PoolFacts {
  readonly processes: number;
  readonly allowSource: boolean;
  /** Whether what is sent to the workers, and comes back, is sealed on the way. */
  readonly sealed: boolean;
}

/** A pool, whoever works for it. */
export abstract class PoolObject {
  readonly #facts: PoolFacts;
  readonly #crew: Workforce;
  /** Of exported functions: workers that have been told of a job already need not be told again. */
  readonly #jobs = new WeakMap<Fn, Job>();
  readonly #spreadJobs = new WeakMap<Fn, Job>();

  constructor(crew: Workforce, facts: PoolFacts) {
    markUncloneable(this);
    this.#crew = crew;
    this.#facts = facts;
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
    const items: readonly unknown[] = spread ? Array.from(iterable, (row) => rowOf(row)) : [...iterable];
    const chunksize = settings.chunksize ?? defaultChunksize(items.length, this.#facts.processes);
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
    const { processes } = this.#facts;
    const { chunksize = 1 } = settings;
    return new Stream(this.#crew, { job, source: source(), total, ordered, chunksize, processes, settings });
  }

  #job(fn: Fn, spread: boolean): Job {
    if (typeof fn !== 'function') throw new TypeError(`The first argument is a function; got ${typeof fn}.`);
    this.#crew.check();
    const jobs = spread ? this.#spreadJobs : this.#jobs;
    const known = jobs.get(fn);
    if (known !== undefined) return known;
    const { allowSource, sealed } = this.#facts;
    const travelled: TravellingFunction = travelling(fn, allowSource);
    const job = { fn: sealed ? seal(travelled, 'fn') : travelled, spread, sealed };
    // What travels as its source takes its variables along as they are at that moment.
    if ('location' in travelled) jobs.set(fn, job);
    return job;
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
