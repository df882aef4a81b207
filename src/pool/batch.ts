import { isShared } from '../codec/internal.js';
import { TimeoutError } from '../errors/index.js';
import { fulfilledInTime } from '../process/internal.js';
import type { Call, Chunk, Failures } from './chunk.js';
import type { Job } from './messages.js';
import type { TaskSettings } from './task-options.js';
import type { Workforce } from './workforce.js';

/** A chunk has no more tasks, unless it was asked for so many, when their arrays have so many bytes. */
const MOST_BYTES = 1024 * 1024;
const MOST_ARGUMENTS = 16;

/** A call whose tasks are all known when it begins, and which is over when all of them are done. */
export class Batch implements Call {
  readonly job: Job;
  readonly retries: number;
  over = false;
  readonly #crew: Workforce;
  readonly #items: readonly unknown[];
  readonly #chunksize: number;
  readonly #mostBytes: number;
  readonly #settings: TaskSettings;
  readonly #values: unknown[];
  #taken = 0;
  #done = 0;
  #failure: { readonly index: number; readonly error: unknown } | undefined;
  #end!: () => void;
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  constructor(crew: Workforce, job: Job, items: readonly unknown[], chunksize: number, settings: TaskSettings) {
    this.job = job;
    this.retries = settings.retries;
    this.#crew = crew;
    this.#items = items;
    this.#chunksize = chunksize;
    this.#mostBytes = settings.chunksize === undefined ? MOST_BYTES : Number.POSITIVE_INFINITY;
    this.#settings = settings;
    this.#values = new Array<unknown>(items.length);
  }

  /**
   * What the tasks returned, in order.
   *
   * @throws the error of the first task that failed, when all are done; TimeoutError; `signal.reason`.
   */
  async run(): Promise<unknown[]> {
    if (this.#items.length === 0) return [];
    this.#crew.enlist(this);
    try {
      if (!(await fulfilledInTime(this.#ended, this.#settings))) {
        throw new TimeoutError(
          `Of ${this.#items.length} tasks, ${this.#done} were done in the ${this.#settings.timeout} ms given.`,
        );
      }
    } finally {
      if (!this.over) {
        this.over = true;
        this.#crew.abandon(this, true);
      }
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#values;
  }

  get unfinished(): number {
    return this.#items.length - this.#done;
  }

  take(): Chunk | undefined {
    const first = this.#taken;
    if (first >= this.#items.length) return undefined;
    let end = first;
    let bytes = 0;
    while (end < this.#items.length && end < first + this.#chunksize && (bytes < this.#mostBytes || end === first)) {
      bytes += bytesOf(this.#items[end]);
      end += 1;
    }
    const items = this.#items.slice(first, end);
    this.#taken += items.length;
    return { call: this, first, items, deaths: 0 };
  }

  settle(first: number, values: ArrayLike<unknown>, failures: Failures): void {
    for (let i = 0; i < values.length; i++) this.#values[first + i] = values[i];
    for (const [i, error] of failures) {
      if (this.#failure === undefined || first + i < this.#failure.index) this.#failure = { index: first + i, error };
    }
    this.#done += Math.max(values.length, failures.length);
    try {
      this.#settings.onProgress?.(this.#done, this.#items.length);
    } catch (error) {
      this.#failure = { index: -1, error };
      this.#crew.abandon(this, true);
      return this.#finish();
    }
    if (this.#done === this.#items.length) this.#finish();
  }

  fail(error: unknown): void {
    this.#failure = { index: -1, error };
    this.#finish();
  }

  #finish(): void {
    if (this.over) return;
    this.over = true;
    this.#crew.finish(this);
    this.#end();
  }
}

/** Of what is copied as a whole, in a task or among its arguments. */
function bytesOf(item: unknown): number {
  if (typeof item !== 'object') return 0;
  if (Array.isArray(item)) {
    if (item.length > MOST_ARGUMENTS) return 0;
    return item.reduce<number>((sum, argument) => sum + (Array.isArray(argument) ? 0 : bytesOf(argument)), 0);
  }
  if (!ArrayBuffer.isView(item)) return 0;
  return isShared(item.buffer) ? 0 : item.byteLength;
}
