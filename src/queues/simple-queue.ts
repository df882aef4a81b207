import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { placeOf } from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import { callable } from '../synchronize/internal.js';
import { bodyType } from './layout.js';
import { openAs } from './open-as.js';
import { QueueObject } from './queue-object.js';

/**
 * A queue with little to it: unbounded, and never ended.
 *
 * @throws UnsupportedPlatformError, system errors (`ENOSPC`), and TooManyParticipantsError when it is made.
 *
 * @example
 * ```ts
 * import { SimpleQueue } from 'multiprocess';
 *
 * const queue = new SimpleQueue<string>();
 * queue.put('hello');
 * console.log(queue.empty()); // false
 * console.log(await queue.get()); // hello
 * ```
 */
export interface SimpleQueue<T = any> {
  /** Adds an item at the end. @throws NotShareableError; QueueClosedError; StaleHandleError; a system error `ENOSPC`. */
  put(item: T): void;
  /** Takes the first item; waits for one if there is none. @throws (rejects) QueueClosedError; StaleHandleError. */
  get(): Promise<T>;
  /** The same, blocking this thread. */
  getSync(): T;
  empty(): boolean;
  /** Lets go of it here: later uses throw QueueClosedError. Idempotent. */
  close(): void;
  readonly handle: Handle<SimpleQueue<T>>;
  /** Ends it for all: those who wait, and every later use, get StaleHandleError. */
  dispose(): void;
}

class SimpleQueueClass<T = any> extends QueueObject implements SimpleQueue<T> {
  static {
    Object.defineProperty(SimpleQueueClass, 'name', { value: 'SimpleQueue' });
  }

  constructor(place?: unknown, home?: unknown) {
    super('SimpleQueue', bodyType.simple, place ?? 0, home);
  }

  put(item: T): void {
    this.tryPutItem(item);
  }

  async get(): Promise<T> {
    return (await this.takeItem(this.take)).value as T;
  }

  getSync(): T {
    return this.takeItemSync(this.take, Number.POSITIVE_INFINITY).value as T;
  }

  empty(): boolean {
    return this.size === 0;
  }

  get handle(): Handle<SimpleQueue<T>> {
    return this.handleAs('simplequeue');
  }

  [inspect.custom](): string {
    return this.show('SimpleQueue');
  }
}

export const SimpleQueue: {
  <T = any>(): SimpleQueue<T>;
  new <T = any>(): SimpleQueue<T>;
  readonly prototype: SimpleQueue;
} = callable(SimpleQueueClass as unknown as new () => SimpleQueue) as never;

registerSharedKind<SimpleQueueClass>({
  kind: 'simplequeue',
  type: SimpleQueueClass,
  handle: (queue) => queue.handle,
  places: (queue) => [placeOf(queue)],
  open: (fields) => openAs(fields, SimpleQueueClass),
});
