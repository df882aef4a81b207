import { registerSharedKind } from '../codec/internal.js';
import { atomicStore, EXTENT_MASK, openPlace, Place, placeOf, rootKind } from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import type { Acquirable } from './acquirable.js';
import { callable, type Kind } from './callable.js';
import { CountedPermits, checkCount } from './counted-permits.js';
import { MAX_SEMAPHORE_VALUE, SemaphoreWord } from './semaphore-word.js';
import type { SyncRun } from './take-word.js';

/**
 * A counter between processes and worker threads: `acquire` takes one from it and waits while it is 0, `release` adds.
 *
 * Anybody may release, so it serves for handing things over, too. For the same reason nobody knows whose a permit was: those
 * that a process had when it was killed are lost. Where that matters, use {@link BoundedSemaphore}.
 *
 * @param value how many may enter at first, from 0 to 1 073 741 823. Default: 1.
 * @throws TypeError for a value that is no integer; RangeError for one out of range; UnsupportedPlatformError, system errors
 * (`ENOSPC`), and TooManyParticipantsError when it is made.
 *
 * @example
 * ```ts
 * import { Semaphore } from 'multiprocess';
 *
 * const slots = new Semaphore(2);
 * await slots.acquire();
 * console.log(slots.tryAcquire(), slots.tryAcquire(), slots.value); // true false 0
 * slots.release(2);
 * console.log(slots); // Semaphore { value: 2 }
 * ```
 */
export interface Semaphore extends Acquirable {
  /**
   * Adds `count` (default 1) and wakes as many of those who wait.
   *
   * @throws TypeError and RangeError for a count that is not a positive integer, or too large; StaleHandleError when it has
   * been disposed of.
   */
  release(count?: number): void;
  /** How many may still enter, at this instant. */
  readonly value: number;
  readonly handle: Handle<Semaphore>;
  /** Ends it for all: those who wait, and every later use, get StaleHandleError. */
  dispose(): void;
}

class SemaphoreClass extends CountedPermits<SemaphoreWord> implements Semaphore {
  static {
    Object.defineProperty(SemaphoreClass, 'name', { value: 'Semaphore' });
  }

  constructor(value: unknown = 1) {
    const first = value instanceof Place ? 0 : checkCount('The value of a semaphore', value, 0, MAX_SEMAPHORE_VALUE);
    super(
      'Semaphore',
      value instanceof Place ? value : (heap) => heap.create(rootKind.semaphore),
      (heap, at) => new SemaphoreWord(heap, at),
    );
    // Nobody else knows it yet.
    if (first > 0) atomicStore(this.word.heap.memory.at(this.word.address), this.word.address & EXTENT_MASK, first);
  }

  protected releaseFor(run: SyncRun | undefined, count: number): void {
    this.used();
    checkCount('The number of permits to release', count, 1, MAX_SEMAPHORE_VALUE);
    this.word.check();
    if (!this.word.release(count, run)) {
      throw new RangeError(
        `A semaphore counts to ${MAX_SEMAPHORE_VALUE} at most; releasing ${count} would exceed that.`,
      );
    }
    this.waiters.released();
  }

  get handle(): Handle<Semaphore> {
    return `mp:semaphore:${this.fields}` as Handle<Semaphore>;
  }
}

export const Semaphore: Kind<[value?: number], Semaphore> = callable(
  SemaphoreClass as new (
    value?: number,
  ) => Semaphore,
);

registerSharedKind<Semaphore>({
  kind: 'semaphore',
  type: SemaphoreClass as unknown as abstract new (...args: never[]) => Semaphore,
  handle: (semaphore) => semaphore.handle,
  places: (semaphore) => [placeOf(semaphore)],
  open: (fields) => openPlace(fields, rootKind.semaphore, (place) => new SemaphoreClass(place)),
});
