import {
  type DictOptions,
  type DictProxy,
  type ListProxy,
  SharedDict,
  SharedList,
  SharedNamespace,
  type SharedRecord,
} from '../collections/index.js';
import type { Pool, PoolArgs } from '../pool/index.js';
import { JoinableQueue, Queue } from '../queues/index.js';
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
import { typeOf } from '../sharedctypes/internal.js';
import * as synchronize from '../synchronize/index.js';
import { BaseManager, formatManager, registerManagerKind } from './base-manager.js';
import type { ManagerOptions } from './manager-options.js';
import { makeOrFind, type Named } from './names.js';
import { makePool } from './pool/make-pool.js';

/**
 * A manager that makes shared objects of this library's kinds. They lie in shared memory: a process that has one reads and
 * writes it directly, and it goes on working when the manager has ended.
 *
 * Each method that makes one returns at once. With `{ name }` it gets the object of that name, or makes it: whoever is first,
 * the others get the same one. It lives as long as the manager; `dispose()` ends it and frees its name. They throw
 * ManagerNotStartedError and ManagerClosedError, NameConflictError when the name is that of an object of another kind, TypeError
 * and ValueError for a wrong name, and what making such an object without a manager throws.
 *
 * @example
 * ```ts
 * import { type DictProxy, isMainProcess, Manager, Process, type SyncManager } from 'multiprocess';
 *
 * export function work(manager: SyncManager, results: DictProxy<string, number>, id: number): void {
 *   results.set(`worker ${id}`, id * id);
 *   manager.list<string>([], { name: 'log' }).append(`${id} is done`); // children make objects in it, too
 * }
 *
 * if (isMainProcess) {
 *   const manager = await Manager();
 *   const results = manager.dict<string, number>();
 *   const children = [1, 2].map((id) => new Process({ target: work, args: [manager, results, id] }));
 *   for (const child of children) child.start();
 *   for (const child of children) await child.join();
 *   console.log(results.get('worker 2'), manager.list([], { name: 'log' }).length); // 4 2
 *   await manager.shutdown();
 *   console.log(results.size); // 2
 * }
 * ```
 */
export class SyncManager extends BaseManager {
  /** As `SharedDict`: with a name, `init` and the other options count only when it is made. */
  dict<K = any, V = any>(init?: Iterable<readonly [K, V]> | null, options?: DictOptions): DictProxy<K, V>;
  dict<S extends Record<string, any>>(init: S, options?: DictOptions): SharedRecord<S>;
  dict(init?: Iterable<readonly [any, any]> | null, options?: DictOptions): DictProxy {
    return makeOrFind(this, options, /^dict:/, () => {
      if (options === undefined) return SharedDict(init);
      const { name: _, ...own } = options;
      return SharedDict(init, own);
    });
  }

  list<T = any>(init?: Iterable<T> | null, options?: Named): ListProxy<T> {
    return makeOrFind(this, options, /^sharedlist:/, () => SharedList<T>(init ?? undefined));
  }

  Namespace<T extends object = Record<string, any>>(init?: T, options?: Named): T {
    return makeOrFind(this, options, /^namespace:/, () => SharedNamespace(init));
  }

  Lock(options?: Named): synchronize.Lock {
    return makeOrFind(this, options, /^lock:/, () => new synchronize.Lock());
  }

  RLock(options?: Named): synchronize.RLock {
    return makeOrFind(this, options, /^rlock:/, () => new synchronize.RLock());
  }

  Semaphore(value?: number, options?: Named): synchronize.Semaphore {
    return makeOrFind(this, options, /^semaphore:/, () => new synchronize.Semaphore(value));
  }

  BoundedSemaphore(value?: number, options?: Named): synchronize.BoundedSemaphore {
    return makeOrFind(this, options, /^boundedsemaphore:/, () => new synchronize.BoundedSemaphore(value));
  }

  /** @param lock the Lock or RLock to use, in whose heap the condition lies then. Default: an RLock of its own. */
  Condition(lock?: synchronize.Lock | synchronize.RLock, options?: Named): synchronize.Condition {
    return makeOrFind(this, options, /^condition:/, () => new synchronize.Condition(lock));
  }

  Event(options?: Named): synchronize.Event {
    return makeOrFind(this, options, /^event:/, () => new synchronize.Event());
  }

  Barrier(parties: number, options?: synchronize.BarrierOptions & Named): synchronize.Barrier {
    return makeOrFind(this, options, /^barrier:/, () => new synchronize.Barrier(parties, options));
  }

  Queue<T = any>(maxsize?: number, options?: Named): Queue<T> {
    return makeOrFind(this, options, /^queue:/, () => new Queue<T>(maxsize));
  }

  JoinableQueue<T = any>(maxsize?: number, options?: Named): JoinableQueue<T> {
    return makeOrFind(this, options, /^joinablequeue:/, () => new JoinableQueue<T>(maxsize));
  }

  /** A value with an RLock of its own; with a name, of that type. */
  Value<C extends AnyType>(type: C, init?: Write<C>, options?: Named): Synchronized<C> {
    return makeOrFind(this, options, typed('value', type), () => Value(type, init));
  }

  /** An array with an RLock of its own; with a name, of that type, however long. */
  Array<C extends AnyType>(
    type: C,
    sizeOrItems: number | Iterable<Write<C>>,
    options?: Named,
  ): C extends 'c' ? SynchronizedString : SynchronizedArray<C> {
    const make = () => SharedArray(type, sizeOrItems) as never;
    return makeOrFind(this, options, typed('array|string', type), make);
  }

  /**
   * A pool whose workers are children of the server. Every process that has the pool uses it as one of its own: functions come
   * from there, callbacks run there, and what a process has begun is given up when it is killed. Tasks and results pass through
   * the server without being unpacked; `stats()` says what the server has last written down.
   *
   * The pool ends with `terminate()`, with the server, or when no process has it any more.
   *
   * @throws (rejects) what making a Pool throws; ManagerNotStartedError; ManagerClosedError.
   *
   * @example
   * ```ts
   * import { isMainProcess, Manager, type Pool, Process } from 'multiprocess';
   *
   * export async function count(pool: Pool, words: string[]): Promise<number> {
   *   const lengths = await pool.map((word: string) => word.length, words);
   *   return lengths.reduce((sum, length) => sum + length, 0);
   * }
   *
   * if (isMainProcess) {
   *   const manager = await Manager();
   *   const pool = await manager.Pool(2);
   *   const child = new Process({ target: count, args: [pool, ['shared', 'pool']] });
   *   child.start();
   *   console.log(await child.result(), await pool.apply((n: number) => n * n, [2])); // 10 4
   *   await pool.terminate();
   *   await manager.shutdown();
   * }
   * ```
   */
  async Pool(...args: PoolArgs): Promise<Pool> {
    return makePool(BaseManager.linkOf(this), args);
  }

  override get handle(): Handle<SyncManager> {
    return formatManager('manager', this) as Handle<SyncManager>;
  }
}

/** How the handles of values and arrays of a type begin. @throws TypeError for what is no type. */
function typed(kind: string, type: AnyType): RegExp {
  const text = typeOf(type).text.replace(/[^\w]/g, '\\$&');
  return new RegExp(`^(${kind}):${text}:`);
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
 * const manager = await Manager();
 * const state = manager.Namespace({ phase: 'idle' });
 * state.phase = 'busy';
 * console.log(state); // Namespace { phase: 'busy' }
 * await manager.shutdown();
 * ```
 */
export async function Manager(options?: ManagerOptions): Promise<SyncManager> {
  const manager = new SyncManager(options);
  await manager.start();
  return manager;
}
