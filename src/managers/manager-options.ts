import { LEAST_HEAP_BYTES, signalOf, timeoutOf } from '../heap/internal.js';

type Fn = (...args: any[]) => any;

/** What a manager may be told. */
export interface ManagerOptions {
  /**
   * Meet the manager of that name, or start it: one for each user of the machine, for processes that have nothing else in
   * common. 1 to 64 letters, digits and `_`, `.`, `-`. Default: a private one, which ends when this process does.
   */
  name?: string;
  /** Called in the server before it serves: an exported function. A named manager that is met has been initialized before. */
  initializer?: Fn;
  initargs?: readonly unknown[];
  /** How long a named manager goes on, in ms, when its last client has gone; the largest that a client asks for. Default: 5000. */
  linger?: number;
  /**
   * The most that all objects of the manager may take of /dev/shm together, in bytes, with what it takes to keep them: 4 MiB
   * (4194304) at least. What would take more fails with a system error `ENOSPC`, whoever does it: nothing is changed then, and
   * it succeeds once something has been deleted, taken or disposed of. Reading an object that is in a container, waiting, and
   * taking with a lease need a few words too, so leave some room: bound queues by `maxsize`, caches by `maxEntries`. What
   * containers have once taken stays theirs, used again and again, and what arrays have taken stays for arrays. Blocks of
   * `SharedMemory` and `ShareableList` are files of their own, and do not count. A named manager that is met has the limit with
   * which it was started. Default: no limit.
   *
   * @example
   * ```ts
   * import { Manager } from 'multiprocess';
   *
   * await using manager = await Manager({ maxBytes: 16 * 2 ** 20 });
   * const cache = manager.dict<string, Uint8Array>();
   * cache.set('kept', new Uint8Array(1000));
   * try {
   *   cache.set('too large', new Uint8Array(20 * 2 ** 20));
   * } catch (error) {
   *   console.log((error as NodeJS.ErrnoException).code); // ENOSPC
   * }
   * console.log([...cache.keys()]); // [ 'kept' ]
   * ```
   */
  maxBytes?: number;
  /**
   * How long `start()` waits for a server, in ms: one of its own to serve, its initializer included, and a named one that
   * somebody else has started, or is starting, to answer, which one that is stopped never does. A named one that is started
   * here has 30000 at least. Default: 30000.
   */
  timeout?: number;
  /** Aborted, ends the wait for the server, and a server of one's own: `start()` rejects with `signal.reason`. */
  signal?: AbortSignal;
  /**
   * How long this process waits for the answer of a call to an object of a registered type, or for one to be made, in ms; then
   * the call throws TimeoutError, but goes on in the server. A server that is stopped (SIGSTOP) or busy answers nobody, and is
   * not dead. Processes that are given the manager or its objects, as children are, go by what it was started with. Default: as
   * long as the method takes.
   */
  callTimeout?: number;
}

export const DEFAULT_LINGER_MS = 5000;
export const DEFAULT_TIMEOUT_MS = 30_000;
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @throws TypeError, RangeError. */
export function checkOptions(options: unknown): ManagerOptions {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) throw new TypeError('The options of a manager are an object.');
  const { name, linger, maxBytes, initializer, initargs } = options as ManagerOptions;
  if (name !== undefined && typeof name !== 'string') throw new TypeError('The name of a manager is a string.');
  if (linger !== undefined) {
    if (typeof linger !== 'number') throw new TypeError('linger is a number of milliseconds.');
    if (!(linger >= 0 && linger <= LONGEST_TIMER_MS)) {
      throw new RangeError(`linger is from 0 to ${LONGEST_TIMER_MS} ms; got ${linger}.`);
    }
  }
  if (maxBytes !== undefined) {
    if (typeof maxBytes !== 'number') throw new TypeError('maxBytes is a number of bytes.');
    if (!(Number.isSafeInteger(maxBytes) && maxBytes >= LEAST_HEAP_BYTES)) {
      throw new RangeError(`maxBytes is a whole number from ${LEAST_HEAP_BYTES} (4 MiB); got ${maxBytes}.`);
    }
  }
  timeoutOf(options);
  timeoutOf({ timeout: (options as ManagerOptions).callTimeout });
  signalOf(options);
  checkInitializer(initializer, initargs);
  return { ...(options as ManagerOptions) };
}

/** @throws TypeError */
export function checkInitializer(initializer: unknown, initargs: unknown): void {
  if (initializer !== undefined && typeof initializer !== 'function') {
    throw new TypeError('The initializer is an exported function.');
  }
  if (initargs !== undefined && !Array.isArray(initargs)) throw new TypeError('initargs is an array.');
}
