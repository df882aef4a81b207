import { NotOwnerError, TimeoutError, ValueError } from '../errors/index.js';
import { MAX_BLOCK_WORDS, type WaitOptions } from '../heap/internal.js';
import { checkCount } from '../synchronize/internal.js';
import { closedError } from './line.js';
import { type Kept, RedisTurns, type Win } from './redis-turns.js';
import { boundedSemaphoreScripts } from './scripts/bounded-semaphore.js';

interface Permit extends Win, Kept {}

export class RedisBoundedSemaphore extends RedisTurns {
  static {
    Object.defineProperty(RedisBoundedSemaphore, 'name', { value: 'RemoteBoundedSemaphore' });
  }

  protected readonly parts = ['leases', 'line', 'held'];
  protected readonly turns = boundedSemaphoreScripts;
  /** Those that are held here, in the order in which they were acquired. */
  readonly #permits: Permit[] = [];

  /** Of the permit that was acquired last, of those that are held here. */
  get token(): bigint | undefined {
    return this.#permits.at(-1)?.token;
  }

  async acquire(options?: WaitOptions): Promise<boolean> {
    return this.#entered(await this.takeTurn(options)) !== undefined;
  }

  async tryAcquire(): Promise<boolean> {
    return this.#entered(await this.tryTurn()) !== undefined;
  }

  async release(count = 1): Promise<void> {
    checkCount('The number of permits to release', count, 1, MAX_BLOCK_WORDS);
    if (!this.engine.isOpen) throw closedError();
    if (this.#permits.length < count) throw await this.#tooMany(count);
    await this.#giveBack(this.#permits.slice(-count));
  }

  async run<T>(fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError('run takes a function.');
    const permit = this.#entered(await this.takeTurn(options));
    if (permit === undefined) {
      throw new TimeoutError(`The ${this.constructor.name} could not be acquired within ${options?.timeout} ms.`);
    }
    const giveBack = async () => {
      if (!this.engine.isOpen) throw closedError();
      if (!this.#permits.includes(permit)) throw await this.#tooMany(1);
      await this.#giveBack([permit]);
    };
    let failed = true;
    try {
      const result = await fn();
      failed = false;
      return result;
    } finally {
      // What `fn` has thrown says more than that the permit is lost, too.
      await (failed ? giveBack().catch(() => {}) : giveBack());
    }
  }

  async value(): Promise<number> {
    const [free] = await this.#counts();
    return free;
  }

  protected get disposing() {
    return { script: boundedSemaphoreScripts.dispose, args: [this.engine.wakes] };
  }

  async #counts(): Promise<[free: number, permits: number]> {
    return (await this.step(boundedSemaphoreScripts.value)) as [number, number];
  }

  #entered(win: Win | undefined): Permit | undefined {
    if (win === undefined) return undefined;
    const permit: Permit = { ...win, ...this.keep(win, () => this.#left(permit)) };
    this.#permits.push(permit);
    return permit;
  }

  #left(permit: Permit): void {
    permit.letGo();
    const at = this.#permits.indexOf(permit);
    if (at !== -1) this.#permits.splice(at, 1);
  }

  async #giveBack(permits: readonly Permit[]): Promise<void> {
    for (const permit of permits) this.#left(permit);
    const note = { repeated: false };
    const members = permits.map(({ member }) => member);
    if ((await this.leave(members, { note })) !== permits.length && !note.repeated) throw this.#wasLost();
  }

  async #tooMany(count: number): Promise<Error> {
    if (this.isLost) return this.#wasLost();
    const [free, permits] = await this.#counts();
    if (free === permits) return new ValueError('The semaphore has been released too many times.');
    return new NotOwnerError(
      `This connection has ${this.#permits.length} permits, so it cannot release ${count}. To let others release, use Semaphore.`,
    );
  }

  #wasLost(): NotOwnerError {
    return new NotOwnerError(
      `A permit of the ${this.constructor.name} was lost: its lease had ended before it was renewed. Others may have it.`,
    );
  }
}
