import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { QueueClosedError } from '../errors/index.js';
import { placeOf, type SyncWaitOptions, timeoutOf, type WaitOptions } from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import { callable } from '../synchronize/internal.js';
import { bodyType, type QueueType } from './layout.js';
import type { Lease } from './lease.js';
import { openAs } from './open-as.js';
import { QueueObject } from './queue-object.js';
import type { Taken } from './take.js';
import { notYet } from './waiting.js';

/**
 * A queue of values between processes and worker threads: first in, first out, with any number of producers and consumers.
 *
 * An item is in the queue when `put` returns, so a producer may exit at once. A process that is killed loses at most the item
 * that it was just putting, or that it had just taken; with `{ lease: true }` not even that.
 *
 * What goes in is copied, and what comes out is a copy; shared objects arrive as the same objects. `maxsize` bounds the number
 * of items; without it, memory does.
 *
 * @throws TypeError and RangeError for a `maxsize` that is no whole number of items; UnsupportedPlatformError, system errors
 * (`ENOSPC`), and TooManyParticipantsError when it is made.
 *
 * @example
 * ```ts
 * import { Queue } from 'multiprocess';
 *
 * const queue = new Queue<{ id: number }>(10);
 * await queue.put({ id: 1 });
 * queue.putSync({ id: 2 });
 * console.log(queue); // Queue { 2 of 10 }
 * console.log(await queue.get()); // { id: 1 }
 * console.log(queue.tryGet()); // { value: { id: 2 } }
 * console.log(queue.tryGet()); // undefined
 *
 * await queue.put({ id: 3 });
 * queue.end(); // no more puts, by anybody
 * for await (const { id } of queue) console.log(id); // 3
 * ```
 */
export interface Queue<T = any> extends AsyncIterable<T> {
  /**
   * Adds an item at the end; waits for room if there is none.
   *
   * @throws (rejects) QueueFullError when there was none in time; QueueClosedError when the queue has been ended, or closed
   * here; NotShareableError for what cannot travel; `signal.reason`; StaleHandleError; a system error `ENOSPC`. Then nothing
   * has been added.
   */
  put(item: T, options?: WaitOptions): Promise<void>;
  /** The same, blocking this thread. */
  putSync(item: T, options?: SyncWaitOptions): void;
  /** Adds an item if there is room. @returns whether there was. */
  tryPut(item: T): boolean;
  /**
   * Takes the first item; waits for one if there is none.
   *
   * With `{ lease: true }` the item is only lent, until it is acknowledged or given back: see {@link Lease}.
   *
   * @throws (rejects) QueueEmptyError when none came in time; QueueClosedError when the queue has been ended and nothing is
   * left, or has been closed here; `signal.reason`; StaleHandleError when the queue, or an object in the item, exists no more.
   */
  get(options: WaitOptions & { lease: true }): Promise<Lease<T>>;
  get(options?: WaitOptions & { lease?: false }): Promise<T>;
  /** The same, blocking this thread. */
  getSync(options: SyncWaitOptions & { lease: true }): Lease<T>;
  getSync(options?: SyncWaitOptions & { lease?: false }): T;
  /** Takes the first item if there is one. @throws QueueClosedError; StaleHandleError. */
  tryGet(options: { lease: true }): Lease<T> | undefined;
  tryGet(options?: { lease?: false }): { value: T } | undefined;
  /** How many items there are to get. Others may have changed that already. */
  qsize(): number;
  empty(): boolean;
  full(): boolean;
  /** Ends it for all: nobody puts any more, and when nothing is left, iterations end and `get` throws QueueClosedError. */
  end(): void;
  /** Lets go of it here; what is in it stays for the others. Idempotent. */
  close(): void;
  /** The items, each taken from the queue, until it has been ended and nothing is left. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T>;
  readonly handle: Handle<Queue<T>>;
  /** Ends it for all, with everything in it: those who wait, and every later use, get StaleHandleError. */
  dispose(): void;
}

type GetOptions = WaitOptions & { lease?: boolean | undefined };

/** Queue, and JoinableQueue. */
export class QueueClass<T = any> extends QueueObject implements Queue<T> {
  static {
    Object.defineProperty(QueueClass, 'name', { value: 'Queue' });
  }

  readonly #lease = () => this.store.tryLease() as Lease<T> | typeof notYet;

  constructor(maxsize?: unknown, home?: unknown, name = 'Queue', type: QueueType = bodyType.queue) {
    super(name, type, maxsize, home);
  }

  put(item: T, options?: WaitOptions): Promise<void> {
    return this.putItem(item, options);
  }

  putSync(item: T, options?: SyncWaitOptions): void {
    this.putItemSync(item, timeoutOf(options));
  }

  tryPut(item: T): boolean {
    return this.tryPutItem(item);
  }

  get(options: WaitOptions & { lease: true }): Promise<Lease<T>>;
  get(options?: WaitOptions & { lease?: false }): Promise<T>;
  async get(options?: GetOptions): Promise<unknown> {
    if (isLease(options)) return this.takeItem(this.#lease, options);
    return (await this.takeItem<Taken>(this.take, options)).value;
  }

  getSync(options: SyncWaitOptions & { lease: true }): Lease<T>;
  getSync(options?: SyncWaitOptions & { lease?: false }): T;
  getSync(options?: GetOptions): unknown {
    const timeout = timeoutOf(options);
    if (isLease(options)) return this.takeItemSync(this.#lease, timeout);
    return this.takeItemSync<Taken>(this.take, timeout).value;
  }

  tryGet(options: { lease: true }): Lease<T> | undefined;
  tryGet(options?: { lease?: false }): { value: T } | undefined;
  tryGet(options?: GetOptions): unknown {
    timeoutOf(options);
    this.enter();
    const found = isLease(options) ? this.#lease() : this.take();
    return found === notYet ? undefined : found;
  }

  qsize(): number {
    return this.size;
  }

  empty(): boolean {
    return this.qsize() === 0;
  }

  full(): boolean {
    const { maxsize } = this.store.kind;
    return maxsize > 0 && this.qsize() >= maxsize;
  }

  end(): void {
    this.enter();
    this.store.end();
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<T> {
    for (;;) {
      let taken: Taken;
      try {
        taken = await this.takeItem<Taken>(this.take);
      } catch (error) {
        if (error instanceof QueueClosedError && !this.isClosed) return;
        throw error;
      }
      yield taken.value as T;
    }
  }

  get handle(): Handle<Queue<T>> {
    return this.handleAs('queue');
  }

  [inspect.custom](): string {
    return this.show('Queue');
  }
}

/** @throws TypeError for a `lease` that is no boolean. */
function isLease(options: GetOptions | undefined): boolean {
  const lease = options?.lease ?? false;
  if (typeof lease !== 'boolean') throw new TypeError(`lease is true or false; got ${typeof lease}.`);
  return lease;
}

export const Queue: {
  <T = any>(maxsize?: number): Queue<T>;
  new <T = any>(maxsize?: number): Queue<T>;
  readonly prototype: Queue;
} = callable(QueueClass as unknown as new (maxsize?: number) => Queue) as never;

registerSharedKind<QueueClass>({
  kind: 'queue',
  type: QueueClass,
  handle: (queue) => queue.handle,
  places: (queue) => [placeOf(queue)],
  open: (fields) => openAs(fields, QueueClass),
});
