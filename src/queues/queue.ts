import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { QueueClosedError, QueueEmptyError, QueueFullError, ValueError } from '../errors/index.js';
import {
  closeWrapper,
  Heap,
  openPlace,
  Place,
  placeOf,
  rootKind,
  type SyncWaitOptions,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import { callable, Primitive } from '../synchronize/internal.js';
import { prepare } from '../values/internal.js';
import { bodyType, type QueueType } from './layout.js';
import type { Lease } from './lease.js';
import { Line } from './line.js';
import { createQueue, QueueStore, type Taken } from './store.js';
import { turnIfDue } from './turns.js';
import { notYet, tryUntil } from './waiting.js';

const MOST_ITEMS = 2 ** 31 - 1;

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

/** What all queues have in common. */
export abstract class QueueObject extends Primitive {
  protected readonly store: QueueStore;
  readonly #getters: Line;
  readonly #putters: Line;
  #closed = false;

  /** @param made where it is, or its `maxsize`. */
  constructor(name: string, type: QueueType, made: unknown, home: unknown) {
    const maxsize = made instanceof Place ? 0 : maxsizeOf(made);
    super(
      name,
      made instanceof Place ? made : (heap) => createQueue(heap, { type, maxsize }),
      home instanceof Heap ? home : undefined,
    );
    this.store = new QueueStore(this.place);
    if (this.store.kind.type !== type) throw new ValueError('This handle means a queue of another kind.');
    this.#getters = new Line(this.store.items);
    this.#putters = new Line(this.store.room);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#getters.everybodyTries();
    this.#putters.everybodyTries();
    closeWrapper(this);
  }

  override dispose(): void {
    super.dispose();
    const { items, room, done } = this.store;
    for (const word of [items, room, done]) word.wakeAll();
  }

  protected get isClosed(): boolean {
    return this.#closed;
  }

  /** @throws QueueClosedError */
  protected check(): void {
    if (this.#closed) throw new QueueClosedError('This queue has been closed here. Open its handle to use it again.');
  }

  /** Called first by all that is done with items. */
  protected enter(): void {
    this.used();
    this.check();
  }

  protected async putItem(value: unknown, options?: WaitOptions): Promise<void> {
    this.enter();
    checkOptions(options);
    const prepared = prepare(this.place.heap, value, 'item');
    try {
      if (this.#putters.isEmpty && this.store.tryPut(prepared) !== notYet) return await turnIfDue();
      // Its bytes are overwritten when something else is prepared, and other code runs until there is room.
      const kept = prepared.keep();
      try {
        const attempt = () => this.attempt(() => this.store.tryPut(kept));
        if ((await this.#putters.wait(attempt, options)) === notYet) throw full();
      } finally {
        kept.release();
      }
    } finally {
      prepared.release();
    }
  }

  protected putItemSync(value: unknown, timeout: number): void {
    this.enter();
    const prepared = prepare(this.place.heap, value, 'item');
    try {
      const attempt = () => this.store.tryPut(prepared);
      const promising = () => this.store.seemsWorthPutting();
      if (tryUntil(this.store.room, this.place.at.address, { attempt, promising }, timeout) === notYet) throw full();
    } finally {
      prepared.release();
    }
  }

  protected tryPutItem(value: unknown): boolean {
    this.enter();
    const prepared = prepare(this.place.heap, value, 'item');
    try {
      return this.store.tryPut(prepared) !== notYet;
    } finally {
      prepared.release();
    }
  }

  /** @param take takes from the store; never waits. */
  protected async takeItem<T>(take: () => T | typeof notYet, options?: WaitOptions): Promise<T> {
    this.enter();
    checkOptions(options);
    if (this.#getters.isEmpty) {
      const found = take();
      if (found !== notYet) {
        await turnIfDue();
        return found;
      }
    }
    const found = await this.#getters.wait(() => this.attempt(take), options);
    if (found === notYet) throw empty();
    return found;
  }

  protected takeItemSync<T>(take: () => T | typeof notYet, timeout: number): T {
    this.enter();
    const promising = () => this.store.seemsWorthTaking();
    const found = tryUntil(this.store.items, this.place.at.address, { attempt: take, promising }, timeout);
    if (found === notYet) throw empty();
    return found;
  }

  /** An attempt of somebody who has waited: meanwhile it may have been closed. */
  protected attempt<T>(attempt: () => T): T {
    this.check();
    return attempt();
  }

  protected show(name: string): string {
    if (this.#closed) return `${name} { closed }`;
    if (!this.place.heap.exists(this.place.at)) return `${name} { disposed }`;
    const { size, ended, kind } = this.store;
    return `${name} { ${size}${kind.maxsize > 0 ? ` of ${kind.maxsize}` : ''}${ended ? ', ended' : ''} }`;
  }
}

/** Queue, and JoinableQueue. */
export class QueueClass<T = any> extends QueueObject implements Queue<T> {
  static {
    Object.defineProperty(QueueClass, 'name', { value: 'Queue' });
  }

  readonly #take = () => this.store.tryTake();
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
    return (await this.takeItem<Taken>(this.#take, options)).value;
  }

  getSync(options: SyncWaitOptions & { lease: true }): Lease<T>;
  getSync(options?: SyncWaitOptions & { lease?: false }): T;
  getSync(options?: GetOptions): unknown {
    const timeout = timeoutOf(options);
    if (isLease(options)) return this.takeItemSync(this.#lease, timeout);
    return this.takeItemSync<Taken>(this.#take, timeout).value;
  }

  tryGet(options: { lease: true }): Lease<T> | undefined;
  tryGet(options?: { lease?: false }): { value: T } | undefined;
  tryGet(options?: GetOptions): unknown {
    timeoutOf(options);
    this.enter();
    const found = isLease(options) ? this.#lease() : this.#take();
    return found === notYet ? undefined : found;
  }

  qsize(): number {
    this.check();
    return this.store.size;
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
        taken = await this.takeItem<Taken>(this.#take);
      } catch (error) {
        if (error instanceof QueueClosedError && !this.isClosed) return;
        throw error;
      }
      yield taken.value as T;
    }
  }

  get handle(): Handle<Queue<T>> {
    this.check();
    return `mp:queue:${this.fields}` as Handle<Queue<T>>;
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

/** @throws what the options say at once. */
function checkOptions(options: WaitOptions | undefined): void {
  timeoutOf(options);
  const signal = signalOf(options);
  if (signal?.aborted) throw signal.reason;
}

/** @throws TypeError; RangeError */
function maxsizeOf(maxsize: unknown = 0): number {
  if (typeof maxsize !== 'number') throw new TypeError(`maxsize is a number of items; got ${typeof maxsize}.`);
  if (!Number.isInteger(maxsize) || maxsize < 0 || maxsize > MOST_ITEMS) {
    throw new RangeError(
      `maxsize is a whole number of items up to ${MOST_ITEMS}, or 0 for as many as there is memory for; got ${maxsize}.`,
    );
  }
  return maxsize;
}

function full(): QueueFullError {
  return new QueueFullError('The queue was full, and nobody took anything in time.');
}

function empty(): QueueEmptyError {
  return new QueueEmptyError('The queue was empty, and nothing came in time.');
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
  open: (fields) => openPlace(fields, rootKind.queue, (place) => new QueueClass(place)),
});
