import { open } from '../codec/index.js';
import { ValueError } from '../errors/index.js';
import { openAsOwn, type Place, placeOf, type SyncWaitOptions, type WaitOptions } from '../heap/internal.js';
import { type Acquirable, type Guard, Lock, RLock } from '../synchronize/index.js';
import { type NotPromise, rlockOfMemory } from '../synchronize/internal.js';
import { describe } from './item-type.js';

/** What values and arrays with a lock have in common. */
export interface Locked extends Acquirable {
  /** Lets go. @throws NotOwnerError when this thread does not hold the lock. */
  release(): void;
  /** The lock: its own RLock, or the one it was made with. */
  getLock(): Lock | RLock;
  /**
   * Ends it for all: its handle opens nothing any more, and its own lock is disposed of (one that it was given is not).
   * Whoever has it still reads and writes the memory.
   *
   * @throws StaleHandleError when somebody has already.
   */
  dispose(): void;
}

/** A lock that was given, or that raw memory has of its own: that one is opened when it is first needed. */
export abstract class LockedBase implements Locked {
  readonly #place: Place;
  readonly #given: Lock | RLock | undefined;
  #lock: Lock | RLock | undefined;

  constructor(place: Place, given: Lock | RLock | undefined) {
    this.#place = place;
    this.#given = given;
    this.#lock = given;
  }

  /** Called before a lock is used for the first time. */
  protected abstract used(): void;

  getLock(): Lock | RLock {
    if (this.#lock === undefined) {
      this.used();
      this.#lock = rlockOfMemory(this.#place);
    }
    return this.#lock;
  }

  acquire(): Promise<true>;
  acquire(options: WaitOptions): Promise<boolean>;
  async acquire(options?: WaitOptions): Promise<boolean> {
    return options === undefined ? this.getLock().acquire() : this.getLock().acquire(options);
  }

  acquireSync(): true;
  acquireSync(options: SyncWaitOptions): boolean;
  acquireSync(options?: SyncWaitOptions): boolean {
    return options === undefined ? this.getLock().acquireSync() : this.getLock().acquireSync(options);
  }

  tryAcquire(): boolean {
    return this.getLock().tryAcquire();
  }

  release(): void {
    this.getLock().release();
  }

  async guard(options?: WaitOptions): Promise<Guard> {
    return this.getLock().guard(options);
  }

  guardSync(options?: SyncWaitOptions): Guard {
    return this.getLock().guardSync(options);
  }

  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    return this.getLock().run(fn, options);
  }

  runSync<T>(fn: () => NotPromise<T>, options?: SyncWaitOptions): T {
    return this.getLock().runSync(fn, options);
  }

  dispose(): void {
    if (this.#given === undefined) this.getLock().dispose();
    else this.#place.heap.dispose(this.#place.at);
  }

  protected get places(): Place[] {
    return this.#given === undefined ? [this.#place] : [this.#place, placeOf(this.#given)];
  }

  /** What a handle says of the lock. */
  protected get lockText(): string {
    return this.#given === undefined ? '' : `:${this.#given.handle.slice('mp:'.length)}`;
  }

  static placesOf(value: LockedBase): Place[] {
    return value.places;
  }
}

/** What `lock` means: whether the memory gets a lock of its own, or which one was given. `false` if there is to be none. */
export function lockOption(options: unknown): false | { own: boolean; given: Lock | RLock | undefined } {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new TypeError(`The options are an object, { lock }; got ${describe(options)}.`);
  }
  const lock: unknown = (options as { lock?: unknown } | undefined)?.lock;
  if (lock === false) return false;
  if (lock === undefined || lock === true) return { own: true, given: undefined };
  return { own: false, given: checkLock(lock) };
}

/** @throws TypeError for what is no lock. */
export function checkLock(lock: unknown): Lock | RLock {
  if (lock instanceof Lock || lock instanceof RLock) return lock as Lock | RLock;
  throw new TypeError(`lock is a Lock, an RLock, true or false; got ${describe(lock)}.`);
}

/** The place and the lock at the end of a handle. */
export function splitLock(fields: string): { place: string; lock: string | undefined } {
  const [, place, lock] = /^((?:[^:]*:){3}[^:]*)(?::(.*))?$/s.exec(fields) ?? [];
  if (place === undefined)
    throw new ValueError(`This is not the address of a shared object: '${fields.slice(0, 80)}'.`);
  return { place, lock };
}

/** @throws StaleHandleError when the lock is gone; ValueError for text that means no lock. */
export function openLock(text: string | undefined): Lock | RLock | undefined {
  if (text === undefined) return undefined;
  if (!/^r?lock:/.test(text)) throw new ValueError(`This is no lock: '${text.slice(0, 80)}'.`);
  // The value's wrapper is the environment's, and with it this one.
  return openAsOwn(() => open(`mp:${text}`)) as Lock | RLock;
}
