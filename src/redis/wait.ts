import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import type { Hints } from './hints.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** However soon it is to be over, the first look is waited for: one that is free is got. But not if the server is not there. */
const FIRST_LOOK_MS = 1000;
/** How long giving up may keep the caller, who does not want to wait any more. What is not taken back then is by its lease. */
const GIVE_UP_MS = 1000;

/** What is waited for. */
export interface Awaited<T> {
  /** Where hints about it are given. */
  readonly channel: string;
  /** Whether a message concerns it: then it is looked at again; what it is worth if the message says all. */
  hint(message: Buffer): boolean | Won<T>;
  /** Looks, and enters into the line if it is not there yet. @returns the ms after which to look again, unless won. */
  look(): Promise<Won<T> | number>;
  /** Leaves the line, and gives back what was won too late. */
  giveUp(won: Won<T> | undefined): Promise<void>;
}

export class Won<T> {
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }
}

/**
 * Waits for something at the server.
 *
 * @param closing is aborted when the connection is closed.
 * @returns undefined when it was not in time.
 */
export async function waitFor<T>(
  hints: Hints,
  closing: AbortSignal,
  awaited: Awaited<T>,
  options: WaitOptions | undefined,
): Promise<Won<T> | undefined> {
  const timeout = timeoutOf(options);
  const signal = signalOf(options);
  if (signal?.aborted) throw signal.reason;
  const wait = new Wait(awaited, hints);
  // It keeps the process alive, whether or not there is a connection.
  const timer = setTimeout(() => {}, LONGEST_TIMER_MS);
  let late: NodeJS.Timeout | undefined;
  const aborts: (() => void)[] = [];
  const ends: Promise<Won<T> | undefined>[] = [wait.result];
  if (timeout <= LONGEST_TIMER_MS) {
    ends.push(
      new Promise((resolve) => {
        late = setTimeout(resolve, timeout, undefined);
      }),
    );
  }
  const breaks = [closing, ...(signal === undefined ? [] : [signal])].map(
    (each) =>
      new Promise<never>((_, reject) => {
        const onAbort = () => reject(each.reason);
        each.addEventListener('abort', onAbort);
        aborts.push(() => each.removeEventListener('abort', onAbort));
      }),
  );
  try {
    const won = (await Promise.race([...ends, ...breaks])) ?? (await Promise.race([wait.firstLook(), ...breaks]));
    if (won === undefined) await wait.giveUp();
    return won;
  } catch (error) {
    await wait.giveUp();
    throw error;
  } finally {
    clearTimeout(timer);
    clearTimeout(late);
    for (const forget of aborts) forget();
  }
}

class Wait<T> {
  readonly result: Promise<Won<T> | undefined>;
  readonly #awaited: Awaited<T>;
  #over = false;
  #won: Won<T> | undefined;
  readonly #looked: Promise<void>;
  #endLook!: () => void;
  #isHinted = false;
  #wake: () => void = () => {};

  constructor(awaited: Awaited<T>, hints: Hints) {
    this.#awaited = awaited;
    this.#looked = new Promise((resolve) => {
      this.#endLook = resolve;
    });
    this.result = this.#run(hints);
    this.result.catch(() => {}); // who gave up does not ask
  }

  /** @returns what has been won, once it has been looked for. */
  async firstLook(): Promise<Won<T> | undefined> {
    await within(FIRST_LOOK_MS, this.#looked);
    await nextTurn(); // `result` is settled after the look
    return Promise.race([this.result, undefined]);
  }

  async giveUp(): Promise<void> {
    this.#over = true;
    this.#wake();
    const givenUp = this.result.then(
      (won) => this.#awaited.giveUp(won),
      () => this.#awaited.giveUp(undefined),
    );
    await within(GIVE_UP_MS, givenUp);
  }

  /** What is there at once is got without listening. */
  async #run(hints: Hints): Promise<Won<T> | undefined> {
    let leave = () => {};
    try {
      const first = await this.#awaited.look();
      this.#endLook();
      if (first instanceof Won || this.#over) return first instanceof Won ? first : undefined;
      leave = await hints.listen(this.#awaited.channel, (message) => this.#hear(message));
      while (!this.#over) {
        this.#isHinted = false;
        const found = await this.#awaited.look();
        if (found instanceof Won) return found;
        await this.#sleep(found);
        if (this.#won !== undefined) return this.#won;
      }
      return undefined;
    } finally {
      this.#endLook();
      leave();
    }
  }

  #hear(message: Buffer | undefined): void {
    const found = message === undefined || this.#awaited.hint(message);
    if (found === false) return;
    if (found instanceof Won) this.#won = found;
    this.#isHinted = true;
    this.#wake();
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#isHinted || this.#over) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}

/** Awaits the end of something, however it ends, but not for longer. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  const end = () => enough.abort();
  promise.then(end, end);
  await delay(ms, undefined, { signal: enough.signal }).catch(() => {});
}
