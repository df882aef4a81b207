import { AsyncLocalStorage } from 'node:async_hooks';
import { TimeoutError } from '../../errors/index.js';
import type { WaitOptions } from '../../heap/internal.js';
import type { RemoteConnection } from './remote-connection.js';
import { call, connectionOf, forwards, type RemoteObject, RemoteProxy } from './remote-object.js';

/**
 * A Lock or an RLock in a manager on another machine. Its owner is this connection: nobody else, not even another connection
 * of the same process, may release it; and when the connection ends, others get it.
 *
 * An RLock may be acquired again inside the callback of its own `run`; any other `acquire` waits.
 */
export interface RemoteLock extends RemoteObject {
  /** @returns whether it was acquired in time. @throws (rejects) `signal.reason`; ManagerClosedError; StaleHandleError. */
  acquire(options?: WaitOptions): Promise<boolean>;
  /** Tries once. */
  tryAcquire(): Promise<boolean>;
  /** @throws (rejects) NotOwnerError when this connection does not hold it. */
  release(): Promise<void>;
  /** Runs `fn` with the lock held, until what it returns has settled. @throws (rejects) TimeoutError when not in time. */
  run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T>;
  /** Whether somebody holds it. */
  locked(): Promise<boolean>;
  /**
   * While it is held here: a number that is larger each time somebody gets it by way of this manager. Whoever is told to do
   * something with it held can refuse those who come with a smaller number, and had lost it without knowing yet.
   */
  readonly token: bigint | undefined;
  /** Whether the holder before the last one here died with it. Then what it protects may be half-done. */
  readonly ownerDied: boolean;
  /** Resolves when it is lost while it is held here, or when it will be held: the connection has ended. */
  readonly lost: Promise<void>;
}

/** What runs inside the callback of a `run`, and of those around it. */
interface Inside {
  readonly lock: object;
  readonly holding: number;
  readonly outer: Inside | undefined;
}

const contexts = new AsyncLocalStorage<Inside>();

export class RemoteLockProxy extends RemoteProxy implements RemoteLock {
  #token: bigint | undefined;
  #ownerDied = false;
  #holding = 0;
  /** How often an RLock was entered; there it is entered once. */
  #depth = 0;
  readonly #lost: Promise<void>;
  #lose!: () => void;
  #unwatch: (() => void) | undefined;
  declare dispose: () => Promise<void>;
  declare locked: () => Promise<boolean>;

  constructor(connection: RemoteConnection, number: number) {
    super(connection, number);
    this.#lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  get token(): bigint | undefined {
    return this.#token;
  }

  get ownerDied(): boolean {
    return this.#ownerDied;
  }

  get lost(): Promise<void> {
    return this.#lost;
  }

  async acquire(options?: WaitOptions): Promise<boolean> {
    if (this.#reenter()) return true;
    return this.#entered(await call(this, 'acquire', [], options ?? {}));
  }

  async tryAcquire(): Promise<boolean> {
    if (this.#reenter()) return true;
    return this.#entered(await call(this, 'tryAcquire', []));
  }

  async release(): Promise<void> {
    if (this.#depth > 1) {
      this.#depth -= 1;
      return;
    }
    this.#left(); // from here on: what runs beside this is told of the next holding
    await call(this, 'release', []);
  }

  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError('run takes a function.');
    if (!(await this.acquire(options))) {
      throw new TimeoutError(`The ${this.constructor.name} could not be acquired within ${options?.timeout} ms.`);
    }
    try {
      return await contexts.run({ lock: this, holding: this.#holding, outer: contexts.getStore() }, fn);
    } finally {
      await this.release();
    }
  }

  /** Whether an RLock is acquired again by what runs inside the callback of its own `run`. */
  protected get mayReenter(): boolean {
    return false;
  }

  #reenter(): boolean {
    if (!this.mayReenter || this.#depth === 0) return false;
    for (let context = contexts.getStore(); context !== undefined; context = context.outer) {
      if (context.lock !== this) continue;
      if (context.holding !== this.#holding) return false;
      this.#depth += 1;
      return true;
    }
    return false;
  }

  #entered(found: false | [token: bigint, ownerDied: boolean]): boolean {
    if (!found) return false;
    [this.#token, this.#ownerDied] = found;
    this.#holding += 1;
    this.#depth = 1;
    this.#unwatch = connectionOf(this).onLost(() => {
      this.#left();
      this.#lose();
    });
    return true;
  }

  #left(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#depth = 0;
    this.#token = undefined;
  }
}

export class RemoteRLockProxy extends RemoteLockProxy {
  protected override get mayReenter(): boolean {
    return true;
  }
}

forwards(RemoteLockProxy, 'RemoteLock', 'lock');
forwards(RemoteRLockProxy, 'RemoteRLock', 'rlock');
