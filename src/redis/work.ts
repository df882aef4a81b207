import { MultiprocessError } from '../errors/index.js';
import { type Call, type Chunk, type Failures, type Job, pack } from '../pool/internal.js';
import type { Failed } from './pool-tasks.js';
import { encodeOutcome, type Sealed, seal } from './task-payload.js';

interface WorkTasks {
  readonly retries: number;
  /** Index of the first one in the call that they are of. */
  readonly first: number;
  readonly items: readonly unknown[];
}

interface WorkEnd {
  done(values: readonly unknown[], failures: Failures): void;
  /** It is not the tasks: there is nobody to do them. */
  failed(error: unknown): void;
}

/** A chunk of somebody's, as the crew here sees it: a call that has no other. */
export class Work implements Call {
  readonly job: Job;
  readonly retries: number;
  over = false;
  readonly #first: number;
  readonly #values: unknown[];
  readonly #failures: (readonly [number, unknown])[] = [];
  #chunk: Chunk | undefined;
  #left: number;
  readonly #end: WorkEnd;

  constructor(job: Job, { retries, first, items }: WorkTasks, end: WorkEnd) {
    this.job = job;
    this.retries = retries;
    this.#first = first;
    this.#values = new Array<unknown>(items.length);
    this.#left = items.length;
    this.#chunk = { call: this, first, items, deaths: 0 };
    this.#end = end;
  }

  get unfinished(): number {
    return this.#left;
  }

  take(): Chunk | undefined {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    return chunk;
  }

  settle(first: number, values: ArrayLike<unknown>, failures: Failures): void {
    const at = first - this.#first;
    for (let i = 0; i < values.length; i++) this.#values[at + i] = values[i];
    for (const [i, error] of failures) this.#failures.push([at + i, error]);
    this.#left -= Math.max(values.length, failures.length);
    if (this.#left > 0) return;
    this.over = true;
    this.#end.done(this.#values, this.#failures);
  }

  fail(error: unknown): void {
    this.over = true;
    this.#end.failed(error);
  }
}

/** Values and errors, as the processes have sealed them; those of the crew itself are not. */
export function outcomeOf(values: readonly unknown[], failures: Failures): Buffer {
  const errors: (readonly [number, Sealed])[] = failures.map(([i, error]) => [i, sealedError(error)] as const);
  const plain = values.map((value, i) => {
    if (!isFailed(value)) return value;
    errors.push([i, value.failed]);
    return undefined;
  });
  return encodeOutcome({ values: pack(plain) as ArrayLike<Sealed>, failures: errors });
}

function isFailed(value: unknown): value is Failed {
  return typeof value === 'object' && value !== null && 'failed' in value;
}

function sealedError(error: unknown): Sealed {
  try {
    return seal(error);
  } catch (reason) {
    return seal(new MultiprocessError(String(reason)));
  }
}
