import { QueueEmptyError } from '../errors/index.js';
import type { Queue } from '../queues/index.js';

/** For so long an idle worker expects more at once. */
const PATIENCE_MS = 100;
/** Its event loop has a turn at least this often. */
const SLICE_MS = 10;

/**
 * Where a worker's tasks come from. Waking a thread that blocks takes a third of what it takes to wake an event loop from the
 * side. So a worker blocks for a while, if nothing that tasks have left behind (timers, sockets, files) needs its event loop.
 */
export class TaskSource {
  readonly #tasks: Queue<unknown>;

  constructor(tasks: Queue<unknown>) {
    this.#tasks = tasks;
  }

  /** The next message. @throws what `Queue.get()` throws. */
  async next(): Promise<unknown> {
    const found = this.#tasks.tryGet();
    if (found !== undefined) return found.value;
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
