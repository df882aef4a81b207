import { makeIn } from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import {
  type AnyType,
  SharedArray,
  type Synchronized,
  type SynchronizedArray,
  type SynchronizedString,
  Value,
  type Write,
} from '../sharedctypes/index.js';
import * as synchronize from '../synchronize/index.js';
import { BaseManager, formatManager, heapOfManager, registerManagerKind } from './base-manager.js';
import type { ManagerOptions } from './manager-options.js';

/**
 * A manager that makes shared objects of this library's kinds. They lie in shared memory: a process that has one reads and
 * writes it directly, and it goes on working when the manager has ended.
 *
 * Each method that makes one returns at once. They throw ManagerNotStartedError and ManagerClosedError, and what making such an
 * object without a manager throws.
 *
 * @example
 * ```ts
 * import { isMainProcess, type Lock, Manager, Process, type Synchronized, type SyncManager } from 'multiprocess';
 *
 * export function work(manager: SyncManager, total: Synchronized<'i'>, lock: Lock): void {
 *   lock.runSync(() => {
 *     total.value += 1;
 *   });
 *   manager.Event().set(); // children make objects in it, too
 * }
 *
 * if (isMainProcess) {
 *   await using manager = await Manager();
 *   const total = manager.Value('i', 40);
 *   const lock = manager.Lock();
 *   const children = [1, 2].map(() => new Process({ target: work, args: [manager, total, lock] }));
 *   for (const child of children) child.start();
 *   for (const child of children) await child.join();
 *   console.log(total.value); // 42
 * }
 * ```
 */
export class SyncManager extends BaseManager {
  Lock(): synchronize.Lock {
    return makeIn(heapOfManager(this), () => new synchronize.Lock());
  }

  RLock(): synchronize.RLock {
    return makeIn(heapOfManager(this), () => new synchronize.RLock());
  }

  Semaphore(value?: number): synchronize.Semaphore {
    return makeIn(heapOfManager(this), () => new synchronize.Semaphore(value));
  }

  BoundedSemaphore(value?: number): synchronize.BoundedSemaphore {
    return makeIn(heapOfManager(this), () => new synchronize.BoundedSemaphore(value));
  }

  /** @param lock the Lock or RLock to use, in whose heap the condition lies then. Default: an RLock of its own. */
  Condition(lock?: synchronize.Lock | synchronize.RLock): synchronize.Condition {
    return makeIn(heapOfManager(this), () => new synchronize.Condition(lock));
  }

  Event(): synchronize.Event {
    return makeIn(heapOfManager(this), () => new synchronize.Event());
  }

  Barrier(parties: number, options?: synchronize.BarrierOptions): synchronize.Barrier {
    return makeIn(heapOfManager(this), () => new synchronize.Barrier(parties, options));
  }

  /** A value with an RLock of its own. */
  Value<C extends AnyType>(type: C, init?: Write<C>): Synchronized<C> {
    return makeIn(heapOfManager(this), () => Value(type, init));
  }

  /** An array with an RLock of its own. */
  Array<C extends AnyType>(
    type: C,
    sizeOrItems: number | Iterable<Write<C>>,
  ): C extends 'c' ? SynchronizedString : SynchronizedArray<C> {
    return makeIn(heapOfManager(this), () => SharedArray(type, sizeOrItems)) as never;
  }

  override get handle(): Handle<SyncManager> {
    return formatManager('manager', this) as Handle<SyncManager>;
  }
}

registerManagerKind('manager', SyncManager, import.meta.url);

/**
 * Starts a manager, or meets the one of that name.
 *
 * @throws (rejects) what the constructor of SyncManager and its `start()` throw.
 *
 * @example
 * ```ts
 * import { Manager } from 'multiprocess';
 *
 * await using manager = await Manager();
 * const ready = manager.Event();
 * ready.set();
 * console.log(ready.isSet()); // true
 * ```
 */
export async function Manager(options?: ManagerOptions): Promise<SyncManager> {
  const manager = new SyncManager(options);
  await manager.start();
  return manager;
}
