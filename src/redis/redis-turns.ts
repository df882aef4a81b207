import { now, signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { RedisObject } from './redis-object.js';
import type { Script } from './script.js';
import { type Acquired, readAcquired, readWon } from './scripts/turns.js';
import { Won } from './wait.js';

/** What has been taken. */
export interface Win {
  readonly token: bigint;
  readonly ownerDied: boolean;
  readonly member: string;
  /** Until when it is held without being renewed. */
  readonly ends: number;
}

/** What is held. */
export interface Kept {
  /** It is not to be kept any more. Does not give it back. */
  letGo(): void;
  /** It is known to be lost. */
  lose(): void;
}

/** How long giving back what is not wanted waits for a server that cannot be reached. Its lease ends anyway. */
const GIVING_BACK_MS = 1000;

/** What is taken in turns, first come, first served, and held by lease. */
export abstract class RedisTurns extends RedisObject {
  protected abstract readonly turns: { readonly acquire: Script; readonly leave: Script };
  #isLost = false;
  #lost!: Promise<void>;
  #lose!: () => void;

  constructor(...args: ConstructorParameters<typeof RedisObject>) {
    super(...args);
    this.#watchLoss();
  }

  /** Resolves when it is lost while it is held here, or when it will be held. After the next acquisition it is another one. */
  get lost(): Promise<void> {
    return this.#lost;
  }

  /** Whether it was lost, and has not been acquired since. */
  protected get isLost(): boolean {
    return this.#isLost;
  }

  /** @returns undefined when it was not in time. @throws (rejects) `signal.reason`; ManagerClosedError; StaleHandleError. */
  protected async takeTurn(options?: WaitOptions): Promise<Win | undefined> {
    const timeout = timeoutOf(options);
    if (signalOf(options)?.aborted) throw options!.signal!.reason;
    if (timeout <= 0) return this.tryTurn();
    const { engine } = this;
    const member = engine.newMember();
    /** When the last look was asked for that has been answered: since then at least the lease lasts. */
    let looked: number | undefined;
    const enter = (found: { token: bigint; ownerDied: boolean }, since: number) =>
      new Won<Win>({ ...found, member, ends: since + engine.leases.lease });
    const won = await engine.wait<Win>(
      {
        channel: engine.hints,
        hint: (message) => {
          const found = readWon(message, member);
          if (typeof found === 'boolean') return found;
          return looked === undefined || enter(found, looked);
        },
        look: async () => {
          await engine.leases.start();
          const asked = now();
          const found = await this.#ask(member, true, Number.POSITIVE_INFINITY);
          looked = asked;
          if ('token' in found) return enter(found, asked);
          return Math.min(engine.leases.lease / 3, found.again + 1);
        },
        giveUp: async () => {
          await this.leave([member]);
        },
      },
      options,
    );
    return won?.value;
  }

  /** Tries once. */
  protected async tryTurn(): Promise<Win | undefined> {
    await this.engine.leases.start();
    const member = this.engine.newMember();
    const asked = now();
    let found: Acquired;
    try {
      found = await this.#ask(member, false);
    } catch (error) {
      void this.leave([member]).catch(() => {}); // it may have been won
      throw error;
    }
    return 'token' in found ? { ...found, member, ends: asked + this.engine.leases.lease } : undefined;
  }

  /**
   * Has the lease of what was won renewed, and has it given back when the connection is closed.
   *
   * @param onLost called when it is lost.
   */
  protected keep(win: Win, onLost: () => void): Kept {
    if (this.#isLost) this.#watchLoss();
    const lose = () => {
      onLost();
      this.#isLost = true;
      this.#lose();
    };
    const drop = this.engine.leases.hold(this.key('leases'), win.member, win.ends, () => {
      lose();
      void this.leave([win.member], { patience: GIVING_BACK_MS }).catch(() => {}); // if the server has not noticed yet
    });
    const forget = this.engine.onClose(async () => {
      lose();
      await this.leave([win.member], { patience: GIVING_BACK_MS });
    });
    const letGo = () => {
      drop();
      forget();
    };
    return { letGo, lose };
  }

  /** Of what holds: gives it to the next. Of a waiter: leaves the line. @returns how many held. */
  protected async leave(
    members: readonly string[],
    more?: { readonly patience?: number; readonly note?: { repeated: boolean } },
  ): Promise<number> {
    return (await this.lastStep(this.turns.leave, [this.engine.wakes, ...members], more)) as number;
  }

  async #ask(member: string, waits: boolean, patience?: number): Promise<Acquired> {
    const { wakes, leases } = this.engine;
    return readAcquired(await this.step(this.turns.acquire, [wakes, member, leases.lease, waits ? 1 : 0], patience));
  }

  #watchLoss(): void {
    this.#isLost = false;
    this.#lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }
}
