import { cpuCount } from '../process/index.js';

type Fn = (...args: any[]) => any;

/**
 * What a {@link Pool} may be told.
 *
 * @example
 * ```ts
 * import { isMainProcess, Pool } from 'multiprocess';
 *
 * let greeting = '';
 * export function prepare(text: string): void {
 *   greeting = text; // in each worker, before its first task
 * }
 * export function greet(name: string): string {
 *   return `${greeting}, ${name}!`;
 * }
 *
 * if (isMainProcess) {
 *   await using pool = new Pool({ processes: 2, initializer: prepare, initargs: ['Good day'], maxTasksPerChild: 100 });
 *   console.log(await pool.apply(greet, ['Ada'])); // Good day, Ada!
 * }
 * ```
 */
export interface PoolOptions {
  /** How many workers there are. Default: as many as there are processors for this process. */
  processes?: number | undefined;
  /** Called in each worker before its first task. If it throws, the pool is broken, and every call rejects with that error. */
  initializer?: Fn;
  /** What it is called with. */
  initargs?: readonly unknown[];
  /**
   * After so many tasks a worker ends and another one takes its place, so that what tasks leave behind does not pile up. What
   * is handed to a worker at once counts as one: an `apply`, or a chunk of the other calls. Default: workers stay.
   */
  maxTasksPerChild?: number;
  /** Whether functions that no module exports may travel as their source. Default `true`. */
  allowSource?: boolean;
  /**
   * How much memory V8 may take in each worker, in MiB, called as for Node's worker threads. One that needs more dies (of SIGABRT),
   * which fails the task that it was at with WorkerDiedError. What lies outside of V8's heap does not count: buffers, typed
   * arrays, shared memory. Default: Node's.
   */
  resourceLimits?: { readonly maxOldGenerationSizeMb?: number; readonly maxYoungGenerationSizeMb?: number };
}

/**
 * As Python's, or as options alone.
 *
 * @example
 * ```ts
 * import { Pool, type PoolArgs } from 'multiprocess';
 *
 * const alike: PoolArgs[] = [[1], [{ processes: 1 }], []];
 * for (const args of alike) await new Pool(...args).terminate();
 * console.log(alike.length); // 3
 * ```
 */
export type PoolArgs =
  | [options: PoolOptions]
  | [processes?: number, initializer?: Fn, initargs?: readonly unknown[], options?: PoolOptions];

/** Options that have been checked. */
export interface PoolSettings {
  readonly processes: number;
  readonly initializer: Fn | undefined;
  readonly initargs: readonly unknown[];
  readonly maxTasksPerChild: number;
  readonly allowSource: boolean;
  /** Flags for Node that set the limits of memory. */
  readonly flags: readonly string[];
}

/** A heap has places for 512 participants. */
const MOST_PROCESSES = 500;

/** @throws TypeError and RangeError for what is no such option. */
export function readPoolArgs(args: readonly unknown[]): PoolSettings {
  const [first, initializer, initargs, last] = args;
  const given: { [K in keyof PoolOptions]: unknown } =
    typeof first === 'object' && first !== null
      ? first
      : { ...optionsOf(last), ...present({ processes: first, initializer, initargs }) };
  const processes = given.processes === undefined || given.processes === null ? cpuCount() : given.processes;
  checkCount('processes', processes, MOST_PROCESSES);
  const { maxTasksPerChild = Number.POSITIVE_INFINITY, allowSource = true } = given;
  if (maxTasksPerChild !== Number.POSITIVE_INFINITY) checkCount('maxTasksPerChild', maxTasksPerChild);
  if (given.initializer !== undefined && given.initializer !== null && typeof given.initializer !== 'function') {
    throw new TypeError(`initializer is a function; got ${typeof given.initializer}.`);
  }
  if (given.initargs !== undefined && !Array.isArray(given.initargs)) throw new TypeError('initargs is an array.');
  if (typeof allowSource !== 'boolean') throw new TypeError('allowSource is a boolean.');
  return {
    processes,
    initializer: (given.initializer ?? undefined) as Fn | undefined,
    initargs: [...(given.initargs ?? [])],
    maxTasksPerChild: maxTasksPerChild as number,
    allowSource,
    flags: flagsOf(given.resourceLimits),
  };
}

/** Of the young generation there are three parts of the size that the flag sets. */
const SEMI_SPACES = 3;

/** @throws TypeError; RangeError */
function flagsOf(limits: unknown = {}): string[] {
  if (typeof limits !== 'object' || limits === null) throw new TypeError('resourceLimits is an object.');
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, ...others } = limits as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new TypeError(
      `resourceLimits has maxOldGenerationSizeMb and maxYoungGenerationSizeMb, for processes; got ${other}.`,
    );
  }
  const flags: string[] = [];
  if (old !== undefined) {
    checkCount('maxOldGenerationSizeMb', old);
    flags.push(`--max-old-space-size=${old}`);
  }
  if (young !== undefined) {
    checkCount('maxYoungGenerationSizeMb', young);
    flags.push(`--max-semi-space-size=${Math.ceil(young / SEMI_SPACES)}`);
  }
  return flags;
}

function optionsOf(value: unknown): object {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null) throw new TypeError('The options of a Pool are an object.');
  return value;
}

function present(options: PoolOptions | Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
}

/** @throws TypeError; RangeError for anything but a whole number from 1. */
export function checkCount(name: string, value: unknown, most = Number.MAX_SAFE_INTEGER): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${name} is a number; got ${typeof value}.`);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    const range = most === Number.MAX_SAFE_INTEGER ? 'from 1' : `from 1 to ${most}`;
    throw new RangeError(`${name} is a whole number ${range}; got ${value}.`);
  }
}
