import type { WaitOptions } from '../heap/internal.js';
import type { RedisLock } from './redis-lock.js';
import { RedisObject } from './redis-object.js';

/** The parts of what has a lock of its own that are the lock's, the first being what says that it is there. */
export const LOCK_PARTS = ['lock', 'lock:leases', 'lock:line'] as const;

/** What has a lock, which is an object of its own. */
export abstract class RedisLocked extends RedisObject {
  /** Kept: nobody but its wrapper knows that it is held. */
  #lock: RedisLock | undefined;

  getLock(): Promise<RedisLock> {
    return Promise.resolve(this.ownLock);
  }

  async acquire(options?: WaitOptions): Promise<boolean> {
    return (await this.getLock()).acquire(options);
  }

  async tryAcquire(): Promise<boolean> {
    return (await this.getLock()).tryAcquire();
  }

  async release(): Promise<void> {
    await (await this.getLock()).release();
  }

  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    return (await this.getLock()).run(fn, options);
  }

  /** The RLock that was made with it. */
  protected get ownLock(): RedisLock {
    this.#lock ??= this.objectWithin('rlock', LOCK_PARTS[0]) as RedisLock;
    return this.#lock;
  }
}
