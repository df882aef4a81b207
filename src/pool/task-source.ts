import { QueueEmptyError } from '../errors/index.js';
import type { Queue } from '../queues/index.js';
import { gate, place, type WorkerSetup } from './messages.js';

/** For so long an idle worker expects more at once. */
const PATIENCE_MS = 100;
/** Its event loop has a turn at least this often. */
const SLICE_MS = 10;
/** The pool takes tasks back at the moment. */
const SHUT_MS = 1;

/**
 * Where a worker's tasks come from. Waking a thread that blocks takes a third of what it takes to wake an event loop from the
 * side. So a worker blocks for a while, if nothing that tasks have left behind (timers, sockets, files) needs its event loop.
 */
export class TaskSource {
  readonly #tasks: Queue<unknown>;
  readonly #at: Int32Array;

  constructor({ tasks, place: at }: WorkerSetup) {
    this.#tasks = tasks;
    this.#at = at;
  }

  /** Whether there is nothing to take at the moment. */
  get isEmpty(): boolean {
    return this.#tasks.empty();
  }

  /** The next message. @throws what `Queue.get()` throws. */
  async next(): Promise<unknown> {
    while (Atomics.compareExchange(this.#at, place.gate, gate.open, gate.taking) !== gate.open) {
      await new Promise((resolve) => setTimeout(resolve, SHUT_MS));
    }
    try {
      const found = this.#tasks.tryGet();
      return found === undefined ? await this.#wait() : found.value;
    } finally {
      Atomics.store(this.#at, place.gate, gate.open);
    }
  }

  async #wait(): Promise<unknown> {
    const until = performance.now() + PATIENCE_MS;
    do {
      await new Promise(setImmediate);
      if (process.getActiveResourcesInfo().length > 0) break;
      try {
        return this.#tasks.getSync({ timeout: SLICE_MS });
      } catch (error) {
        if (!(error instanceof QueueEmptyError)) throw error;
      }
    } while (performance.now() < until);
    return this.#tasks.get();
  }
}
