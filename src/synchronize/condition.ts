import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { NotOwnerError } from '../errors/index.js';
import {
  addReference,
  now,
  openPlace,
  Place,
  placeOf,
  root,
  rootKind,
  type SyncWaitOptions,
  signalOf,
  stale,
  timeoutOf,
  type WaitOptions,
  wrapperAt,
} from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import type { Acquirable, NotPromise } from './acquirable.js';
import { callable, type Kind } from './callable.js';
import { checkCount } from './counted-permits.js';
import { undoneIfCutShort } from './cut-short.js';
import type { Guard } from './guard.js';
import { type Lock, lockAt } from './lock.js';
import { OwnedLock } from './owned-lock.js';
import { Primitive } from './primitive.js';
import { RLock, rlockAt } from './rlock.js';
import { type Awaited, waitFor, waitForSync } from './wait-for.js';
import {
  abandonLine,
  alertAll,
  futexOf,
  grant,
  leaveLine,
  loadFutex,
  seemsGranted,
  standInLine,
  type Waiter,
} from './waiting-list.js';

/**
 * Waiting, with a lock held, until another says that something has changed; between processes and worker threads.
 *
 * `wait` lets go of the lock while it waits, and always has it again before it returns, resolves, or throws, however long
 * that takes. `notify(n)` lets exactly the first n go of those who wait; one who dies, or is aborted, never swallows a
 * notification. Whoever has the lock next finds `ownerDied` if its holder died with it.
 *
 * @param lock the Lock or RLock to use. Default: an RLock of its own.
 * @throws TypeError for anything else; UnsupportedPlatformError, system errors (`ENOSPC`), and TooManyParticipantsError when
 * it is made.
 *
 * @example
 * ```ts
 * import { Condition } from 'multiprocess';
 *
 * const changed = new Condition();
 * let value = 0;
 * const waiting = changed.run(() => changed.waitFor(() => value > 0));
 * await changed.run(() => {
 *   value = 5;
 *   changed.notifyAll();
 * });
 * console.log(await waiting, value); // true 5
 * ```
 */
export interface Condition extends Acquirable {
  release(): void;
  /** Whether the holder before the last one in this thread died with the lock. */
  readonly ownerDied: boolean;
  /**
   * Waits to be notified. The caller has the lock, and has it again afterwards, as often as before.
   *
   * @returns whether it was in time.
   * @throws (rejects) NotOwnerError when this thread does not have the lock; `signal.reason`, when aborted; StaleHandleError
   * when the condition or its lock has been disposed of.
   */
  wait(): Promise<true>;
  wait(options: WaitOptions): Promise<boolean>;
  /** The same, blocking this thread. */
  waitSync(): true;
  waitSync(options: SyncWaitOptions): boolean;
  /**
   * Waits, as `wait`, until `predicate` holds; it is called with the lock held, at first at once.
   *
   * @returns what it returned last: false when it did not hold in time.
   * @throws TypeError when it returns a promise; what it throws.
   */
  waitFor(predicate: () => boolean, options?: WaitOptions): Promise<boolean>;
  /** The same, blocking this thread. */
  waitForSync(predicate: () => boolean, options?: SyncWaitOptions): boolean;
  /**
   * Lets the first `n` (default 1) go of those who wait; they go on when they get the lock.
   *
   * @throws NotOwnerError when this thread does not have the lock; TypeError and RangeError for an `n` that is no integer from
   * 0; StaleHandleError.
   */
  notify(n?: number): void;
  notifyAll(): void;
  readonly handle: Handle<Condition>;
  /** Ends it for all: those who wait, and every later use, get StaleHandleError. The lock stays. */
  dispose(): void;
}

export const ALL = 0x7fff_ffff;

class ConditionClass extends Primitive implements Condition {
  static {
    Object.defineProperty(ConditionClass, 'name', { value: 'Condition' });
  }

  readonly #lock: OwnedLock;

  constructor(found?: unknown) {
    if (found instanceof Place) {
      super('Condition', found);
      this.#lock = lockOf(found);
      return;
    }
    if (found !== undefined && !(found instanceof OwnedLock)) {
      throw new TypeError('The lock of a Condition is a Lock or an RLock.');
    }
    const lock = found ?? (new RLock() as unknown as OwnedLock);
    const { heap, at } = placeOf(lock);
    // In the lock's heap, so that the condition keeps the lock there.
    super(
      'Condition',
      () => heap.create(rootKind.condition, [0, 0, at.address], (tx) => addReference(tx, at.address)),
      heap,
    );
    this.#lock = lock;
  }

  acquire(): Promise<true>;
  acquire(options: WaitOptions): Promise<boolean>;
  acquire(options?: WaitOptions): Promise<boolean> {
    this.used();
    return options === undefined ? this.#lock.acquire() : this.#lock.acquire(options);
  }

  acquireSync(): true;
  acquireSync(options: SyncWaitOptions): boolean;
  acquireSync(options?: SyncWaitOptions): boolean {
    this.used();
    return options === undefined ? this.#lock.acquireSync() : this.#lock.acquireSync(options);
  }

  tryAcquire(): boolean {
    this.used();
    return this.#lock.tryAcquire();
  }

  release(): void {
    this.#lock.release();
  }

  get ownerDied(): boolean {
    return this.#lock.ownerDied;
  }

  guard(options?: WaitOptions): Promise<Guard> {
    return this.#lock.guard(options);
  }

  guardSync(options?: SyncWaitOptions): Guard {
    return this.#lock.guardSync(options);
  }

  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    return this.#lock.run(fn, options);
  }

  runSync<T>(fn: () => NotPromise<T>, options?: SyncWaitOptions): T {
    return this.#lock.runSync(fn, options);
  }

  wait(): Promise<true>;
  wait(options: WaitOptions): Promise<boolean>;
  async wait(options?: WaitOptions): Promise<boolean> {
    timeoutOf(options);
    signalOf(options)?.throwIfAborted();
    this.#checkOwner();
    const deadline = now() + timeoutOf(options);
    const { waiter, over } = this.#standInLine();
    const left = OwnedLock.leave(this.#lock);
    for (;;) {
      let failure: { error: unknown } | undefined;
      let seen: true | undefined;
      try {
        const waiting = waitFor(this.#awaited(waiter), { ...options, timeout: deadline - now() });
        over();
        seen = await waiting;
      } catch (error) {
        failure = { error };
      }
      try {
        await left.again();
      } catch (error) {
        // The lock has been disposed of; who cannot have it again still leaves the queue.
        leaveLine(this.place, waiter, 'unfit');
        throw error;
      }
      if (failure !== undefined) {
        leaveLine(this.place, waiter, 'unfit');
        throw failure.error;
      }
      const outcome = leaveLine(this.place, waiter, seen ? 'granted' : 'overdue');
      if (outcome !== undefined) return outcome;
      OwnedLock.leave(this.#lock);
    }
  }

  waitSync(): true;
  waitSync(options: SyncWaitOptions): boolean;
  waitSync(options?: SyncWaitOptions): boolean {
    const deadline = now() + timeoutOf(options);
    this.#checkOwner();
    const { waiter, over } = this.#standInLine();
    try {
      return this.#waitSync(waiter, deadline);
    } finally {
      over();
    }
  }

  #waitSync(waiter: Waiter, deadline: number): boolean {
    const left = OwnedLock.leave(this.#lock);
    for (;;) {
      let failure: { error: unknown } | undefined;
      let seen: true | undefined;
      try {
        seen = waitForSync(this.#awaited(waiter), deadline - now());
      } catch (error) {
        failure = { error };
      }
      try {
        left.againSync();
      } catch (error) {
        leaveLine(this.place, waiter, 'unfit');
        throw error;
      }
      if (failure !== undefined) {
        leaveLine(this.place, waiter, 'unfit');
        throw failure.error;
      }
      const outcome = leaveLine(this.place, waiter, seen ? 'granted' : 'overdue');
      if (outcome !== undefined) return outcome;
      OwnedLock.leave(this.#lock);
    }
  }

  async waitFor(predicate: () => boolean, options?: WaitOptions): Promise<boolean> {
    const deadline = now() + timeoutOf(options);
    signalOf(options)?.throwIfAborted();
    for (;;) {
      const holds = this.#ask(predicate);
      const left = deadline - now();
      if (holds || left <= 0) return holds;
      await this.wait({ ...options, timeout: left });
    }
  }

  waitForSync(predicate: () => boolean, options?: SyncWaitOptions): boolean {
    const deadline = now() + timeoutOf(options);
    for (;;) {
      const holds = this.#ask(predicate);
      const left = deadline - now();
      if (holds || left <= 0) return holds;
      this.waitSync({ timeout: left });
    }
  }

  notify(n: number = 1): void {
    checkCount('The number of those to notify', n, 0, ALL);
    this.#checkOwner();
    grant(this.place, n);
  }

  notifyAll(): void {
    this.#checkOwner();
    grant(this.place, ALL);
  }

  /** The lock that it was made with, or its own. */
  static lockOf(condition: ConditionClass): Lock | RLock {
    return condition.#lock as unknown as Lock | RLock;
  }

  override dispose(): void {
    super.dispose();
    alertAll(this.place);
  }

  get handle(): Handle<Condition> {
    return `mp:condition:${this.fields}` as Handle<Condition>;
  }

  [inspect.custom](): string {
    if (!this.place.heap.exists(this.place.at)) return 'Condition { disposed }';
    return `Condition { ${inspect(this.#lock)} }`;
  }

  /** @returns also what ends the time in which the waiter would be removed if JavaScript were cut short. */
  #standInLine(): { waiter: Waiter; over: () => void } {
    let standing: Waiter | undefined;
    const over = undoneIfCutShort(this.place.heap, () => {
      if (standing !== undefined) abandonLine(this.place, standing);
    });
    const waiter = standInLine(this.place, (added) => {
      standing = added;
    });
    return { waiter, over };
  }

  #checkOwner(): void {
    this.used();
    if (!this.place.heap.exists(this.place.at)) return; // says so by itself
    if (!OwnedLock.isHeld(this.#lock)) {
      throw new NotOwnerError(
        'This thread does not have the lock of the condition. Call it within run(), or acquire() first.',
      );
    }
  }

  #ask(predicate: () => boolean): boolean {
    if (typeof predicate !== 'function') throw new TypeError('waitFor takes a function that says what to wait for.');
    const result: unknown = predicate();
    if (typeof (result as PromiseLike<unknown> | null)?.then === 'function') {
      throw new TypeError('The predicate of waitFor returned a promise; it is synchronous.');
    }
    return Boolean(result);
  }

  #awaited(waiter: Waiter): Awaited<true> {
    const { heap } = this.place;
    const lock = placeOf(this.#lock);
    return {
      heap,
      address: futexOf(waiter),
      look: () => {
        if (seemsGranted(this.place, waiter)) return true;
        // Without its lock nobody could notify any more. That wakes nobody, so it is found out at the next look.
        if (!lock.heap.exists(lock.at)) throw stale();
        return undefined;
      },
      prepareSleep: () => loadFutex(heap, waiter),
    };
  }
}

/** For who acts for others: the lock of a condition, as an object of its own. */
export function lockOfCondition(condition: Condition): Lock | RLock {
  return ConditionClass.lockOf(condition as unknown as ConditionClass);
}

// A value's own lock is one, too.
const LOCK_KINDS = [rootKind.lock, rootKind.rlock, rootKind.lockedRaw];

/** The lock of a condition that this environment holds. */
function lockOf({ heap, at }: Place): OwnedLock {
  const address = heap.memory.load(at.address + root.c);
  const lock = { address, serial: heap.memory.load(address + root.serial) };
  return wrapperAt(new Place(heap, lock), LOCK_KINDS, (place, kind) =>
    kind === rootKind.lock ? lockAt(place) : rlockAt(place),
  ) as unknown as OwnedLock;
}

export const Condition: Kind<[lock?: Lock | RLock], Condition> = callable(
  ConditionClass as new (
    lock?: Lock | RLock,
  ) => Condition,
);

registerSharedKind<Condition>({
  kind: 'condition',
  type: ConditionClass as unknown as abstract new (...args: never[]) => Condition,
  handle: (condition) => condition.handle,
  places: (condition) => [placeOf(condition)],
  open: (fields) => openPlace(fields, rootKind.condition, (place) => new ConditionClass(place)),
});
