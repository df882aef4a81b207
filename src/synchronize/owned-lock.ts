import { inspect } from 'node:util';
import { DeadlockError, NotOwnerError, TimeoutError } from '../errors/index.js';
import {
  enterWrapper,
  formatPlace,
  Place,
  type SyncWaitOptions,
  timeoutOf,
  treeHeap,
  type WaitOptions,
} from '../heap/internal.js';
import { type Handle, markUncloneable, refuseJson, unsharedWarning } from '../shared-memory/internal.js';
import type { Acquirable, NotPromise } from './acquirable.js';
import { AsyncWaiters } from './async-waiters.js';
import { type Guard, makeGuard } from './guard.js';
import { LockWord } from './lock-word.js';

/** What Lock and RLock have in common: one owner at a time, an environment, which alone may release. */
export abstract class OwnedLock implements Acquirable {
  protected readonly word: LockWord;
  protected readonly waiters: AsyncWaiters;
  readonly #place: Place;
  #warnUnshared: (() => void) | undefined;
  /** Functions of `runSync` that have begun and not ended. */
  #running = 0;
  #listed = false;

  constructor(name: string, kind: number, place: Place | undefined) {
    if (place === undefined) {
      const heap = treeHeap();
      this.#place = new Place(heap, heap.create(kind));
      this.#warnUnshared = unsharedWarning(name);
    } else {
      this.#place = place;
    }
    this.word = new LockWord(this.#place.heap, this.#place.at);
    this.waiters = new AsyncWaiters(this.word);
    enterWrapper(this, this.#place);
    markUncloneable(this);
  }

  /** Enters again what this caller has already. @returns whether that was possible. */
  protected abstract reenter(): boolean;
  /** Called in the very step in which the lock has been taken. */
  protected abstract entered(synchronously: boolean): void;
  /** Called for every release. @returns whether this was one of several, so that the lock is still held. */
  protected abstract staysEntered(): boolean;
  /** Runs `fn` so that what it calls is known to be inside. */
  protected abstract inside<T>(fn: () => T): T;

  acquire(): Promise<true>;
  acquire(options: WaitOptions): Promise<boolean>;
  async acquire(options?: WaitOptions): Promise<boolean> {
    if (this.#warnUnshared !== undefined) this.#warn();
    if (options === undefined) {
      if (this.reenter()) return true;
      // Those who wait here go first.
      if (!this.waiters.any && this.word.takeFree()) {
        this.entered(false);
        return true;
      }
    } else if (options.signal?.aborted !== true && timeoutOf(options) > 0 && this.reenter()) {
      return true;
    }
    return this.waiters.wait(options, () => this.entered(false));
  }

  acquireSync(): true;
  acquireSync(options: SyncWaitOptions): boolean;
  acquireSync(options?: SyncWaitOptions): boolean {
    if (this.#warnUnshared !== undefined) this.#warn();
    if (this.word.takeFree()) {
      if (options !== undefined) this.#checkOptions(options);
      this.entered(true);
      return true;
    }
    return this.#acquireSlowly(timeoutOf(options));
  }

  tryAcquire(): boolean {
    if (this.#warnUnshared !== undefined) this.#warn();
    if (this.word.takeFree() || this.#tryHard()) {
      this.entered(true);
      return true;
    }
    return this.reenter();
  }

  release(): void {
    if (this.staysEntered()) return;
    if (this.word.release()) {
      if (this.waiters.any) this.waiters.released();
      return;
    }
    // The lock that was held has been disposed of, and with it the need to release it.
    if (this.word.disposed) return;
    throw new NotOwnerError(
      'This thread does not hold the lock, so it cannot release it. To let others release, use Semaphore(1) or Event.',
    );
  }

  locked(): boolean {
    this.word.check();
    return this.word.isTaken;
  }

  /** Whether the holder before the last one here died with the lock. Then what it protects may be half-done. */
  get ownerDied(): boolean {
    return this.word.ownerDied;
  }

  async guard(options?: WaitOptions): Promise<Guard> {
    if (!(await (options === undefined ? this.acquire() : this.acquire(options)))) throw inTime(options);
    return makeGuard(() => this.release(), this.ownerDied);
  }

  guardSync(options?: SyncWaitOptions): Guard {
    if (!(options === undefined ? this.acquireSync() : this.acquireSync(options))) throw inTime(options);
    return makeGuard(() => this.release(), this.ownerDied);
  }

  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError('run takes a function.');
    if (!(await (options === undefined ? this.acquire() : this.acquire(options)))) throw inTime(options);
    try {
      return await this.inside(fn);
    } finally {
      this.release();
    }
  }

  runSync<T>(fn: () => NotPromise<T>, options?: SyncWaitOptions): T {
    if (typeof fn !== 'function') throw new TypeError('runSync takes a function.');
    if (!(options === undefined ? this.acquireSync() : this.acquireSync(options))) throw inTime(options);
    this.#running += 1;
    if (!this.#listed) this.#listen();
    try {
      // What it calls is in the same synchronous stretch, so an RLock knows it for what is inside.
      const result: unknown = fn();
      if (typeof (result as PromiseLike<unknown> | null)?.then === 'function') {
        throw new TypeError('The function of runSync returned a promise; the lock would not be held until it settles.');
      }
      return result as T;
    } finally {
      if (this.#running > 0) {
        this.#running -= 1;
        this.release();
      }
    }
  }

  /**
   * JavaScript can be cut short (a `vm` timeout) without `finally`: in a fresh turn of the loop no function of `runSync` is
   * running, so whatever is still counted then has been. Listens for one tick only, so that it keeps no lock alive.
   */
  #listen(): void {
    const { onTick } = this.#place.heap;
    const look = () => {
      onTick.delete(look);
      this.#listed = false;
      for (; this.#running > 0; this.#running--) if (this.word.isOwn) this.release();
    };
    this.#listed = true;
    onTick.add(look);
  }

  /** Ends the lock for all who use it: those who wait, and every later use, throw `StaleHandleError`. */
  dispose(): void {
    const { heap, at } = this.#place;
    heap.dispose(at);
    this.waiters.released();
  }

  /** @throws TypeError: a lock is no data. */
  toJSON(): never {
    return refuseJson(this.constructor.name);
  }

  protected get fields(): string {
    return formatPlace(this.#place);
  }

  [inspect.custom](): string {
    const state = this.word.disposed ? 'disposed' : this.word.isOwn ? 'held here' : this.word.isTaken ? 'held' : 'free';
    return `${this.constructor.name} { ${state} }`;
  }

  #acquireSlowly(timeout: number): boolean {
    if (this.reenter()) return true;
    if (this.word.isOwn) {
      // Nobody but this thread could let go of it, and this thread would be blocked.
      if (timeout !== Number.POSITIVE_INFINITY) return false;
      throw new DeadlockError(
        'This thread holds the lock already, so a blocking call would wait for ever. Release it first, or wait with acquire().',
      );
    }
    if (timeout <= 0) {
      if (!this.#tryHard()) return false;
    } else if (!this.word.takeSync(timeout)) {
      return false;
    }
    this.entered(true);
    return true;
  }

  /** A try that notices the dead. */
  #tryHard(): boolean {
    if (this.word.attempt(0, true) === 'taken') return true;
    this.word.lookAround();
    return this.word.attempt(0, true) === 'taken';
  }

  /** Options that are wrong are an error even when there was no need to wait. */
  #checkOptions(options: SyncWaitOptions): void {
    try {
      timeoutOf(options);
    } catch (error) {
      this.word.release();
      throw error;
    }
  }

  #warn(): void {
    this.#warnUnshared?.();
    this.#warnUnshared = undefined;
  }
}

function inTime(options: SyncWaitOptions | undefined): TimeoutError {
  return new TimeoutError(`The lock could not be acquired within ${options?.timeout} ms.`);
}

export type { Handle };
