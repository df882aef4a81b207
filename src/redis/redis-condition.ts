import { NotOwnerError } from '../errors/index.js';
import { now, signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { ALL, checkCount } from '../synchronize/internal.js';
import { RedisLock } from './redis-lock.js';
import { LOCK_PARTS, RedisLocked } from './redis-locked.js';
import { conditionScripts } from './scripts/condition.js';
import { readWon } from './scripts/turns.js';
import { Won } from './wait.js';

const NOTIFIED = -1;

export class RedisCondition extends RedisLocked {
  static {
    Object.defineProperty(RedisCondition, 'name', { value: 'RemoteCondition' });
  }

  protected readonly parts = ['leases', 'line', 'notified', ...LOCK_PARTS];
  #lock: RedisLock | undefined;

  override async getLock(): Promise<RedisLock> {
    this.#lock ??= await this.#findLock();
    return this.#lock;
  }

  /** One whose lease has ended while it waits goes on, too: nobody knows whether it would have been notified. */
  async wait(options?: WaitOptions): Promise<boolean> {
    const deadline = now() + timeoutOf(options);
    signalOf(options)?.throwIfAborted();
    const lock = await this.#heldLock();
    const { engine } = this;
    const member = engine.newMember();
    const letGo = await this.#stand(member);
    let again: () => Promise<void>;
    try {
      again = await RedisLock.leaveForAWhile(lock);
    } catch (error) {
      await this.#leave(member, letGo, true).catch(() => {});
      throw error;
    }
    let failure: { error: unknown } | undefined;
    let notified = false;
    try {
      const awaited = {
        channel: engine.hints,
        hint: (message: Buffer) => readWon(message, member) !== false,
        look: async () => {
          const args = [engine.wakes, member];
          const ms = (await this.step(conditionScripts.look, args, Number.POSITIVE_INFINITY)) as number;
          if (ms === NOTIFIED) return new Won(true);
          if (lock !== this.ownLock) await RedisLock.checkThere(lock); // without it nobody could notify any more
          return Math.min(engine.leases.lease, ms + 1);
        },
        giveUp: async () => {}, // not before the lock is there again: until then it may be notified
      };
      notified = (await engine.wait(awaited, { ...options, timeout: deadline - now() })) !== undefined;
    } catch (error) {
      failure = { error };
    }
    try {
      await again();
    } catch (error) {
      await this.#leave(member, letGo, true).catch(() => {});
      throw failure === undefined ? error : failure.error;
    }
    const had = await this.#leave(member, letGo, failure !== undefined);
    if (failure !== undefined) throw failure.error;
    return notified || had;
  }

  async waitFor(predicate: () => boolean | PromiseLike<boolean>, options?: WaitOptions): Promise<boolean> {
    if (typeof predicate !== 'function') throw new TypeError('waitFor takes a function that says what to wait for.');
    const deadline = now() + timeoutOf(options);
    for (;;) {
      const holds = Boolean(await predicate());
      const left = deadline - now();
      if (holds || left <= 0) return holds;
      await this.wait({ ...options, timeout: left });
    }
  }

  async notify(n = 1): Promise<void> {
    checkCount('The number of those to notify', n, 0, ALL);
    await this.#heldLock();
    await this.stepOnce(conditionScripts.notify, [this.engine.wakes, n]);
  }

  notifyAll(): Promise<void> {
    return this.notify(ALL);
  }

  protected get disposing() {
    return { script: conditionScripts.dispose, args: [this.engine.wakes] };
  }

  async #findLock(): Promise<RedisLock> {
    const name = String(await this.step(conditionScripts.lock));
    return name === '' ? this.ownLock : (this.engine.named(name) as RedisLock);
  }

  /** @throws (rejects) NotOwnerError when this connection does not have it, or has lost it; StaleHandleError. */
  async #heldLock(): Promise<RedisLock> {
    const lock = await this.getLock();
    try {
      RedisLock.checkHeld(lock);
    } catch (error) {
      await this.step(conditionScripts.lock); // one that has been disposed of says so
      const { message } = error as Error;
      throw new NotOwnerError(
        `Not without the lock of the condition. ${message} Call it within run(), or acquire() first.`,
      );
    }
    return lock;
  }

  /** @returns what ends that its lease is renewed. */
  async #stand(member: string): Promise<() => void> {
    const { leases, wakes } = this.engine;
    await leases.start();
    const asked = now();
    await this.step(conditionScripts.stand, [wakes, member, leases.lease]);
    return leases.hold(this.key('leases'), member, asked + leases.lease, () => {}); // the next look tells
  }

  /** @returns whether it had been notified. */
  async #leave(member: string, letGo: () => void, isUnfit: boolean): Promise<boolean> {
    letGo();
    const args = [this.engine.wakes, member, isUnfit ? 1 : 0];
    return (await this.lastStepOnce(conditionScripts.leave, args, { again: 'repeatable' })) === 1;
  }
}
