import { BrokenBarrierError } from '../errors/index.js';
import { now, signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { RedisObject } from './redis-object.js';
import { barrierScripts } from './scripts/barrier.js';
import { readWon } from './scripts/turns.js';
import { Won } from './wait.js';

/** That this client has come once. */
interface Membership {
  /** What ends it, while it lasts. */
  quit: (() => void) | undefined;
}

/** A client is no member any more of a barrier that it does not have. */
const dropped = new FinalizationRegistry<Membership>((membership) => membership.quit?.());

export class RedisBarrier extends RedisObject {
  static {
    Object.defineProperty(RedisBarrier, 'name', { value: 'RemoteBarrier' });
  }

  protected readonly parts = ['members', 'arrived', 'results'];
  readonly #membership: Membership = { quit: undefined };
  /** What it was made with: for those who say no timeout of their own. */
  #timeout: number | undefined;

  constructor(...args: ConstructorParameters<typeof RedisObject>) {
    super(...args);
    dropped.register(this, this.#membership);
  }

  async wait(options?: WaitOptions): Promise<number> {
    const begun = now();
    const own = timeoutOf(options);
    const signal = signalOf(options);
    signal?.throwIfAborted();
    const timeout = options?.timeout === undefined ? await this.#usualTimeout() : own;
    const { engine } = this;
    const { lease } = engine.leases;
    const party = engine.newMember();
    /** What became of its round, once that is known. */
    let outcome: string | undefined;
    let hasCome = false;
    let hasFailed = false;
    const awaited = {
      channel: engine.hints,
      hint: (message: Buffer) => readWon(message, party) !== false,
      look: async () => {
        hasFailed = true;
        await engine.leases.start();
        const asked = now();
        const reply = await this.#arrive(party, hasCome);
        hasFailed = false;
        hasCome = true;
        if (reply !== 'broken') this.#join(asked + lease);
        return typeof reply === 'string' ? new Won(reply) : Math.min(lease / 3, reply + 1);
      },
      giveUp: async (won: Won<string> | undefined) => {
        const how = signal?.aborted ? 'withdraws' : engine.isOpen && !hasFailed ? 'late' : 'ends';
        outcome = won?.value ?? (await this.#leave(party, how));
      },
    };
    try {
      const won = await engine.wait(awaited, { signal, timeout: begun + timeout - now() });
      outcome = won?.value ?? outcome;
    } catch (error) {
      // Where all have come, the others count on this party: it goes on with them.
      if (!signal?.aborted || error !== signal.reason || indexOf(outcome) === undefined) throw error;
    }
    const index = indexOf(outcome);
    if (index !== undefined) return index;
    throw new BrokenBarrierError(
      'The barrier is broken: a party gave up or died, or somebody broke or reset it. reset() makes it as new.',
    );
  }

  async reset(): Promise<void> {
    await this.stepOnce(barrierScripts.reset, [this.engine.wakes]);
  }

  async abort(): Promise<void> {
    await this.stepOnce(barrierScripts.abort, [this.engine.wakes]);
  }

  async parties(): Promise<number> {
    return (await this.#look())[0];
  }

  async nWaiting(): Promise<number> {
    return (await this.#look())[1];
  }

  async broken(): Promise<boolean> {
    return (await this.#look())[2] === 1;
  }

  protected get disposing() {
    return { script: barrierScripts.dispose, args: [this.engine.wakes] };
  }

  async #look(): Promise<[parties: number, waiting: number, broken: number, timeout: Buffer]> {
    return (await this.step(barrierScripts.look)) as [number, number, number, Buffer];
  }

  async #usualTimeout(): Promise<number> {
    if (this.#timeout === undefined) {
      const text = String((await this.#look())[3]);
      this.#timeout = text === '' ? Number.POSITIVE_INFINITY : Number(text);
    }
    return this.#timeout;
  }

  /** @returns what became of its round, or the ms after which to look again. */
  async #arrive(party: string, hasCome: boolean): Promise<string | number> {
    const { wakes, client, leases } = this.engine;
    const how = { again: 'repeatable', patience: Number.POSITIVE_INFINITY } as const;
    const args = [wakes, party, client, leases.lease, hasCome ? 1 : 0];
    const reply = await this.stepOnce(barrierScripts.arrive, args, how);
    return typeof reply === 'number' ? reply : String(reply);
  }

  async #leave(party: string, how: 'withdraws' | 'late' | 'ends'): Promise<string> {
    const args = [this.engine.wakes, party, how];
    return String(await this.lastStepOnce(barrierScripts.leave, args, { again: 'repeatable' }));
  }

  /** From here on this client is a member, until it has the barrier no more, or the connection is closed. */
  #join(ends: number): void {
    const membership = this.#membership;
    if (membership.quit !== undefined) return;
    const { client, leases } = this.engine;
    const leave = this.laterStep(barrierScripts.quit, [client]);
    // None of these knows the wrapper: nobody would ever see it dropped.
    const lost = () => {
      membership.quit = undefined;
      forget();
    };
    const letGo = leases.hold(this.key('members'), client, ends, lost);
    const forget = this.engine.onClose(leave);
    membership.quit = () => {
      letGo();
      lost();
      void leave().catch(() => {});
    };
  }
}

/** Which of them a party is, if its round is over, and not broken. */
function indexOf(outcome: string | undefined): number | undefined {
  return outcome !== undefined && /^\d+$/.test(outcome) ? Number(outcome) : undefined;
}
