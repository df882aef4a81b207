import { AsyncLocalStorage } from 'node:async_hooks';
import { NotOwnerError, TimeoutError } from '../errors/index.js';
import { now, signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { closedError } from './line.js';
import { RedisObject } from './redis-object.js';
import { type Acquired, lockScripts, readAcquired, readWon } from './scripts/lock.js';
import { Won } from './wait.js';

/** What runs inside the callback of a `run`, and of those around it. */
interface Inside {
  readonly lock: object;
  readonly holding: number;
  readonly outer: Inside | undefined;
}

const contexts = new AsyncLocalStorage<Inside>();

interface Win {
  readonly token: bigint;
  readonly ownerDied: boolean;
  readonly member: string;
  /** Until when it is held without being renewed. */
  readonly ends: number;
}

interface Holding extends Win {
  readonly letGo: () => void;
  readonly forget: () => void;
  readonly lose: () => void;
}

/** How long giving back what is not wanted waits for a server that cannot be reached. Its lease ends anyway. */
const GIVING_BACK_MS = 1000;

export class RedisLock extends RedisObject {
  static {
    Object.defineProperty(RedisLock, 'name', { value: 'RemoteLock' });
  }

  protected readonly parts = ['leases', 'line'];
  #holding: Holding | undefined;
  #holdings = 0;
  /** How often an RLock was entered; at the server it is entered once. */
  #depth = 0;
  #ownerDied = false;
  #isLost = false;
  #lost!: Promise<void>;
  #lose!: () => void;

  constructor(...args: ConstructorParameters<typeof RedisObject>) {
    super(...args);
    this.#watchLoss();
  }

  get token(): bigint | undefined {
    return this.#holding?.token;
  }

  get ownerDied(): boolean {
    return this.#ownerDied;
  }

  get lost(): Promise<void> {
    return this.#lost;
  }

  async acquire(options?: WaitOptions): Promise<boolean> {
    const timeout = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted) throw signal.reason;
    if (this.#reenter()) return true;
    if (timeout <= 0) return this.#try();
    const member = this.#newMember();
    /** When the last look was asked for that has been answered: since then at least the lease lasts. */
    let looked: number | undefined;
    const enter = (found: { token: bigint; ownerDied: boolean }, since: number) =>
      new Won<Win>({ ...found, member, ends: since + this.engine.leases.lease });
    const won = await this.engine.wait<Win>(
      {
        channel: `${this.engine.wakes}${this.engine.client}`,
        hint: (message) => {
          const found = readWon(message, member);
          if (typeof found === 'boolean') return found;
          return looked === undefined || enter(found, looked);
        },
        look: async () => {
          await this.engine.leases.start();
          const asked = now();
          const found = await this.#ask(member, true, Number.POSITIVE_INFINITY);
          looked = asked;
          if ('token' in found) return enter(found, asked);
          return Math.min(this.engine.leases.lease / 3, found.again + 1);
        },
        giveUp: () => this.#leave(member),
      },
      options,
    );
    return won !== undefined && this.#entered(won.value);
  }

  async tryAcquire(): Promise<boolean> {
    return this.#reenter() || this.#try();
  }

  async release(): Promise<void> {
    if (this.#depth > 1) {
      this.#depth -= 1;
      return;
    }
    const holding = this.#holding;
    if (!this.engine.isOpen) throw closedError();
    if (holding === undefined) {
      throw new NotOwnerError(
        this.#isLost
          ? `The ${this.constructor.name} was lost: its lease had ended before it was renewed. Others may have it.`
          : `The ${this.constructor.name} is not held by this connection.`,
      );
    }
    this.#left(); // from here on: what runs beside this is told of the next holding
    const note = { repeated: false };
    const released = await this.lastStep(lockScripts.leave, [this.engine.wakes, holding.member], { note });
    if (released !== 1 && !note.repeated) {
      throw new NotOwnerError(`The ${this.constructor.name} was lost before it was released. Others may have had it.`);
    }
  }

  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError('run takes a function.');
    if (!(await this.acquire(options))) {
      throw new TimeoutError(`The ${this.constructor.name} could not be acquired within ${options?.timeout} ms.`);
    }
    let failed = true;
    try {
      const result = await contexts.run({ lock: this, holding: this.#holdings, outer: contexts.getStore() }, fn);
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

  protected get disposing() {
    return { script: lockScripts.dispose, args: [this.engine.wakes] };
  }

  /** Whether it is acquired again by what runs inside the callback of its own `run`. */
  protected get mayReenter(): boolean {
    return false;
  }

  async #try(): Promise<boolean> {
    await this.engine.leases.start();
    const member = this.#newMember();
    const asked = now();
    let found: Acquired;
    try {
      found = await this.#ask(member, false);
    } catch (error) {
      void this.#leave(member).catch(() => {}); // it may have been won
      throw error;
    }
    if (!('token' in found)) return false;
    return this.#entered({ ...found, member, ends: asked + this.engine.leases.lease });
  }

  #newMember(): string {
    return `${this.engine.client}.${this.engine.nextNumber()}`;
  }

  async #ask(member: string, waits: boolean, patience?: number): Promise<Acquired> {
    const { wakes, leases } = this.engine;
    const args = [wakes, member, leases.lease, waits ? 1 : 0];
    return readAcquired(await this.step(lockScripts.acquire, args, patience));
  }

  async #leave(member: string, patience?: number): Promise<void> {
    await this.lastStep(lockScripts.leave, [this.engine.wakes, member], { patience });
  }

  #reenter(): boolean {
    if (!this.mayReenter || this.#depth === 0) return false;
    for (let context = contexts.getStore(); context !== undefined; context = context.outer) {
      if (context.lock !== this) continue;
      if (context.holding !== this.#holdings) return false;
      this.#depth += 1;
      return true;
    }
    return false;
  }

  #entered(win: Win): true {
    this.#holding?.lose(); // it was given to this one before that was noticed
    if (this.#isLost) this.#watchLoss();
    const lose = () => {
      if (this.#holding?.member !== win.member) return;
      this.#left();
      this.#isLost = true;
      this.#lose();
    };
    const lost = () => {
      lose();
      void this.#leave(win.member, GIVING_BACK_MS).catch(() => {}); // if the server has not noticed yet
    };
    this.#holdings += 1;
    this.#depth = 1;
    this.#ownerDied = win.ownerDied;
    this.#holding = {
      ...win,
      letGo: this.engine.leases.hold(this.key('leases'), win.member, win.ends, lost),
      forget: this.engine.onClose(async () => {
        lose();
        await this.#leave(win.member, GIVING_BACK_MS);
      }),
      lose,
    };
    return true;
  }

  #left(): void {
    this.#holding?.letGo();
    this.#holding?.forget();
    this.#holding = undefined;
    this.#depth = 0;
  }

  #watchLoss(): void {
    this.#isLost = false;
    this.#lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
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
