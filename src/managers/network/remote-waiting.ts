import { TimeoutError } from '../../errors/index.js';
import type { WaitOptions } from '../../heap/internal.js';
import type { RemoteLock, RemoteLockProxy } from './remote-lock.js';
import { call, connectionOf, forwards, type RemoteObject, RemoteProxy } from './remote-object.js';

/** A Semaphore in a manager on another machine. */
export interface RemoteSemaphore extends RemoteObject {
  acquire(options?: WaitOptions): Promise<boolean>;
  tryAcquire(): Promise<boolean>;
  release(count?: number): Promise<void>;
  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T>;
  /** How many may still enter, at this instant. */
  value(): Promise<number>;
}

/** A BoundedSemaphore in a manager on another machine. Its permits are this connection's own. */
export interface RemoteBoundedSemaphore extends RemoteSemaphore {
  /** While a permit is held here: the fencing token of the last one that was acquired, as a {@link RemoteLock} has one. */
  readonly token: bigint | undefined;
  /**
   * Resolves when a permit is lost while it is held here, or when one will be held: the connection has ended, or (at a server of
   * Redis) its lease.
   */
  readonly lost: Promise<void>;
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
  async acquire(options?: WaitOptions): Promise<boolean> {
    return call(this, 'acquire', [], options ?? {});
  }

  async tryAcquire(): Promise<boolean> {
    return call(this, 'tryAcquire', []);
  }

  async release(...args: unknown[]): Promise<void> {
    await call(this, 'release', args);
  }

  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError('run takes a function.');
    if (!(await this.acquire(options))) {
      throw new TimeoutError(`The ${this.constructor.name} could not be acquired within ${options?.timeout} ms.`);
    }
    try {
      return await fn();
    } finally {
      await this.release();
    }
  }
}

export class RemoteBoundedSemaphoreProxy extends RemoteSemaphoreProxy {
  readonly #tokens: bigint[] = [];
  readonly #lost: Promise<void>;
  #lose!: () => void;
  #unwatch: (() => void) | undefined;

  constructor(...args: ConstructorParameters<typeof RemoteProxy>) {
    super(...args);
    this.#lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  get token(): bigint | undefined {
    return this.#tokens.at(-1);
  }

  get lost(): Promise<void> {
    return this.#lost;
  }

  override async acquire(options?: WaitOptions): Promise<boolean> {
    return this.#entered(await call(this, 'acquire', [], options ?? {}));
  }

  override async tryAcquire(): Promise<boolean> {
    return this.#entered(await call(this, 'tryAcquire', []));
  }

  override async release(...args: unknown[]): Promise<void> {
    await call(this, 'release', args);
    const [count = 1] = args as [number?];
    this.#tokens.splice(-count);
    if (this.#tokens.length === 0) this.#unwatch?.();
  }

  #entered(token: false | bigint): boolean {
    if (token === false) return false;
    if (this.#tokens.length === 0) {
      this.#unwatch = connectionOf(this).onLost(() => {
        this.#tokens.length = 0;
        this.#lose();
      });
    }
    this.#tokens.push(token);
    return true;
  }
}

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
