import type { AsyncLocalStorage } from 'node:async_hooks';
import { registerSharedKind } from '../codec/internal.js';
import { openPlace, type Place, placeOf, rootKind, wrapperAt } from '../heap/internal.js';
import type { Acquirable } from './acquirable.js';
import { callable } from './callable.js';
import { type Handle, OwnedLock } from './owned-lock.js';
import { synchronousStretch } from './synchronous-stretch.js';

/**
 * A lock that its holder may acquire again, between processes and worker threads; it is free when released as often.
 *
 * One thread runs many things in turns, and two requests in one server must exclude each other. So acquiring again is
 * possible where it is certain that the same piece of work does it: inside the callback of its own `run` or `runSync`, across
 * `await`s too, and between blocking calls in one synchronous stretch. Any other `acquire()` waits as another process would;
 * any other blocking call, which would wait for ever, throws DeadlockError.
 *
 * A holder that dies does not keep it; see {@link Lock}.
 *
 * @throws UnsupportedPlatformError, system errors (`ENOSPC`), and TooManyParticipantsError when it is made.
 *
 * @example
 * ```ts
 * import { RLock } from 'multiprocess';
 *
 * const lock = new RLock();
 * const save = () => lock.run(async () => 'saved');
 * console.log(await lock.run(async () => await save())); // saved
 *
 * lock.acquireSync();
 * lock.acquireSync(); // the same stretch of code: again
 * lock.release();
 * lock.release();
 * ```
 */
export interface RLock extends Acquirable {
  /** Lets go of it once. @throws NotOwnerError when this thread does not hold it. After `dispose()` it does nothing. */
  release(): void;
  /** Whether somebody holds it. */
  locked(): boolean;
  /** Whether the holder before the last one in this thread died with it. Then what it protects may be half-done. */
  readonly ownerDied: boolean;
  readonly handle: Handle<RLock>;
  /** Ends it for all: those who wait, and every later use, get StaleHandleError. */
  dispose(): void;
}

/** What runs inside the callback of a `run`, and of those around it. */
interface Inside {
  readonly lock: object;
  /** Which of the lock's holdings. A callback that leaves something running is inside no longer once the lock was free. */
  readonly holding: number;
  readonly outer: Inside | undefined;
}

/** How often, and by whom, the lock was entered. */
interface Entered {
  readonly depth: number;
  readonly holding: number;
  readonly stretch: number;
}

let storage: AsyncLocalStorage<Inside> | undefined;

function contexts(): AsyncLocalStorage<Inside> {
  // Loaded on first use: most programs that import the library have no RLock.
  storage ??= new (process.getBuiltinModule('node:async_hooks').AsyncLocalStorage)<Inside>();
  return storage;
}

class RLockClass extends OwnedLock implements RLock {
  static {
    Object.defineProperty(RLockClass, 'name', { value: 'RLock' });
  }

  // Only the owner looks at these, so they lie in its own memory.
  #depth = 0;
  #holding = 0;
  #holdings = 0;
  #stretch = 0;

  constructor(place?: unknown) {
    super('RLock', rootKind.rlock, place);
  }

  get handle(): Handle<RLock> {
    return `mp:rlock:${this.fields}` as Handle<RLock>;
  }

  protected get level(): number {
    return this.#depth;
  }

  protected unwindTo(level: number): void {
    if (this.#depth > level) this.#depth = level;
  }

  protected reenter(): boolean {
    if (!this.word.isOwn || this.#depth === 0) return false;
    if (this.#stretch !== synchronousStretch() && !this.#isInside()) return false;
    this.#depth += 1;
    return true;
  }

  protected entered(synchronously: boolean): void {
    this.#depth = 1;
    this.#holdings += 1;
    this.#holding = this.#holdings;
    this.#stretch = synchronously ? synchronousStretch() : 0;
  }

  protected staysEntered(): boolean {
    if (this.#depth <= 1) {
      this.#depth = 0;
      return false;
    }
    // Not if the lock has been taken from this environment meanwhile, which was declared dead.
    if (!this.word.isOwn) return false;
    this.#depth -= 1;
    return true;
  }

  protected leaveEntirely(): Entered {
    const left = { depth: this.#depth, holding: this.#holding, stretch: this.#stretch };
    this.#depth = 0;
    return left;
  }

  protected enterAsBefore({ depth, holding, stretch }: Entered, synchronously: boolean): void {
    this.#depth = depth;
    // What runs inside the callback of a `run` is inside again.
    this.#holding = holding;
    this.#stretch = synchronously ? stretch : 0;
  }

  protected override inside<T>(fn: () => T): T {
    const als = contexts();
    return als.run({ lock: this, holding: this.#holding, outer: als.getStore() }, fn);
  }

  #isInside(): boolean {
    for (let context = storage?.getStore(); context !== undefined; context = context.outer) {
      if (context.lock === this) return context.holding === this.#holding;
    }
    return false;
  }
}

/** The wrapper of a lock that this environment holds a place at. */
export function rlockAt(place: Place): RLock {
  return new RLockClass(place);
}

export const RLock = callable(RLockClass as new () => RLock);

const RLOCK_KINDS = [rootKind.rlock, rootKind.lockedRaw];

/**
 * The lock that raw memory has of its own, at the memory's place.
 *
 * @throws StaleHandleError when the memory has been disposed of.
 */
export function rlockOfMemory(place: Place): RLock {
  return wrapperAt(place, rootKind.lockedRaw, rlockAt);
}

registerSharedKind<RLock>({
  kind: 'rlock',
  type: RLockClass as unknown as abstract new (...args: never[]) => RLock,
  handle: (lock) => lock.handle,
  places: (lock) => [placeOf(lock)],
  open: (fields) => openPlace(fields, RLOCK_KINDS, rlockAt),
});
