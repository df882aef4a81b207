import { registerSharedKind } from '../codec/internal.js';
import { openPlace, type Place, placeOf, rootKind } from '../heap/internal.js';
import type { Acquirable } from './acquirable.js';
import { callable } from './callable.js';
import { type Handle, OwnedLock } from './owned-lock.js';

/**
 * A lock between processes and worker threads. Its owner is the thread that acquired it, which alone may release it; it
 * cannot be acquired twice.
 *
 * A holder that dies does not keep it: within about a tenth of a second others get it, and `ownerDied` tells them. A process
 * that is merely stopped (SIGSTOP) is alive, and never robbed.
 *
 * Barging is allowed: who comes just when it is released may take it before those who wait, but nobody waits for long,
 * because a waiter that has stood in line for 5 ms is let in before newcomers.
 *
 * @throws UnsupportedPlatformError, system errors (`ENOSPC`), and TooManyParticipantsError when it is made.
 *
 * @example
 * ```ts
 * import { Lock } from 'multiprocess';
 *
 * const lock = new Lock(); // pass it to a Process in its args, or anywhere as a handle
 * await lock.run(async () => {
 *   // one process at a time
 * });
 *
 * {
 *   using guard = lock.guardSync();
 *   console.log(guard.ownerDied, lock.locked()); // false true
 * }
 * console.log(lock); // Lock { free }
 * ```
 */
export interface Lock extends Acquirable {
  /** Lets go. @throws NotOwnerError when this thread does not hold it. After `dispose()` it does nothing. */
  release(): void;
  /** Whether somebody holds it. */
  locked(): boolean;
  /** Whether the holder before the last one in this thread died with it. Then what it protects may be half-done. */
  readonly ownerDied: boolean;
  readonly handle: Handle<Lock>;
  /** Ends it for all: those who wait, and every later use, get StaleHandleError. */
  dispose(): void;
}

class LockClass extends OwnedLock implements Lock {
  static {
    Object.defineProperty(LockClass, 'name', { value: 'Lock' });
  }

  constructor(place?: unknown) {
    super('Lock', rootKind.lock, place);
  }

  get handle(): Handle<Lock> {
    return `mp:lock:${this.fields}` as Handle<Lock>;
  }

  protected get level(): number {
    return 0; // it cannot be entered twice, so there is nothing to unwind to
  }

  protected unwindTo(): void {}

  protected reenter(): boolean {
    return false;
  }

  protected entered(): void {}

  protected staysEntered(): boolean {
    return false;
  }

  protected leaveEntirely(): undefined {}

  protected enterAsBefore(): void {}
}

/** The wrapper of a lock that this environment holds a place at. */
export function lockAt(place: Place): Lock {
  return new LockClass(place);
}

export const Lock = callable(LockClass as new () => Lock);

registerSharedKind<Lock>({
  kind: 'lock',
  type: LockClass as unknown as abstract new (...args: never[]) => Lock,
  handle: (lock) => lock.handle,
  places: (lock) => [placeOf(lock)],
  open: (fields) => openPlace(fields, rootKind.lock, lockAt),
});
