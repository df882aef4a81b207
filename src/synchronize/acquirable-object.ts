import { TimeoutError } from '../errors/index.js';
import type { Heap, RootAddress, SyncWaitOptions, WaitOptions } from '../heap/internal.js';
import { type Place, timeoutOf } from '../heap/internal.js';
import type { Acquirable, NotPromise } from './acquirable.js';
import { AsyncWaiters } from './async-waiters.js';
import { type Guard, makeGuard } from './guard.js';
import { Primitive } from './primitive.js';
import type { SyncRun, TakeWord } from './take-word.js';

/** What is acquired and released, however often at once: `guard` and `run` for all of them. */
export abstract class AcquirableObject<W extends TakeWord> extends Primitive implements Acquirable {
  protected readonly word: W;
  protected readonly waiters: AsyncWaiters;
  /** Those of `runSync` that are not over are the first so many; the others are there to be used again. */
  readonly #runs: SyncRun[] = [];
  #running = 0;
  #listening = false;

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
  acquireSync(): true;
  acquireSync(options: SyncWaitOptions): boolean;
  acquireSync(options?: SyncWaitOptions): boolean {
    return this.takeSync(options, undefined);
  }

  /** Acquires, blocking; for a `runSync`, if one is given. */
  protected abstract takeSync(options: SyncWaitOptions | undefined, run: SyncRun | undefined): boolean;
  abstract tryAcquire(): boolean;
  abstract release(): void;

  /** Runs `fn` so that what it calls is known to be inside. */
  protected inside<T>(fn: () => T): T {
    return fn();
  }

  /** Notes what there was before a `runSync` acquires. */
  protected begin(_run: SyncRun): void {}
  /** Gives back what a `runSync` has acquired. */
  protected giveBack(_run: SyncRun): void {
    this.release();
  }
  /** Gives back what a `runSync` that was cut short had acquired, if it had. */
  protected abstract abandon(run: SyncRun): void;

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
    // JavaScript can be cut short (a `vm` timeout), and then not even `finally` runs. A `runSync` is over at the end of the
    // turn in any case: one that the next tick still finds noted here was cut short. So it is noted before it acquires
    // anything, and until it has given back.
    const position = this.#running;
    const run = this.#runs[position] ?? this.#roomForRun();
    run.acquired = false;
    this.begin(run);
    this.#running += 1;
    if (!this.#listening) this.#listen();
    try {
      if (!this.takeSync(options, run)) throw this.inTime(options);
      run.acquired = true;
      // What it calls is in the same synchronous stretch, so an RLock knows it for what is inside.
      const result: unknown = fn();
      if (typeof (result as PromiseLike<unknown> | null)?.then === 'function') {
        throw new TypeError('The function of runSync returned a promise; it would not be held until it settles.');
      }
      return result as T;
    } finally {
      // Not noted any more if the callback has let a tick pass, as a debugger does: then it has been given back.
      if (this.#running > position) {
        // What the callback has called and left noted here was cut short.
        while (this.#running > position + 1) this.#abandonLast();
        if (run.acquired) this.giveBack(run);
        this.#running = position;
      }
    }
  }

  /** Listens for one tick only, so that it keeps nothing alive. */
  #listen(): void {
    const { onTick } = this.place.heap;
    const look = () => {
      onTick.delete(look);
      this.#listening = false;
      while (this.#running > 0) this.#abandonLast();
    };
    this.#listening = true;
    onTick.add(look);
  }

  #roomForRun(): SyncRun {
    const run: SyncRun = { acquired: false, level: 0 };
    this.#runs.push(run);
    return run;
  }

  #abandonLast(): void {
    this.#running -= 1;
    this.abandon(this.#runs[this.#running]!);
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
