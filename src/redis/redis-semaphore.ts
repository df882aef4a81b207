import { TimeoutError } from '../errors/index.js';
import { signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { checkCount, MAX_SEMAPHORE_VALUE } from '../synchronize/internal.js';
import { RedisObject } from './redis-object.js';
import { semaphoreScripts } from './scripts/semaphore.js';
import { readWon } from './scripts/turns.js';
import { Won } from './wait.js';

const TAKEN = -1;

export class RedisSemaphore extends RedisObject {
  static {
    Object.defineProperty(RedisSemaphore, 'name', { value: 'RemoteSemaphore' });
  }

  protected readonly parts = ['leases', 'line', 'granted'];

  async acquire(options?: WaitOptions): Promise<boolean> {
    const timeout = timeoutOf(options);
    if (signalOf(options)?.aborted) throw options!.signal!.reason;
    if (timeout <= 0) return this.tryAcquire();
    const { engine } = this;
    const { lease } = engine.leases;
    const member = engine.newMember();
    const won = await engine.wait(
      {
        channel: engine.hints,
        hint: (message) => readWon(message, member) !== false,
        look: async () => {
          const again = await this.#ask(member, true);
          return again === TAKEN ? new Won(true) : Math.min(lease / 3, again + 1);
        },
        giveUp: async (taken) => {
          const args = [engine.wakes, member, taken === undefined ? 0 : 1];
          await this.lastStepOnce(semaphoreScripts.leave, args, { again: 'repeatable' });
        },
      },
      options,
    );
    return won !== undefined;
  }

  async tryAcquire(): Promise<boolean> {
    return (await this.#ask(this.engine.newMember(), false)) === TAKEN;
  }

  async release(count = 1): Promise<void> {
    checkCount('The number of permits to release', count, 1, MAX_SEMAPHORE_VALUE);
    const args = [this.engine.wakes, count, MAX_SEMAPHORE_VALUE];
    if ((await this.stepOnce(semaphoreScripts.release, args)) === 1) return;
    throw new RangeError(`A semaphore counts to ${MAX_SEMAPHORE_VALUE} at most; releasing ${count} would exceed that.`);
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

  async value(): Promise<number> {
    return (await this.step(semaphoreScripts.value)) as number;
  }

  protected get disposing() {
    return { script: semaphoreScripts.dispose, args: [this.engine.wakes] };
  }

  async #ask(member: string, waits: boolean): Promise<number> {
    const { wakes, leases } = this.engine;
    const args = [wakes, member, leases.lease, waits ? 1 : 0];
    const how = waits ? ({ again: 'repeatable', patience: Number.POSITIVE_INFINITY } as const) : {};
    return (await this.stepOnce(semaphoreScripts.acquire, args, how)) as number;
  }
}
