import { writeSync } from 'node:fs';
import { bellDescriptor } from '../process/internal.js';
import type { Queue } from '../queues/index.js';
import { microseconds, place, type WorkerSetup } from './messages.js';

const BYTE = new Uint8Array(1);

/** Where a worker's results go. The pool is woken by a byte through a pipe, which its event loop waits for directly. */
export class ResultSink {
  readonly #results: Queue<unknown>;
  readonly #at: Int32Array;
  readonly #bell = bellDescriptor();

  constructor({ results, place: at }: WorkerSetup) {
    this.#results = results;
    this.#at = at;
  }

  /** @param more whether others will follow, as far as is known. */
  put(message: unknown, more = false): void {
    this.#results.tryPut(message);
    if (more && ((microseconds() - this.#at[place.quiet]!) | 0) < 0) return;
    if (this.#bell === undefined || Atomics.exchange(this.#at, place.rung, 1) !== 0) return;
    try {
      writeSync(this.#bell, BYTE);
    } catch {
      // The pool is gone, and with it whom this is for.
    }
  }
}
