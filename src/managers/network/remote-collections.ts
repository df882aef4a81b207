import type { DictKey, SetOptions } from '../../collections/index.js';
import type { WaitOptions } from '../../heap/internal.js';
import { call, forwards, type RemoteObject, RemoteProxy } from './remote-object.js';

/** A dict in a manager on another machine. Iterating gives the entries as they are at its beginning. */
export interface RemoteDict<K = any, V = any> extends RemoteObject, AsyncIterable<[K, V]> {
  get(key: K): Promise<V | undefined>;
  get<D>(key: K, fallback: D): Promise<V | D>;
  set(key: K, value: V, options?: SetOptions): Promise<void>;
  has(key: K): Promise<boolean>;
  delete(key: K): Promise<boolean>;
  size(): Promise<number>;
  keys(): Promise<K[]>;
  values(): Promise<V[]>;
  entries(): Promise<[K, V][]>;
  clear(): Promise<void>;
  update(entries: Iterable<readonly [K, V]> | Record<string, V>): Promise<void>;
  setdefault(key: K, value: V): Promise<V>;
  pop(key: K): Promise<V | undefined>;
  pop<D>(key: K, fallback: D): Promise<V | D>;
  popitem(): Promise<[K, V] | undefined>;
  /**
   * Replaces a value by what `fn`, which runs here, makes of it; it is called again if somebody else has written the entry
   * meanwhile. @returns the value after.
   */
  compute(key: K, fn: (old: V | undefined) => V | undefined): Promise<V | undefined>;
  increment(key: K, by?: number): Promise<number>;
  compareAndSet(key: K, expected: V | undefined, value: V | undefined): Promise<boolean>;
  changed(key?: K, options?: WaitOptions): Promise<boolean>;
  copy(): Promise<Map<K, V>>;
  toObject(): Promise<Record<string, V>>;
}

/** A list in a manager on another machine. Iterating gives the elements as they are at its beginning. */
export interface RemoteList<T = any> extends RemoteObject, AsyncIterable<T> {
  get(index: number): Promise<T>;
  at(index: number): Promise<T | undefined>;
  set(index: number, value: T): Promise<void>;
  append(value: T): Promise<void>;
  push(...values: T[]): Promise<number>;
  extend(values: Iterable<T>): Promise<void>;
  insert(index: number, value: T): Promise<void>;
  pop(index?: number): Promise<T | undefined>;
  remove(value: T): Promise<void>;
  index(value: T): Promise<number>;
  count(value: T): Promise<number>;
  reverse(): Promise<void>;
  /** In the order that lists have without a function to compare by: those do not travel. */
  sort(): Promise<void>;
  slice(start?: number, end?: number): Promise<T[]>;
  splice(start: number, deleteCount?: number, ...values: T[]): Promise<T[]>;
  clear(): Promise<void>;
  /** As `RemoteDict`'s. */
  compute(index: number, fn: (old: T) => T): Promise<T>;
  compareAndSet(index: number, expected: T, value: T): Promise<boolean>;
  length(): Promise<number>;
  copy(): Promise<T[]>;
}

/** A namespace in a manager on another machine: its properties are read and written by name. */
export interface RemoteNamespace<T extends object = Record<string, any>> extends RemoteObject {
  get<K extends keyof T & string>(name: K): Promise<T[K]>;
  set<K extends keyof T & string>(name: K, value: T[K]): Promise<void>;
  has(name: string): Promise<boolean>;
  delete(name: string): Promise<boolean>;
  keys(): Promise<string[]>;
  toObject(): Promise<T>;
  increment(name: keyof T & string, by?: number): Promise<number>;
  /** As `RemoteDict`'s. */
  compute<K extends keyof T & string>(name: K, fn: (old: T[K]) => T[K]): Promise<T[K]>;
  compareAndSet<K extends keyof T & string>(
    name: K,
    expected: T[K] | undefined,
    value: T[K] | undefined,
  ): Promise<boolean>;
}

export class RemoteDictProxy extends RemoteProxy {
  async update(entries: Iterable<readonly [DictKey, unknown]> | Record<string, unknown>): Promise<void> {
    await call(this, 'update', [isIterable(entries) ? [...entries] : entries]);
  }

  async compute(key: DictKey, fn: (old: unknown) => unknown): Promise<unknown> {
    return computeBy(this, key, fn);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<[DictKey, unknown]> {
    yield* (await call(this, 'entries', [])) as [DictKey, unknown][];
  }
}

export class RemoteListProxy extends RemoteProxy {
  async extend(values: Iterable<unknown>): Promise<void> {
    await call(this, 'extend', [isIterable(values) ? [...values] : values]);
  }

  async compute(index: number, fn: (old: unknown) => unknown): Promise<unknown> {
    return computeBy(this, index, fn);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    yield* (await call(this, 'copy', [])) as unknown[];
  }
}

export class RemoteNamespaceProxy extends RemoteProxy {
  async increment(name: string, by = 1): Promise<number> {
    return call(this, 'increment', [name, by]);
  }

  async compute(name: string, fn: (old: unknown) => unknown): Promise<unknown> {
    return computeBy(this, name, fn);
  }
}

/** Nothing is locked while `fn` runs. */
async function computeBy(proxy: RemoteProxy, at: unknown, fn: (old: unknown) => unknown): Promise<unknown> {
  if (typeof fn !== 'function') throw new TypeError('compute takes a function.');
  for (;;) {
    const old = await call(proxy, 'get', [at]);
    const value = fn(old);
    if (typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function') {
      throw new TypeError('The function of compute returned a promise; it is synchronous, and may be called again.');
    }
    if (await call(proxy, 'compareAndSet', [at, old, value])) return value;
  }
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

forwards(RemoteDictProxy, 'RemoteDict', 'dict');
forwards(RemoteListProxy, 'RemoteList', 'sharedlist');
forwards(RemoteNamespaceProxy, 'RemoteNamespace', 'namespace');
