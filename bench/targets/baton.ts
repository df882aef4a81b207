import { setTimeout } from 'node:timers/promises';
import { Lock, Process, RawArray } from 'multiprocess';

/** What the second process is given. */
export interface BatonParts {
  readonly locks: readonly Lock[];
  readonly joined: Int32Array;
}

/**
 * A turn that two processes pass to each other by locks alone, so each passing hands over a lock to one who waits for it.
 *
 * A lock is released by its owner only, so two locks do not do: whoever waits for the other's needs to hold the one that
 * the other will wait for next. With three it goes round. Turns count from 0, the first process has the even ones. To have
 * turn `n` is to have acquired lock `n % 3`; to pass it on is to release lock `(n + 1) % 3`, which the same process has
 * kept since turn `n - 2`, where it was lock `(n - 2) % 3`. So the one whose turn it is holds two locks, the other waits
 * for the second of these and holds the third, and no lock is ever free for longer than its hand-over takes.
 */
export class Baton {
  readonly #locks: readonly Lock[];
  #turn: number;

  private constructor(locks: readonly Lock[], turn: number) {
    this.#locks = locks;
    this.#turn = turn;
  }

  /**
   * Starts the second process, which is given the parts before its other arguments; it ends with this one.
   *
   * @returns when it has taken its place. The turn is this process's.
   */
  static async start<A extends readonly unknown[]>(
    target: (parts: BatonParts, ...args: A) => unknown,
    ...args: A
  ): Promise<{ baton: Baton; partner: Process }> {
    const parts: BatonParts = { locks: [new Lock(), new Lock(), new Lock()], joined: RawArray('i', 1) };
    parts.locks[0]!.acquireSync();
    parts.locks[1]!.acquireSync();
    const partner = new Process({ target, args: [parts, ...args] as never, daemon: true });
    partner.start();
    while (Atomics.load(parts.joined, 0) === 0) {
      if (!partner.isAlive()) throw new Error(`The partner ended with exit code ${partner.exitCode}.`);
      await setTimeout(1);
    }
    return { baton: new Baton(parts.locks, 0), partner: partner as Process };
  }

  /** Takes the second process's place. The turn is the other's. */
  static join({ locks, joined }: BatonParts): Baton {
    locks[2]!.acquireSync();
    Atomics.store(joined, 0, 1);
    return new Baton(locks, 1);
  }

  take(): void {
    this.#locks[this.#turn % 3]!.acquireSync();
  }

  async takeAsync(): Promise<void> {
    await this.#locks[this.#turn % 3]!.acquire();
  }

  pass(): void {
    this.#locks[(this.#turn + 1) % 3]!.release();
    this.#turn += 2;
  }
}
