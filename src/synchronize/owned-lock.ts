import { inspect } from 'node:util';
import { DeadlockError, NotOwnerError } from '../errors/index.js';
import { Place, type SyncWaitOptions, timeoutOf, type WaitOptions } from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import { AcquirableObject } from './acquirable-object.js';
import { LockWord } from './lock-word.js';
import type { SyncRun } from './take-word.js';

/** What Lock and RLock have in common: one owner at a time, an environment, which alone may release. */
export abstract class OwnedLock extends AcquirableObject<LockWord> {
  /** The `runSync` that has the lock here, or is about to take it. */
  #holder: SyncRun | undefined;

  constructor(name: string, kind: number, place: unknown) {
    super(name, place instanceof Place ? place : (heap) => heap.create(kind), (heap, at) => new LockWord(heap, at));
  }

  /** How often this environment has entered. */
  protected abstract get level(): number;
  /** Forgets what was entered beyond that. */
  protected abstract unwindTo(level: number): void;
  /** Enters again what this caller has already. @returns whether that was possible. */
  protected abstract reenter(): boolean;
  /** Called in the very step in which the lock has been taken. */
  protected abstract entered(synchronously: boolean): void;
  /** Called for every release. @returns whether this was one of several, so that the lock is still held. */
  protected abstract staysEntered(): boolean;
  /** Lets go of all that this environment has entered, for who waits for a condition. @returns what `enterAsBefore` takes. */
  protected abstract leaveEntirely(): unknown;
  /** Called in the very step in which the lock has been taken again after that. */
  protected abstract enterAsBefore(left: unknown, synchronously: boolean): void;

  acquire(): Promise<true>;
  acquire(options: WaitOptions): Promise<boolean>;
  async acquire(options?: WaitOptions): Promise<boolean> {
    this.used();
    if (options === undefined) {
      if (this.reenter()) return true;
      // Those who wait here go first.
      if (!this.waiters.any && this.word.takeFree()) {
        this.#taken();
        return true;
      }
    } else if (options.signal?.aborted !== true && timeoutOf(options) > 0 && this.reenter()) {
      return true;
    }
    return this.waiters.wait(options, () => this.#taken());
  }

  protected takeSync(options: SyncWaitOptions | undefined, run: SyncRun | undefined): boolean {
    this.used();
    if (this.word.takeFree()) {
      this.#holder = run;
      this.entered(true);
      if (options !== undefined) this.checkOptions(options);
      return true;
    }
    return this.#acquireSlowly(timeoutOf(options), run);
  }

  tryAcquire(): boolean {
    this.used();
    if (this.word.takeFree() || this.tryHard()) {
      this.#holder = undefined;
      this.entered(true);
      return true;
    }
    return this.reenter();
  }

  release(): void {
    if (this.staysEntered()) return;
    this.#letGo();
  }

  locked(): boolean {
    this.word.check();
    return this.word.isTaken;
  }

  /** Whether the holder before the last one here died with the lock. Then what it protects may be half-done. */
  override get ownerDied(): boolean {
    return this.word.ownerDied;
  }

  // Within one synchronous stretch nobody else of this environment takes the lock: it is not its own before, or it stays
  // as it is. So what `#holder` says is true however soon the taking is cut short, and others set it when they have taken.
  protected override begin(run: SyncRun): void {
    const isOwn = this.word.looksOwn;
    // Without the lock there is nothing to unwind to: whoever has it later, has it by itself.
    run.level = isOwn ? this.level : Number.POSITIVE_INFINITY;
    if (!isOwn) this.#holder = run;
  }

  protected abandon(run: SyncRun): void {
    if (!this.word.isOwn) return;
    if (this.#holder === run) {
      this.leaveEntirely();
      this.#letGo();
    } else {
      this.unwindTo(run.level);
    }
  }

  /** For conditions: whether this environment has the lock. */
  static isHeld(lock: OwnedLock): boolean {
    return lock.word.isOwn;
  }

  /** For conditions: lets go of the lock, however often it was entered. @returns how it is taken again, exactly as it was. */
  static leave(lock: OwnedLock): { again(): Promise<void>; againSync(): void } {
    const holder = lock.#holder;
    const left = lock.leaveEntirely();
    lock.#letGo();
    return {
      async again() {
        await lock.waiters.wait(undefined, () => {
          lock.#holder = holder;
          lock.enterAsBefore(left, false);
        });
      },
      againSync() {
        lock.word.takeSync(Number.POSITIVE_INFINITY);
        lock.#holder = holder;
        lock.enterAsBefore(left, true);
      },
    };
  }

  [inspect.custom](): string {
    const state = this.word.disposed ? 'disposed' : this.word.isOwn ? 'held here' : this.word.isTaken ? 'held' : 'free';
    return `${this.constructor.name} { ${state} }`;
  }

  #taken(): void {
    this.#holder = undefined;
    this.entered(false);
  }

  #letGo(): void {
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

  #acquireSlowly(timeout: number, run: SyncRun | undefined): boolean {
    if (this.reenter()) return true;
    if (this.word.isOwn) {
      // Nobody but this thread could let go of it, and this thread would be blocked.
      if (timeout !== Number.POSITIVE_INFINITY) return false;
      throw new DeadlockError(
        'This thread holds the lock already, so a blocking call would wait for ever. Release it first, or wait with acquire().',
      );
    }
    if (timeout <= 0) {
      if (!this.tryHard()) return false;
    } else if (!this.word.takeSync(timeout)) {
      return false;
    }
    this.#holder = run;
    this.entered(true);
    return true;
  }
}

export type { Handle };
