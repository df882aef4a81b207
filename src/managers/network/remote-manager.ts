import { inspect } from 'node:util';
import type { DictOptions } from '../../collections/index.js';
import type { AnyType, Write } from '../../sharedctypes/index.js';
import { typeOf } from '../../sharedctypes/internal.js';
import type { Named } from '../names.js';
import { type FactoryName, factories } from './methods.js';
import type { RemoteDict, RemoteList, RemoteNamespace } from './remote-collections.js';
import type { RemoteConnection } from './remote-connection.js';
import type { RemoteInstance } from './remote-instance.js';
import type { RemoteLock } from './remote-lock.js';
import type { RemoteJoinableQueue, RemoteQueue } from './remote-queue.js';
import type { RemoteArray, RemoteString, RemoteValue } from './remote-value.js';
import type {
  RemoteBarrier,
  RemoteBoundedSemaphore,
  RemoteCondition,
  RemoteEvent,
  RemoteSemaphore,
} from './remote-waiting.js';
import { MANAGER } from './wire.js';

/** The types that are registered with a manager, by name. */
export type RemoteTypes = Record<string, abstract new (...args: any[]) => object>;

/** What makes objects of the registered types. */
export type RemoteFactories<T extends RemoteTypes> = {
  [K in keyof T]: (...args: ConstructorParameters<T[K]>) => Promise<RemoteInstance<InstanceType<T[K]>>>;
};

/**
 * A manager on another machine, by `connect()`. Its methods are those of `SyncManager`, and so are their errors; each returns
 * a promise of an object whose methods do, too. They reject with ManagerClosedError when the connection has ended, and with
 * TimeoutError when the manager does not answer in time (`timeout` and `callTimeout` of `connect`): calls that wait with a timeout
 * of their own two seconds after that at the latest, calls that wait without one never. A lock or an item that comes later is
 * given back there, an item at the end of its queue.
 */
export interface RemoteManager {
  dict<K = any, V = any>(
    init?: Iterable<readonly [K, V]> | Record<string, V> | null,
    options?: DictOptions,
  ): Promise<RemoteDict<K, V>>;
  list<T = any>(init?: Iterable<T> | null, options?: Named): Promise<RemoteList<T>>;
  Namespace<T extends object = Record<string, any>>(init?: T, options?: Named): Promise<RemoteNamespace<T>>;
  Lock(options?: Named): Promise<RemoteLock>;
  RLock(options?: Named): Promise<RemoteLock>;
  Semaphore(value?: number, options?: Named): Promise<RemoteSemaphore>;
  BoundedSemaphore(value?: number, options?: Named): Promise<RemoteBoundedSemaphore>;
  Condition(lock?: RemoteLock, options?: Named): Promise<RemoteCondition>;
  Event(options?: Named): Promise<RemoteEvent>;
  /** An action does not travel. */
  Barrier(parties: number, options?: { timeout?: number } & Named): Promise<RemoteBarrier>;
  Queue<T = any>(maxsize?: number, options?: Named): Promise<RemoteQueue<T>>;
  JoinableQueue<T = any>(maxsize?: number, options?: Named): Promise<RemoteJoinableQueue<T>>;
  Value<C extends AnyType>(type: C, init?: Write<C>, options?: Named): Promise<RemoteValue<C>>;
  Array<C extends AnyType>(
    type: C,
    sizeOrItems: number | Iterable<Write<C>>,
    options?: Named,
  ): Promise<C extends 'c' ? RemoteString : RemoteArray<C>>;
  /** Where it was reached. */
  readonly address: string;
  /** Resolves when the connection has ended, however it has. */
  readonly closed: Promise<void>;
  /** Ends the connection: what is held by it is given back, and what is under way is rejected. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

class RemoteManagerClass {
  static {
    Object.defineProperty(RemoteManagerClass, 'name', { value: 'RemoteManager' });
  }

  readonly #connection: RemoteConnection;

  constructor(connection: RemoteConnection, typeids: readonly string[]) {
    this.#connection = connection;
    for (const typeid of typeids) {
      if (typeid in this) continue;
      const value = (...args: unknown[]) => connection.invoke(MANAGER, typeid, args);
      Object.defineProperty(value, 'name', { value: typeid });
      Object.defineProperty(this, typeid, { value, configurable: true });
    }
  }

  get address(): string {
    return this.#connection.address;
  }

  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close();
  }

  [inspect.custom](): string {
    return `RemoteManager { ${this.#connection.isOpen ? this.address : 'closed'} }`;
  }

  static connectionOf(manager: RemoteManagerClass): RemoteConnection {
    return manager.#connection;
  }
}

for (const name of Object.keys(factories) as FactoryName[]) {
  const value = async function (this: RemoteManagerClass, ...args: unknown[]) {
    return RemoteManagerClass.connectionOf(this).make(name, argumentsOf(name, args));
  };
  Object.defineProperty(value, 'name', { value: name });
  Object.defineProperty(RemoteManagerClass.prototype, name, { value, writable: true, configurable: true });
}

/** First contents travel as arrays, and types as text. */
function argumentsOf(name: FactoryName, [first, second, ...rest]: unknown[]): unknown[] {
  if (name === 'dict' || name === 'list') return [listed(first), second];
  if (name === 'Value') return [typeOf(first).text, second, ...rest];
  if (name === 'Array') return [typeOf(first).text, listed(second), ...rest];
  return [first, second, ...rest];
}

function listed(init: unknown): unknown {
  const isIterable = typeof init === 'object' && init !== null && Symbol.iterator in init && !ArrayBuffer.isView(init);
  return isIterable ? [...(init as Iterable<unknown>)] : init;
}

export function makeRemoteManager(connection: RemoteConnection, typeids: readonly string[]): RemoteManager {
  return new RemoteManagerClass(connection, typeids) as unknown as RemoteManager;
}
