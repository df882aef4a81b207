import type { SyncWaitOptions, WaitOptions } from '../heap/internal.js';
import type { Guard } from './guard.js';

export type NotPromise<T> = T extends PromiseLike<unknown> ? never : T;

/** What can be acquired and released: every kind of lock. Plain names never block the event loop; those in `…Sync` do. */
export interface Acquirable {
  /** Waits for the lock. @returns whether it was acquired in time. */
  acquire(): Promise<true>;
  acquire(options: WaitOptions): Promise<boolean>;
  /** Blocks this thread until the lock is there. @returns whether it was acquired in time. */
  acquireSync(): true;
  acquireSync(options: SyncWaitOptions): boolean;
  /** Tries once. */
  tryAcquire(): boolean;
  /** Acquires, for `using`. @throws (rejects) TimeoutError when not in time. */
  guard(options?: WaitOptions): Promise<Guard>;
  /** Acquires, blocking. @throws TimeoutError when not in time. */
  guardSync(options?: SyncWaitOptions): Guard;
  /** Runs `fn` with the lock held, until what it returns has settled. @throws (rejects) TimeoutError when not in time. */
  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T>;
  /** Runs a synchronous `fn` with the lock held. @throws TimeoutError when not in time; TypeError when it returns a promise. */
  runSync<T>(fn: () => NotPromise<T>, options?: SyncWaitOptions): T;
}
