import { TimeoutError } from '../../errors/index.js';
import type { WaitOptions } from '../../heap/internal.js';
import type { RemoteLock, RemoteLockProxy } from './remote-lock.js';
import { call, forwards, type RemoteObject, RemoteProxy } from './remote-object.js';

/** A Semaphore or BoundedSemaphore in a manager on another machine; permits of a BoundedSemaphore are this connection's own. */
export interface RemoteSemaphore extends RemoteObject {
  acquire(options?: WaitOptions): Promise<boolean>;
  tryAcquire(): Promise<boolean>;
  release(count?: number): Promise<void>;
  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T>;
  /** How many may still enter, at this instant. */
  value(): Promise<number>;
}

/** An Event in a manager on another machine. */
export interface RemoteEvent extends RemoteObject {
  isSet(): Promise<boolean>;
  set(): Promise<void>;
  clear(): Promise<void>;
  /** @returns whether it was in time. */
  wait(options?: WaitOptions): Promise<boolean>;
}

/** A Barrier in a manager on another machine, of which this connection is a member from its first `wait`. */
export interface RemoteBarrier extends RemoteObject {
  wait(options?: WaitOptions): Promise<number>;
  reset(): Promise<void>;
  abort(): Promise<void>;
  parties(): Promise<number>;
  nWaiting(): Promise<number>;
  broken(): Promise<boolean>;
}

/** A Condition in a manager on another machine. */
export interface RemoteCondition extends RemoteObject {
  acquire(options?: WaitOptions): Promise<boolean>;
  tryAcquire(): Promise<boolean>;
  release(): Promise<void>;
  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T>;
  /** As `Condition`'s: the caller has the lock, and has it again afterwards. */
  wait(options?: WaitOptions): Promise<boolean>;
  /** @param predicate called here, with the lock held. */
  waitFor(predicate: () => boolean | PromiseLike<boolean>, options?: WaitOptions): Promise<boolean>;
  notify(n?: number): Promise<void>;
  notifyAll(): Promise<void>;
  /** Its lock. */
  getLock(): Promise<RemoteLock>;
}

export class RemoteSemaphoreProxy extends RemoteProxy {
  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError('run takes a function.');
    if (!(await call(this, 'acquire', [], options ?? {}))) {
      throw new TimeoutError(`The ${this.constructor.name} could not be acquired within ${options?.timeout} ms.`);
    }
    try {
      return await fn();
    } finally {
      await call(this, 'release', []);
    }
  }
}

export class RemoteBoundedSemaphoreProxy extends RemoteSemaphoreProxy {}
export class RemoteEventProxy extends RemoteProxy {}
export class RemoteBarrierProxy extends RemoteProxy {}

/** What has a lock, which is an object of its own on the other side too: asked for when it is first needed. */
export abstract class RemoteLocked extends RemoteProxy {
  #lock: Promise<RemoteLockProxy> | undefined;

  getLock(): Promise<RemoteLockProxy> {
    this.#lock ??= call(this, 'getLock', []);
    return this.#lock;
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
}

export class RemoteConditionProxy extends RemoteLocked {
  /** However long it takes: afterwards the caller has the lock again. */
  async wait(options?: WaitOptions): Promise<boolean> {
    return call(this, 'wait', [], options ?? {}, true);
  }

  async waitFor(predicate: () => boolean | PromiseLike<boolean>, options?: WaitOptions): Promise<boolean> {
    if (typeof predicate !== 'function') throw new TypeError('waitFor takes a function that says what to wait for.');
    const deadline = performance.now() + (options?.timeout ?? Number.POSITIVE_INFINITY);
    for (;;) {
      const holds = Boolean(await predicate());
      const left = deadline - performance.now();
      if (holds || left <= 0) return holds;
      await this.wait({ ...options, timeout: left });
    }
  }
}

forwards(RemoteSemaphoreProxy, 'RemoteSemaphore', 'semaphore');
forwards(RemoteBoundedSemaphoreProxy, 'RemoteBoundedSemaphore', 'boundedsemaphore');
forwards(RemoteEventProxy, 'RemoteEvent', 'event');
forwards(RemoteBarrierProxy, 'RemoteBarrier', 'barrier');
forwards(RemoteConditionProxy, 'RemoteCondition', 'condition');
