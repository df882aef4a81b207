import { TimeoutError } from '../errors/index.js';
import type { Heap, RootAddress, SyncWaitOptions, WaitOptions } from '../heap/internal.js';
import { type Place, timeoutOf } from '../heap/internal.js';
import type { Acquirable, NotPromise } from './acquirable.js';
import { AsyncWaiters } from './async-waiters.js';
import { type Guard, makeGuard } from './guard.js';
import { Primitive } from './primitive.js';
import type { TakeWord } from './take-word.js';

/** What is acquired and released, however often at once: `guard` and `run` for all of them. */
export abstract class AcquirableObject<W extends TakeWord> extends Primitive implements Acquirable {
  protected readonly word: W;
  protected readonly waiters: AsyncWaiters;

  constructor(
    name: string,
    found: Place | ((heap: Heap) => RootAddress),
    wordAt: (heap: Heap, at: RootAddress) => W,
    home?: Heap,
  ) {
    super(name, found, home);
    this.word = wordAt(this.place.heap, this.place.at);
    this.waiters = new AsyncWaiters(this.word);
  }

  abstract acquire(): Promise<true>;
  abstract acquire(options: WaitOptions): Promise<boolean>;
  abstract acquireSync(): true;
  abstract acquireSync(options: SyncWaitOptions): boolean;
  abstract tryAcquire(): boolean;
  abstract release(): void;

  /** Runs `fn` so that what it calls is known to be inside. */
  protected inside<T>(fn: () => T): T {
    return fn();
  }

  /** Gives back what JavaScript that was cut short (a `vm` timeout) had acquired. */
  protected abstract abandon(): void;

  /** Whether the holder before died with it; semaphores do not tell. */
  get ownerDied(): boolean {
    return false;
  }

  async guard(options?: WaitOptions): Promise<Guard> {
    if (!(await (options === undefined ? this.acquire() : this.acquire(options)))) throw this.inTime(options);
    return makeGuard(() => this.release(), this.ownerDied);
  }

  guardSync(options?: SyncWaitOptions): Guard {
    if (!(options === undefined ? this.acquireSync() : this.acquireSync(options))) throw this.inTime(options);
    return makeGuard(() => this.release(), this.ownerDied);
  }

  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError('run takes a function.');
    if (!(await (options === undefined ? this.acquire() : this.acquire(options)))) throw this.inTime(options);
    try {
      return await this.inside(fn);
    } finally {
      this.release();
    }
  }

  runSync<T>(fn: () => NotPromise<T>, options?: SyncWaitOptions): T {
    if (typeof fn !== 'function') throw new TypeError('runSync takes a function.');
    if (!(options === undefined ? this.acquireSync() : this.acquireSync(options))) throw this.inTime(options);
    const { onTick } = this.place.heap;
    // JavaScript can be cut short without `finally`: then the next turn of the loop finds this entry.
    const cutShort = () => {
      onTick.delete(cutShort);
      this.abandon();
    };
    onTick.add(cutShort);
    try {
      const result: unknown = this.inside(fn);
      if (typeof (result as PromiseLike<unknown> | null)?.then === 'function') {
        throw new TypeError('The function of runSync returned a promise; it would not be held until it settles.');
      }
      return result as T;
    } finally {
      if (onTick.delete(cutShort)) this.release();
    }
  }

  override dispose(): void {
    super.dispose();
    this.waiters.released();
  }

  /** Options that are wrong are an error even when there was no need to wait. */
  protected checkOptions(options: SyncWaitOptions): void {
    try {
      timeoutOf(options);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** A try that notices the dead. */
  protected tryHard(): boolean {
    if (this.word.attempt(0, true) === 'taken') return true;
    this.word.lookAround();
    return this.word.attempt(0, true) === 'taken';
  }

  protected inTime(options: SyncWaitOptions | undefined): TimeoutError {
    return new TimeoutError(`The ${this.constructor.name} could not be acquired within ${options?.timeout} ms.`);
  }
}
