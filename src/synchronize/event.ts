import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import {
  atomicLoad,
  compareExchange,
  EXTENT_MASK,
  openPlace,
  Place,
  placeOf,
  root,
  rootKind,
  type SyncWaitOptions,
  stale,
  step,
  timeoutOf,
  WAITERS,
  type WaitOptions,
  wake,
} from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import { callable, type Kind } from './callable.js';
import { Primitive } from './primitive.js';
import { type Awaited, waitFor, waitForSync } from './wait-for.js';

// An event is one word: whether it is set, how often it has been set (which those who wait compare, so that one who is slow
// to wake does not miss that it was set and cleared meanwhile), and whether somebody may be asleep on it.
const SET = 1;
const GENERATION = 2;
const STATE_MASK = 0x7fff_ffff;
const EVERYBODY = 0x7fff_ffff;

/**
 * A flag between processes and worker threads that others can wait for.
 *
 * Whoever waits when it is set goes on, even if it is cleared at once.
 *
 * @throws UnsupportedPlatformError, system errors (`ENOSPC`), and TooManyParticipantsError when it is made.
 *
 * @example
 * ```ts
 * import { Event } from 'multiprocess';
 *
 * const ready = new Event();
 * console.log(await ready.wait({ timeout: 5 })); // false
 * ready.set();
 * console.log(await ready.wait(), ready.isSet()); // true true
 * ready.clear();
 * console.log(ready); // Event { clear }
 * ```
 */
export interface Event {
  isSet(): boolean;
  /** Sets it, and lets go on all who wait. */
  set(): void;
  clear(): void;
  /** Waits until it is set. @returns whether it was in time. @throws (rejects) `signal.reason`; StaleHandleError. */
  wait(): Promise<true>;
  wait(options: WaitOptions): Promise<boolean>;
  /** The same, blocking this thread. */
  waitSync(): true;
  waitSync(options: SyncWaitOptions): boolean;
  readonly handle: Handle<Event>;
  /** Ends it for all: those who wait, and every later use, get StaleHandleError. */
  dispose(): void;
}

class EventClass extends Primitive implements Event {
  static {
    Object.defineProperty(EventClass, 'name', { value: 'Event' });
  }

  readonly #words: Int32Array;
  readonly #index: number;

  constructor(place?: unknown) {
    super('Event', place instanceof Place ? place : (heap) => heap.create(rootKind.event));
    const { heap, at } = this.place;
    this.#words = heap.memory.at(at.address);
    this.#index = (at.address + root.lock) & EXTENT_MASK;
  }

  isSet(): boolean {
    this.#check();
    return (Atomics.load(this.#words, this.#index) & SET) !== 0;
  }

  set(): void {
    this.used();
    this.#check();
    for (;;) {
      const seen = atomicLoad(this.#words, this.#index);
      if (seen & SET) return;
      const next = ((seen + GENERATION) & STATE_MASK) | SET;
      if (compareExchange(this.#words, this.#index, seen, next) !== seen) continue;
      if (seen & WAITERS) {
        step();
        wake(this.place.heap.memory, this.#address, EVERYBODY);
      }
      return;
    }
  }

  clear(): void {
    this.used();
    this.#check();
    for (;;) {
      const seen = atomicLoad(this.#words, this.#index);
      if (!(seen & SET) || compareExchange(this.#words, this.#index, seen, seen & ~SET) === seen) return;
    }
  }

  wait(): Promise<true>;
  wait(options: WaitOptions): Promise<boolean>;
  async wait(options?: WaitOptions): Promise<boolean> {
    this.used();
    return (await waitFor(this.#awaited(), options)) ?? false;
  }

  waitSync(): true;
  waitSync(options: SyncWaitOptions): boolean;
  waitSync(options?: SyncWaitOptions): boolean {
    this.used();
    return waitForSync(this.#awaited(), timeoutOf(options)) ?? false;
  }

  get handle(): Handle<Event> {
    return `mp:event:${this.fields}` as Handle<Event>;
  }

  [inspect.custom](): string {
    if (this.#disposed) return 'Event { disposed }';
    return `Event { ${Atomics.load(this.#words, this.#index) & SET ? 'set' : 'clear'} }`;
  }

  get #address(): number {
    return this.place.at.address + root.lock;
  }

  get #disposed(): boolean {
    return !this.place.heap.exists(this.place.at);
  }

  #check(): void {
    if (this.#disposed) throw stale();
    this.place.heap.participant.check();
  }

  #awaited(): Awaited<true> {
    const since = Atomics.load(this.#words, this.#index) & STATE_MASK & ~SET;
    return {
      heap: this.place.heap,
      address: this.#address,
      look: () => {
        this.#check();
        const seen = atomicLoad(this.#words, this.#index);
        return seen & SET || (seen & STATE_MASK & ~SET) !== since ? true : undefined;
      },
      prepareSleep: () => {
        const seen = atomicLoad(this.#words, this.#index);
        if (seen & WAITERS) return seen;
        const marked = seen | WAITERS;
        return compareExchange(this.#words, this.#index, seen, marked) === seen ? marked : undefined;
      },
    };
  }
}

export const Event: Kind<[], Event> = callable(EventClass as new () => Event);

registerSharedKind<Event>({
  kind: 'event',
  type: EventClass as unknown as abstract new (...args: never[]) => Event,
  handle: (event) => event.handle,
  places: (event) => [placeOf(event)],
  open: (fields) => openPlace(fields, rootKind.event, (place) => new EventClass(place)),
});
