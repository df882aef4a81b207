import { inspect } from 'node:util';
import { type SyncWaitOptions, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { AcquirableObject } from './acquirable-object.js';
import type { SyncRun, TakeWord } from './take-word.js';

/** What Semaphore and BoundedSemaphore have in common: so many may have it at once. */
export abstract class CountedPermits<W extends TakeWord & { readonly value: number }> extends AcquirableObject<W> {
  acquire(): Promise<true>;
  acquire(options: WaitOptions): Promise<boolean>;
  async acquire(options?: WaitOptions): Promise<boolean> {
    this.used();
    this.word.check();
    // Those who wait here go first.
    if (options === undefined && !this.waiters.any && this.word.attempt(0, false) === 'taken') return true;
    return this.waiters.wait(options, () => {});
  }

  protected takeSync(options: SyncWaitOptions | undefined): boolean {
    this.used();
    const timeout = timeoutOf(options);
    this.word.check();
    if (this.word.attempt(0, false) === 'taken') return true;
    return timeout <= 0 ? this.tryHard() : this.word.takeSync(timeout);
  }

  tryAcquire(): boolean {
    this.used();
    this.word.check();
    return this.tryHard();
  }

  release(count: number = 1): void {
    this.releaseFor(undefined, count);
  }

  /** Gives back permits, for a `runSync` if one is given. */
  protected abstract releaseFor(run: SyncRun | undefined, count: number): void;

  protected override giveBack(run: SyncRun): void {
    this.releaseFor(run, 1);
  }

  /** How many may still enter, at this instant. */
  get value(): number {
    this.word.check();
    return this.word.value;
  }

  protected abandon(run: SyncRun): void {
    if (run.acquired) this.giveBack(run);
  }

  [inspect.custom](): string {
    return `${this.constructor.name} { ${this.word.disposed ? 'disposed' : `value: ${this.word.value}`} }`;
  }
}

/** @throws TypeError for anything but an integer; RangeError for one out of range. */
export function checkCount(what: string, count: unknown, least: number, most: number): number {
  if (typeof count !== 'number' || !Number.isInteger(count)) {
    throw new TypeError(`${what} is an integer; got ${inspect(count)}.`);
  }
  if (count < least || count > most) throw new RangeError(`${what} is from ${least} to ${most}; got ${count}.`);
  return count;
}
