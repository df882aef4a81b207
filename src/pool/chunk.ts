import type { Job } from './messages.js';

/** A call of a pool: where chunks come from, and where their outcomes go. */
export interface Call {
  readonly job: Job;
  /** How often a task may be tried again whose worker died. */
  readonly retries: number;
  /** Nobody waits for it any more. */
  readonly over: boolean;
  /** Tasks that are known and not done. */
  readonly unfinished: number;
  /** The next chunk to be worked on, if there is one now. */
  take(): Chunk | undefined;
  /** Tasks of a chunk are done: `values[i]` is that of its task `first + i`, unless `failures` says otherwise. */
  settle(first: number, values: ArrayLike<unknown>, failures: Failures): void;
  /** The whole call fails. */
  fail(error: unknown): void;
}

/** By index in the chunk. */
export type Failures = readonly (readonly [index: number, error: unknown])[];

/** Tasks of one call that are handed to a worker at once. */
export interface Chunk {
  readonly call: Call;
  /** Index of its first task in the call. */
  readonly first: number;
  readonly items: readonly unknown[];
  /** How many workers have died of it. */
  readonly deaths: number;
}

/** A part of a chunk. */
export function part(chunk: Chunk, from: number, to: number, deaths = chunk.deaths): Chunk {
  return { ...chunk, first: chunk.first + from, items: chunk.items.slice(from, to), deaths };
}
