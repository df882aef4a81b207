import { registerSharedKind } from '../codec/internal.js';
import { NotOwnerError, ValueError } from '../errors/index.js';
import { MAX_BLOCK_WORDS, openPlace, Place, placeOf, rootKind } from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import type { Acquirable } from './acquirable.js';
import { callable, type Kind } from './callable.js';
import { CountedPermits, checkCount } from './counted-permits.js';
import { PermitWord } from './permit-word.js';
import type { SyncRun } from './take-word.js';

/**
 * So many permits, each of which has an owner: whoever acquired one gives back that one. So its value never exceeds what it
 * began with, and the permits of a thread or process that dies come back.
 *
 * @param value how many permits there are, from 0 to 4 128 768. Default: 1. Each takes 4 bytes.
 * @throws TypeError for a value that is no integer; RangeError for one out of range; UnsupportedPlatformError, system errors
 * (`ENOSPC`), and TooManyParticipantsError when it is made.
 *
 * @example
 * ```ts
 * import { BoundedSemaphore } from 'multiprocess';
 *
 * const connections = new BoundedSemaphore(2);
 * await connections.run(async () => {
 *   console.log(connections.value); // 1
 * });
 * console.log(connections); // BoundedSemaphore { value: 2 }
 * ```
 */
export interface BoundedSemaphore extends Acquirable {
  /**
   * Gives back `count` permits (default 1) that this thread has.
   *
   * @throws ValueError when nobody has one; NotOwnerError when others have, and this thread does not have so many: then
   * nothing has changed. TypeError and RangeError for a count that is not a positive integer. After `dispose()` it does
   * nothing.
   */
  release(count?: number): void;
  /** How many permits nobody has, at this instant. */
  readonly value: number;
  readonly handle: Handle<BoundedSemaphore>;
  /** Ends it for all: those who wait, and every later use, get StaleHandleError. */
  dispose(): void;
}

class BoundedSemaphoreClass extends CountedPermits<PermitWord> implements BoundedSemaphore {
  static {
    Object.defineProperty(BoundedSemaphoreClass, 'name', { value: 'BoundedSemaphore' });
  }

  constructor(value: unknown = 1) {
    if (!(value instanceof Place)) checkCount('The value of a bounded semaphore', value, 0, MAX_BLOCK_WORDS);
    super(
      'BoundedSemaphore',
      value instanceof Place ? value : (heap) => heap.createWithBlock(rootKind.boundedSemaphore, value as number),
      (heap, at) => new PermitWord(heap, at),
    );
  }

  protected releaseFor(run: SyncRun | undefined, count: number): void {
    this.used();
    checkCount('The number of permits to release', count, 1, MAX_BLOCK_WORDS);
    if (this.word.disposed) return;
    this.word.heap.participant.check();
    if (this.word.held < count) {
      if (this.word.value === this.word.count) throw new ValueError('The semaphore has been released too many times.');
      throw new NotOwnerError(
        `This thread has ${this.word.held} permits, so it cannot release ${count}. To let others release, use Semaphore.`,
      );
    }
    this.word.release(count, run);
    this.waiters.released();
  }

  protected override abandon(run: SyncRun): void {
    super.abandon(run);
    this.word.reconcile();
  }

  get handle(): Handle<BoundedSemaphore> {
    return `mp:boundedsemaphore:${this.fields}` as Handle<BoundedSemaphore>;
  }
}

export const BoundedSemaphore: Kind<[value?: number], BoundedSemaphore> = callable(
  BoundedSemaphoreClass as new (
    value?: number,
  ) => BoundedSemaphore,
);

registerSharedKind<BoundedSemaphore>({
  kind: 'boundedsemaphore',
  type: BoundedSemaphoreClass as unknown as abstract new (...args: never[]) => BoundedSemaphore,
  handle: (semaphore) => semaphore.handle,
  places: (semaphore) => [placeOf(semaphore)],
  open: (fields) => openPlace(fields, rootKind.boundedSemaphore, (place) => new BoundedSemaphoreClass(place)),
});
