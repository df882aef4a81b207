import { QueueClosedError, QueueEmptyError, QueueFullError, ValueError } from '../errors/index.js';
import { closeWrapper, Heap, Place, signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import { Primitive } from '../synchronize/internal.js';
import { prepare } from '../values/internal.js';
import type { QueueType } from './layout.js';
import { Line } from './line.js';
import { createQueue, QueueStore } from './store.js';
import { turnIfDue } from './turns.js';
import { notYet, tryUntil } from './waiting.js';

const MOST_ITEMS = 2 ** 31 - 1;

/**
 * Adds an item if there is room, as `tryPut` does, without waking who waits for one: to be followed by `wakeGetter` in the same
 * turn. Who puts several items at once wakes once, and is not kept from the others by whom it has woken.
 */
export let putQuietly: (queue: object, value: unknown) => boolean;
/** Wakes one of those who wait for an item. */
export let wakeGetter: (queue: object) => void;

/** What all queues have in common. */
export abstract class QueueObject extends Primitive {
  protected readonly store: QueueStore;
  readonly #getters: Line;
  readonly #putters: Line;
  #closed = false;

  static {
    putQuietly = (queue, value) => (queue as QueueObject).tryPutItem(value, false);
    wakeGetter = (queue) => (queue as QueueObject).store.items.wakeOne();
  }

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
      // Most find room at once, and need nothing of what waiting takes.
      if (this.store.seemsWorthPutting(false) && this.store.tryPut(prepared) !== notYet) return;
      const attempt = () => this.store.tryPut(prepared);
      const promising = (waiting: boolean) => this.store.seemsWorthPutting(waiting);
      if (tryUntil(this.store.room, { attempt, promising }, timeout) === notYet) throw full();
    } finally {
      prepared.release();
    }
  }

  protected tryPutItem(value: unknown, wakes = true): boolean {
    this.enter();
    const prepared = prepare(this.place.heap, value, 'item');
    try {
      return this.store.tryPut(prepared, wakes) !== notYet;
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
    if (this.store.seemsWorthTaking()) {
      const found = take();
      if (found !== notYet) return found;
    }
    const promising = () => this.store.seemsWorthTaking();
    const found = tryUntil(this.store.items, { attempt: take, promising }, timeout);
    if (found === notYet) throw empty();
    return found;
  }

  /** An attempt of somebody who has waited: meanwhile it may have been closed. */
  protected attempt<T>(attempt: () => T): T {
    this.check();
    return attempt();
  }

  protected readonly take = () => this.store.tryTake();

  protected get size(): number {
    this.check();
    return this.store.size;
  }

  /** Its handle. @throws QueueClosedError */
  protected handleAs<T>(kind: string): Handle<T> {
    this.check();
    return `mp:${kind}:${this.fields}` as Handle<T>;
  }

  protected show(name: string): string {
    if (this.#closed) return `${name} { closed }`;
    if (!this.place.heap.exists(this.place.at)) return `${name} { disposed }`;
    const { size, ended, kind } = this.store;
    return `${name} { ${size}${kind.maxsize > 0 ? ` of ${kind.maxsize}` : ''}${ended ? ', ended' : ''} }`;
  }
}

/** @throws what the options say at once. */
function checkOptions(options: WaitOptions | undefined): void {
  timeoutOf(options);
  const signal = signalOf(options);
  if (signal?.aborted) throw signal.reason;
}

/** @throws TypeError; RangeError */
export function maxsizeOf(maxsize: unknown = 0): number {
  if (typeof maxsize !== 'number') throw new TypeError(`maxsize is a number of items; got ${typeof maxsize}.`);
  if (!Number.isInteger(maxsize) || maxsize < 0 || maxsize > MOST_ITEMS) {
    throw new RangeError(
      `maxsize is a whole number of items up to ${MOST_ITEMS}, or 0 for as many as there is memory for; got ${maxsize}.`,
    );
  }
  return maxsize;
}

export function full(): QueueFullError {
  return new QueueFullError('The queue was full, and nobody took anything in time.');
}

export function empty(): QueueEmptyError {
  return new QueueEmptyError('Nothing was there to take, and nothing came in time.');
}
