import { TimeoutError } from '../errors/index.js';
import { fulfilledInTime } from '../process/internal.js';
import type { Call, Chunk, Failures } from './chunk.js';
import type { Job } from './messages.js';
import type { TaskSettings } from './task-options.js';
import type { Workforce } from './workforce.js';

/** So many chunks for each worker are read before somebody takes their results. */
const LOOK_AHEAD_CHUNKS = 8;

type Outcome = { readonly value: unknown } | { readonly error: unknown };
type Source = AsyncIterator<unknown> | Iterator<unknown>;

export interface StreamFacts {
  readonly job: Job;
  readonly source: Source;
  readonly total: number | undefined;
  readonly ordered: boolean;
  readonly chunksize: number;
  readonly processes: number;
  readonly settings: TaskSettings;
}

/** A call whose tasks are read from an iterable as results are taken, so that it may be endless. */
export class Stream implements Call, AsyncIterableIterator<unknown> {
  readonly job: Job;
  readonly retries: number;
  over = false;
  readonly #crew: Workforce;
  readonly #facts: StreamFacts;
  readonly #lookAhead: number;
  readonly #chunks: Chunk[] = [];
  #items: unknown[] = [];
  #read = 0;
  #done = 0;
  #taken = 0;
  /** Outcomes by index that wait for earlier ones; all of them, if the order does not matter. */
  readonly #outcomes = new Map<number, Outcome>();
  #exhausted = false;
  #sourceError: { readonly error: unknown } | undefined;
  #reading = false;
  /** Somebody waits for the next result. */
  #waiting: (() => void)[] = [];
  /** Each `next()` after the one before it. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #onAbort = () => this.#giveUp({ error: this.#facts.settings.signal?.reason }, true);

  constructor(crew: Workforce, facts: StreamFacts) {
    this.#crew = crew;
    this.#facts = facts;
    this.job = facts.job;
    this.retries = facts.settings.retries;
    this.#lookAhead = LOOK_AHEAD_CHUNKS * facts.processes * facts.chunksize;
    facts.settings.signal?.addEventListener('abort', this.#onAbort);
    this.#crew.enlist(this);
    this.#readOn();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const next = this.#turn.then(() => this.#next());
    this.#turn = next.catch(() => {});
    return next;
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#giveUp(undefined, false);
    this.#outcomes.clear();
    return { done: true, value: undefined };
  }

  get unfinished(): number {
    return this.#read - this.#done;
  }

  take(): Chunk | undefined {
    return this.#chunks.shift();
  }

  settle(first: number, values: ArrayLike<unknown>, failures: Failures): void {
    for (let i = 0; i < values.length; i++) this.#outcomes.set(first + i, { value: values[i] });
    for (const [i, error] of failures) this.#outcomes.set(first + i, { error });
    this.#done += Math.max(values.length, failures.length);
    try {
      this.#facts.settings.onProgress?.(this.#done, this.#facts.total);
    } catch (error) {
      return this.#giveUp({ error }, true);
    }
    this.#finishIfDone();
    this.#wake();
  }

  fail(error: unknown): void {
    this.#giveUp({ error }, false);
  }

  async #next(): Promise<IteratorResult<unknown, undefined>> {
    const { timeout } = this.#facts.settings;
    const until = performance.now() + timeout;
    for (;;) {
      const outcome = this.#takeOutcome();
      if (outcome !== undefined) {
        this.#readOn();
        if ('error' in outcome) throw outcome.error;
        return { done: false, value: outcome.value };
      }
      if (this.over) return { done: true, value: undefined };
      const came = new Promise<void>((resolve) => this.#waiting.push(resolve));
      if (!(await fulfilledInTime(came, { timeout: until - performance.now() }))) {
        this.#giveUp({ error: new TimeoutError(`The next result did not come in the ${timeout} ms given.`) }, true);
      }
    }
  }

  #takeOutcome(): Outcome | undefined {
    const key = this.#facts.ordered ? this.#taken : (this.#outcomes.keys().next().value ?? -1);
    const outcome = this.#outcomes.get(key);
    if (outcome !== undefined) {
      this.#outcomes.delete(key);
      this.#taken += 1;
      return outcome;
    }
    if (this.over && this.#sourceError !== undefined) {
      const error = this.#sourceError;
      this.#sourceError = undefined;
      return error;
    }
    return undefined;
  }

  /** Reads on as far as it may. */
  #readOn(): void {
    if (this.#reading || this.#exhausted) return;
    this.#reading = true;
    const step = (result: IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>): boolean => {
      if (isPromise(result)) {
        result.then(
          (settled) => {
            this.#reading = false;
            this.#add(settled);
            this.#readOn();
          },
          (error) => this.#endOfSource({ error }),
        );
        return false;
      }
      this.#add(result);
      return true;
    };
    try {
      while (!this.#exhausted && this.#read + this.#items.length - this.#taken < this.#lookAhead) {
        if (!step(this.#facts.source.next())) return;
      }
      this.#reading = false;
    } catch (error) {
      this.#endOfSource({ error });
    }
  }

  #add({ done, value }: IteratorResult<unknown>): void {
    if (this.#exhausted) return;
    if (done) return this.#endOfSource(undefined);
    this.#items.push(value);
    if (this.#items.length >= this.#facts.chunksize) this.#cut();
  }

  /** What has been read becomes a chunk. */
  #cut(): void {
    const items = this.#items;
    this.#items = [];
    this.#chunks.push({ call: this, first: this.#read, items, deaths: 0 });
    this.#read += items.length;
    this.#crew.enlist(this);
  }

  #endOfSource(error: { readonly error: unknown } | undefined): void {
    this.#reading = false;
    if (this.#exhausted) return;
    this.#exhausted = true;
    this.#sourceError = error;
    if (this.#items.length > 0) this.#cut();
    this.#finishIfDone();
    this.#wake();
  }

  #finishIfDone(): void {
    if (!this.#exhausted || this.#done < this.#read || this.over) return;
    this.over = true;
    this.#facts.settings.signal?.removeEventListener('abort', this.#onAbort);
    this.#crew.finish(this);
  }

  /** Nothing more comes of it but that error. */
  #giveUp(error: { readonly error: unknown } | undefined, end: boolean): void {
    this.#facts.settings.signal?.removeEventListener('abort', this.#onAbort);
    if (!this.over) {
      this.over = true;
      if (error !== undefined) this.#outcomes.clear();
      this.#sourceError = error;
      this.#crew.abandon(this, end);
    }
    if (!this.#exhausted) {
      this.#exhausted = true;
      try {
        const ended = this.#facts.source.return?.() as unknown;
        if (isPromise(ended)) ended.then(undefined, () => {});
      } catch {
        // It has been given up: whatever its source says to that.
      }
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return value !== null && typeof value === 'object' && typeof (value as { then?: unknown }).then === 'function';
}
