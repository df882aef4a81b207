import { TimeoutError } from '../errors/index.js';
import { fulfilledInTime } from '../process/internal.js';
import type { Call, Chunk, Failures } from './chunk.js';
import type { Crew } from './crew.js';
import type { Job } from './messages.js';
import type { TaskSettings } from './task-options.js';

/** A call whose tasks are all known when it begins, and which is over when all of them are done. */
export class Batch implements Call {
  readonly job: Job;
  readonly retries: number;
  over = false;
  readonly #crew: Crew;
  readonly #items: readonly unknown[];
  readonly #chunksize: number;
  readonly #settings: TaskSettings;
  readonly #values: unknown[];
  #taken = 0;
  #done = 0;
  #failure: { readonly index: number; readonly error: unknown } | undefined;
  #end!: () => void;
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  constructor(crew: Crew, job: Job, items: readonly unknown[], chunksize: number, settings: TaskSettings) {
    this.job = job;
    this.retries = settings.retries;
    this.#crew = crew;
    this.#items = items;
    this.#chunksize = chunksize;
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
    const items = this.#items.slice(first, first + this.#chunksize);
    this.#taken += items.length;
    return { call: this, first, items, deaths: 0 };
  }

  settle(first: number, values: readonly unknown[], failures: Failures): void {
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
