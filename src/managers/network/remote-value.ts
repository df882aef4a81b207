import { isDeepStrictEqual } from 'node:util';
import type { WaitOptions } from '../../heap/internal.js';
import type { Read, Write } from '../../sharedctypes/index.js';
import type { RemoteLock } from './remote-lock.js';
import { call, forwards, type RemoteObject } from './remote-object.js';
import { RemoteLocked } from './remote-waiting.js';

interface WithLock extends RemoteObject {
  acquire(options?: WaitOptions): Promise<boolean>;
  tryAcquire(): Promise<boolean>;
  release(): Promise<void>;
  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T>;
  getLock(): Promise<RemoteLock>;
}

/** A Value in a manager on another machine. Structures are read as plain objects of their fields. */
export interface RemoteValue<C> extends WithLock {
  get(): Promise<Read<C>>;
  set(value: Write<C>): Promise<void>;
  /** Adds atomically. @returns the value before. */
  add(n: Write<C>): Promise<Read<C>>;
  exchange(value: Write<C>): Promise<Read<C>>;
  compareExchange(expected: Write<C>, value: Write<C>): Promise<Read<C>>;
  /** @param fn runs here, and again if somebody else has written meanwhile. @returns the value after. */
  update(fn: (old: Read<C>) => Write<C>): Promise<Read<C>>;
}

/** An Array in a manager on another machine. Iterating gives the items as they are at its beginning. */
export interface RemoteArray<C> extends WithLock, AsyncIterable<Read<C>> {
  get(index: number): Promise<Read<C>>;
  set(index: number, value: Write<C>): Promise<void>;
  at(index: number): Promise<Read<C> | undefined>;
  length(): Promise<number>;
  slice(start?: number, end?: number): Promise<Read<C>[]>;
  setSlice(start: number, values: Iterable<Write<C>>): Promise<void>;
  add(index: number, n: Write<C>): Promise<Read<C>>;
  exchange(index: number, value: Write<C>): Promise<Read<C>>;
  compareExchange(index: number, expected: Write<C>, value: Write<C>): Promise<Read<C>>;
}

/** An array of bytes in a manager on another machine. */
export interface RemoteString extends RemoteArray<'c'> {
  /** The bytes up to the first that is 0. */
  getValue(): Promise<Uint8Array>;
  setValue(bytes: Uint8Array): Promise<void>;
  /** All bytes. */
  getRaw(): Promise<Uint8Array>;
  setRaw(bytes: Uint8Array): Promise<void>;
}

export class RemoteValueProxy extends RemoteLocked {
  async update(fn: (old: unknown) => unknown): Promise<unknown> {
    if (typeof fn !== 'function') throw new TypeError('update takes a function.');
    for (;;) {
      const old = await call(this, 'get', []);
      const value = fn(old);
      if (isDeepStrictEqual(await call(this, 'compareExchange', [old, value]), old)) return value;
    }
  }
}

export class RemoteArrayProxy extends RemoteLocked {
  async setSlice(start: number, values: Iterable<unknown>): Promise<void> {
    const isBytes = ArrayBuffer.isView(values);
    await call(this, 'setSlice', [start, isBytes ? values : [...values]]);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    yield* (await call(this, 'slice', [])) as unknown[];
  }
}

export class RemoteStringProxy extends RemoteArrayProxy {}

forwards(RemoteValueProxy, 'RemoteValue', 'value');
forwards(RemoteArrayProxy, 'RemoteArray', 'array');
forwards(RemoteStringProxy, 'RemoteString', 'string');
