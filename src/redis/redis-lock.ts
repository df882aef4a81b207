import { AsyncLocalStorage } from 'node:async_hooks';
import { NotOwnerError, TimeoutError } from '../errors/index.js';
import { signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { closedError } from './line.js';
import { type Kept, RedisTurns, type Win } from './redis-turns.js';
import { lockScripts } from './scripts/lock.js';

/** What runs inside the callback of a `run`, and of those around it. */
interface Inside {
  readonly lock: object;
  readonly holding: number;
  readonly outer: Inside | undefined;
}

const contexts = new AsyncLocalStorage<Inside>();

interface Holding extends Win, Kept {
  readonly number: number;
}

export class RedisLock extends RedisTurns {
  static {
    Object.defineProperty(RedisLock, 'name', { value: 'RemoteLock' });
  }

  protected readonly parts = ['leases', 'line'];
  protected readonly turns = lockScripts;
  #holding: Holding | undefined;
  #holdings = 0;
  /** How often an RLock was entered; at the server it is entered once. */
  #depth = 0;
  #ownerDied = false;

  get token(): bigint | undefined {
    return this.#holding?.token;
  }

  get ownerDied(): boolean {
    return this.#ownerDied;
  }

  async acquire(options?: WaitOptions): Promise<boolean> {
    timeoutOf(options);
    if (signalOf(options)?.aborted) throw options!.signal!.reason;
    return this.#reenter() || this.#entered(await this.takeTurn(options));
  }

  async tryAcquire(): Promise<boolean> {
    return this.#reenter() || this.#entered(await this.tryTurn());
  }

  async release(): Promise<void> {
    if (this.#depth > 1) {
      this.#depth -= 1;
      return;
    }
    await this.#giveBack();
  }

  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError('run takes a function.');
    if (!(await this.acquire(options))) {
      throw new TimeoutError(`The ${this.constructor.name} could not be acquired within ${options?.timeout} ms.`);
    }
    let failed = true;
    try {
      const holding = this.#holding?.number ?? 0;
      const result = await contexts.run({ lock: this, holding, outer: contexts.getStore() }, fn);
      failed = false;
      return result;
    } finally {
      // What `fn` has thrown says more than that the lock is lost, too.
      await (failed ? this.release().catch(() => {}) : this.release());
    }
  }

  async locked(): Promise<boolean> {
    return (await this.step(lockScripts.locked)) === 1;
  }

  /** For who waits for something else with it held. @throws NotOwnerError when it is not, or was lost. */
  static checkHeld(lock: RedisLock): void {
    if (lock.#holding === undefined) throw lock.#notHeld();
  }

  /** @throws (rejects) StaleHandleError when it has been disposed of. Waits for the server, however long. */
  static async checkThere(lock: RedisLock): Promise<void> {
    await lock.step(lockScripts.locked, [], Number.POSITIVE_INFINITY);
  }

  /**
   * Lets go of it for a while, however often it has been entered.
   *
   * @returns what gets it back as it was, however long that takes.
   * @throws (rejects) NotOwnerError when it is not held, or was lost.
   */
  static async leaveForAWhile(lock: RedisLock): Promise<() => Promise<void>> {
    const depth = lock.#depth;
    const number = lock.#holding?.number;
    await lock.#giveBack();
    return async () => {
      lock.#entered(await lock.takeTurn(), number);
      lock.#depth = depth;
    };
  }

  protected get disposing() {
    return { script: lockScripts.dispose, args: [this.engine.wakes] };
  }

  /** Whether it is acquired again by what runs inside the callback of its own `run`. */
  protected get mayReenter(): boolean {
    return false;
  }

  async #giveBack(): Promise<void> {
    const holding = this.#holding;
    if (!this.engine.isOpen) throw closedError();
    if (holding === undefined) throw this.#notHeld();
    this.#left(); // from here on: what runs beside this is told of the next holding
    const note = { repeated: false };
    if ((await this.leave([holding.member], { note })) !== 1 && !note.repeated) {
      throw new NotOwnerError(`The ${this.constructor.name} was lost before it was released. Others may have had it.`);
    }
  }

  #notHeld(): NotOwnerError {
    return new NotOwnerError(
      this.isLost
        ? `The ${this.constructor.name} was lost: its lease had ended before it was renewed. Others may have it.`
        : `The ${this.constructor.name} is not held by this connection.`,
    );
  }

  #reenter(): boolean {
    if (!this.mayReenter || this.#holding === undefined) return false;
    for (let context = contexts.getStore(); context !== undefined; context = context.outer) {
      if (context.lock !== this) continue;
      if (context.holding !== this.#holding.number) return false;
      this.#depth += 1;
      return true;
    }
    return false;
  }

  /** @param number which holding it is. */
  #entered(win: Win | undefined, number?: number): boolean {
    if (win === undefined) return false;
    this.#holding?.lose(); // it was given to this one before that was noticed
    this.#holdings += 1;
    this.#depth = 1;
    this.#ownerDied = win.ownerDied;
    const kept = this.keep(win, () => this.#left());
    this.#holding = { ...win, ...kept, number: number ?? this.#holdings };
    return true;
  }

  #left(): void {
    this.#holding?.letGo();
    this.#holding = undefined;
    this.#depth = 0;
  }
}

export class RedisRLock extends RedisLock {
  static {
    Object.defineProperty(RedisRLock, 'name', { value: 'RemoteRLock' });
  }

  protected override get mayReenter(): boolean {
    return true;
  }
}
