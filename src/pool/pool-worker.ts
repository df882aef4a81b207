// The program of a pool's worker: `Process`'s bootstrap imports it in the child, and calls `work`.
import { inspect } from 'node:util';
import { encode } from '../codec/internal.js';
import { NotShareableError, QueueClosedError } from '../errors/index.js';
import { reviveFunction, type TravellingFunction } from '../process/internal.js';
import { FUNCTION, type Job, place, READY, type Report, type WorkerSetup } from './messages.js';
import { packBriefly } from './packed.js';
import { ResultSink } from './result-sink.js';
import { type Sealed, seal, unseal } from './sealed.js';
import { TaskSource } from './task-source.js';

type Fn = (...args: unknown[]) => unknown;
type Failure = [index: number, error: unknown];

/** How long tasks follow each other without giving the worker's event loop a turn, if they don't wait for anything. */
const TURN_MS = 10;
const MOST_UNTIMED = 31;

/** Works until there is nothing more to do; then the process exits, whatever tasks have left running. */
export async function work(setup: WorkerSetup): Promise<never> {
  process.on('SIGINT', () => {}); // Ctrl-C is for whoever made the pool, who then ends it
  const tasks = new TaskSource(setup);
  const results = new ResultSink(setup);
  await initialize(setup, results);
  results.put(READY);
  const worker = new PoolWorker(tasks, results, setup.place);
  for (;;) {
    const message = await next(tasks);
    if (message.value === FUNCTION) await worker.prepare(await next(tasks));
    else await worker.workOn(message);
  }
}

type Message =
  | { readonly value: unknown; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: unknown };

/** The next message of the tasks. An error is one that could not be unpacked. */
async function next(tasks: TaskSource): Promise<Message> {
  try {
    return { value: await tasks.next() };
  } catch (error) {
    if (error instanceof QueueClosedError) process.exit(0); // there is no more to do
    return { error };
  }
}

async function initialize({ first, sealed }: WorkerSetup, results: ResultSink): Promise<void> {
  try {
    const fn = await first.get();
    if (fn === null) return;
    const initializer = await reviveFunction((sealed ? unseal(fn as Sealed) : fn) as TravellingFunction);
    // Unpacked when the function is there: its module may register their types.
    const args = await first.get();
    await initializer(...((sealed ? unseal(args as Sealed) : args) as unknown[]));
  } catch (error) {
    results.put({ values: [], failures: [[0, portableError(error)]] } satisfies Report);
    process.exit(1);
  }
}

class PoolWorker {
  readonly #tasks: TaskSource;
  readonly #results: ResultSink;
  readonly #at: Int32Array;
  #fn: Fn | undefined;
  #spread = false;
  #sealed = false;
  /** Why there is no function. */
  #missing: unknown;
  #turned = performance.now();

  constructor(tasks: TaskSource, results: ResultSink, at: Int32Array) {
    this.#tasks = tasks;
    this.#results = results;
    this.#at = at;
  }

  async prepare(message: Message): Promise<void> {
    this.#fn = undefined;
    try {
      const { fn, spread, sealed } = contentOf(message) as Job;
      this.#spread = spread;
      this.#sealed = sealed;
      this.#fn = await reviveFunction((sealed ? unseal(fn as Sealed) : fn) as TravellingFunction);
    } catch (error) {
      this.#missing = error;
    }
  }

  async workOn(message: Message): Promise<void> {
    const at = this.#at;
    at[place.index] = 0;
    at[place.chunks]! += 1;
    const fn = this.#fn;
    if (message.error !== undefined || fn === undefined) {
      return this.#report([], [[-1, message.error ?? this.#missing]]);
    }
    const items = message.value as ArrayLike<unknown>;
    const sealed = this.#sealed;
    const values = new Array<unknown>(items.length);
    const failures: Failure[] = [];
    // Looking at the clock takes as long as a small task, so of those not each is timed.
    let sinceLook = 0;
    let mayPass = 0;
    for (let i = 0; i < items.length; i++) {
      at[place.index] = i;
      try {
        const item = sealed ? unseal(items[i] as Sealed) : items[i];
        const result = this.#spread ? fn(...(item as unknown[])) : fn(item);
        const value = isThenable(result) ? await result : result;
        values[i] = sealed ? seal(value, 'result') : value;
      } catch (error) {
        failures.push([i, error]);
      }
      if (++sinceLook > mayPass) {
        sinceLook = 0;
        const passed = performance.now() - this.#turned;
        mayPass = passed < TURN_MS / 2 ? Math.min(MOST_UNTIMED, mayPass * 2 + 1) : 0;
        if (passed > TURN_MS) await this.#turn();
      }
    }
    this.#report(values, failures);
  }

  async #turn(): Promise<void> {
    await new Promise(setImmediate);
    this.#turned = performance.now();
  }

  #report(values: unknown[], thrown: Failure[]): void {
    const failures = this.#sealed ? thrown.map(([i, error]): Failure => [i, seal(portableError(error))]) : thrown;
    try {
      this.#results.put(failures.length === 0 ? packBriefly(values) : { values, failures }, !this.#tasks.isEmpty);
    } catch (error) {
      this.#reportWithout(values, failures, error);
    }
  }

  /** Something cannot travel, or does not fit: it becomes an error, and the rest is delivered. */
  #reportWithout(values: unknown[], failures: Failure[], reason: unknown): void {
    const portable = failures.map(([i, error]): Failure => [i, portableError(error)]);
    for (const [i, value] of values.entries()) {
      try {
        encode(value, 'result');
      } catch (error) {
        values[i] = undefined;
        portable.push([i, error]);
      }
    }
    try {
      this.#results.put({ values, failures: portable });
    } catch {
      this.#results.put({ values: [], failures: [[-1, portableError(reason)]] });
    }
  }
}

function contentOf(message: Message): unknown {
  if (message.error !== undefined) throw message.error;
  return message.value;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

function portableError(error: unknown): unknown {
  try {
    encode(error, 'error');
    return error;
  } catch {
    return new NotShareableError(`The task threw ${inspect(error)}, which cannot travel to another process.`);
  }
}
