import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { type FunctionLocation, findFunction, locateFunction, registerSharedKind } from '../codec/internal.js';
import { BrokenBarrierError } from '../errors/index.js';
import {
  now,
  openPlace,
  Place,
  placeOf,
  root,
  rootKind,
  type SyncWaitOptions,
  signalOf,
  stale,
  timeoutOf,
  type WaitOptions,
} from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import { loadText, storeText } from './barrier-action.js';
import {
  abandonRound,
  arrive,
  breakBarrier,
  completeRound,
  endMembership,
  futexOf,
  leaveRound,
  loadWord,
  type Party,
  resetBarrier,
  roundState,
  seenState,
  waitingParties,
  withdraw,
} from './barrier-rounds.js';
import { callable, type Kind } from './callable.js';
import { checkCount } from './counted-permits.js';
import { undoneIfCutShort } from './cut-short.js';
import { Primitive } from './primitive.js';
import { type Awaited, waitFor, waitForSync } from './wait-for.js';

/** What a {@link Barrier} may be told besides the number of its parties. */
export interface BarrierOptions {
  /**
   * Runs once in each round, when all have come and before they go on, in the process of the last one. A barrier with an
   * action travels to other processes if the action is an exported function. What it throws breaks the barrier.
   */
  action?: () => void;
  /** For `wait` calls without a timeout of their own, in milliseconds. Default: as long as it takes. */
  timeout?: number;
}

export const MOST_PARTIES = 0x3fff_ffff;

/**
 * A place where a number of parties wait for each other, again and again; between processes and worker threads.
 *
 * Whoever gives up breaks the barrier for all: then every `wait` throws BrokenBarrierError, until `reset()`. An environment
 * that has waited once counts as a member for as long as it has the barrier and has not exited: one that is killed breaks it.
 * (One that is killed before its first `wait` cannot be known: give a timeout.)
 *
 * @param parties how many have to come, from 1.
 * @throws TypeError for parties that are no integer, an action that is no function, or a timeout that is no number;
 * RangeError for fewer than 1 party, or a timeout of NaN; UnsupportedPlatformError, system errors (`ENOSPC`), and
 * TooManyParticipantsError when it is made.
 *
 * @example
 * ```ts
 * import { Barrier } from 'multiprocess';
 *
 * let rounds = 0;
 * const start = new Barrier(2, { action: () => void rounds++ });
 * const both = [start.wait(), start.wait()]; // usually in two processes
 * console.log(await Promise.all(both), rounds); // [ 0, 1 ] 1
 * console.log(start); // Barrier { parties: 2, waiting: 0 }
 * ```
 */
export interface Barrier {
  /**
   * Waits until all parties have come.
   *
   * @returns a number from 0 to parties − 1, another one for each of them.
   * @throws (rejects) BrokenBarrierError when the barrier is broken, or somebody breaks it, or this party was too late;
   * what the action throws, in the last to come; NotShareableError there, when the action cannot be found; `signal.reason`,
   * when aborted before all have come: then it has not come, and the others wait on; StaleHandleError.
   */
  wait(options?: WaitOptions): Promise<number>;
  /** The same, blocking this thread. */
  waitSync(options?: SyncWaitOptions): number;
  /** Makes it as new; those who wait get BrokenBarrierError. */
  reset(): void;
  /** Breaks it, until `reset()`. */
  abort(): void;
  readonly parties: number;
  /** How many wait, at this instant. */
  readonly nWaiting: number;
  readonly broken: boolean;
  readonly handle: Handle<Barrier>;
  /** Ends it for all: those who wait, and every later use, get StaleHandleError. */
  dispose(): void;
}

const ended = new FinalizationRegistry<Place>(endMembership);

class BarrierClass extends Primitive implements Barrier {
  static {
    Object.defineProperty(BarrierClass, 'name', { value: 'Barrier' });
  }

  readonly #action: (() => void) | undefined;
  readonly #timeout: number;

  constructor(parties: unknown, options?: BarrierOptions) {
    if (parties instanceof Place) {
      super('Barrier', parties);
      this.#action = undefined;
      this.#timeout = loadText(parties)?.timeout ?? Number.POSITIVE_INFINITY;
    } else {
      const count = checkCount('The number of parties', parties, 1, MOST_PARTIES);
      const { action } = checkOptions(options);
      const timeout = timeoutOf(options);
      super('Barrier', (heap) => heap.create(rootKind.barrier, [0, count]));
      this.#action = action;
      this.#timeout = timeout;
    }
    ended.register(this, this.place);
  }

  async wait(options?: WaitOptions): Promise<number> {
    this.used();
    let signal = signalOf(options);
    const deadline = this.#deadline(options);
    signal?.throwIfAborted();
    // While the action of the round before runs, nobody has come to the next one.
    const { note, over } = this.#notingParty();
    const arriving = waitFor(this.#arriving(note), { signal, timeout: deadline - now() });
    over();
    const party = await arriving;
    if (party === undefined) throw this.#late();
    if (party === 'broken') throw broken();
    if (party.last && this.#acts) {
      await this.#runAction(party, async () => (await this.#findAction(async (url) => import(url)))());
    }
    for (;;) {
      let over: true | undefined;
      try {
        over = await waitFor(this.#ending(party), { signal, timeout: deadline - now() });
      } catch (error) {
        if (signal?.aborted && error === signal.reason) {
          if (withdraw(this.place, party, true)) throw error;
          signal = undefined;
          continue;
        }
        this.#fail(party);
        throw error;
      }
      if (over === undefined) breakBarrier(this.place, party);
      const index = leaveRound(this.place, party);
      if (index === 'broken') throw broken();
      if (index !== undefined) return index;
    }
  }

  waitSync(options?: SyncWaitOptions): number {
    this.used();
    const deadline = this.#deadline(options);
    const { note, over } = this.#notingParty();
    try {
      return this.#waitSync(deadline, note);
    } finally {
      over();
    }
  }

  #waitSync(deadline: number, note: (party: Party) => void): number {
    const party = waitForSync(this.#arriving(note), deadline - now());
    if (party === undefined) throw this.#late();
    if (party === 'broken') throw broken();
    if (party.last && this.#acts) this.#runActionSync(party);
    for (;;) {
      let over: true | undefined;
      try {
        over = waitForSync(this.#ending(party), deadline - now());
      } catch (error) {
        this.#fail(party);
        throw error;
      }
      if (over === undefined) breakBarrier(this.place, party);
      const index = leaveRound(this.place, party);
      if (index === 'broken') throw broken();
      if (index !== undefined) return index;
    }
  }

  reset(): void {
    this.used();
    this.#check();
    resetBarrier(this.place);
  }

  abort(): void {
    this.used();
    this.#check();
    breakBarrier(this.place);
  }

  get parties(): number {
    this.#check();
    return this.place.heap.memory.load(this.place.at.address + root.b);
  }

  get nWaiting(): number {
    this.#check();
    const { heap, at } = this.place;
    return heap.transaction.run((tx) => {
      tx.lockObject(at.address);
      return waitingParties(tx, at.address);
    });
  }

  get broken(): boolean {
    this.#check();
    return this.place.heap.memory.load(this.place.at.address + root.c) !== 0;
  }

  override dispose(): void {
    super.dispose();
    breakBarrier(this.place);
  }

  /** @throws NotShareableError when its action is no exported function. */
  get handle(): Handle<Barrier> {
    this.#storeAction();
    return `mp:barrier:${this.fields}` as Handle<Barrier>;
  }

  [inspect.custom](): string {
    if (!this.place.heap.exists(this.place.at)) return 'Barrier { disposed }';
    return `Barrier { parties: ${this.parties}, ${this.broken ? 'broken' : `waiting: ${this.nWaiting}`} }`;
  }

  #check(): void {
    if (!this.place.heap.exists(this.place.at)) throw stale();
    this.place.heap.participant.check();
  }

  #deadline(options: SyncWaitOptions | undefined): number {
    const own = timeoutOf(options);
    return now() + (options?.timeout === undefined ? this.#timeout : own);
  }

  get #acts(): boolean {
    return this.#action !== undefined || loadText(this.place)?.action !== undefined;
  }

  /** @returns also what ends the time in which the party would give up if JavaScript were cut short. */
  #notingParty(): { note: (party: Party) => void; over: () => void } {
    let come: Party | undefined;
    const over = undoneIfCutShort(this.place.heap, () => {
      if (come !== undefined) abandonRound(this.place, come);
    });
    return {
      note: (party) => {
        come = party;
      },
      over,
    };
  }

  #arriving(note: (party: Party) => void): Awaited<Party | 'broken'> {
    const { heap, at } = this.place;
    const address = at.address + root.futex;
    return {
      heap,
      address,
      look: () => {
        this.#check();
        return arrive(this.place, this.#acts, note);
      },
      prepareSleep: () => loadWord(heap, address),
    };
  }

  #ending(party: Party): Awaited<true> {
    const { heap } = this.place;
    return {
      heap,
      address: futexOf(party),
      look: () => {
        this.#check();
        return seenState(heap, party) >= roundState.done || undefined;
      },
      prepareSleep: () => loadWord(heap, futexOf(party)),
    };
  }

  /** Nobody has come yet, and too much time has passed. */
  #late(): BrokenBarrierError {
    breakBarrier(this.place);
    return broken();
  }

  async #runAction(party: Party, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#fail(party);
      throw error;
    }
    completeRound(this.place, party);
  }

  #runActionSync(party: Party): void {
    try {
      const action = this.#action ?? this.#load(loadText(this.place)!.action!);
      const result: unknown = action();
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
        throw new TypeError(
          'The action of a barrier returned a promise; where somebody waits by waitSync() it is synchronous.',
        );
      }
    } catch (error) {
      this.#fail(party);
      throw error;
    }
    completeRound(this.place, party);
  }

  #fail(party: Party): void {
    breakBarrier(this.place, party);
    withdraw(this.place, party);
  }

  async #findAction(load: (url: string) => Promise<Record<string, unknown>>): Promise<() => void> {
    if (this.#action !== undefined) return this.#action;
    const location = loadText(this.place)!.action!;
    return findFunction(await load(location.url), location) as () => void;
  }

  #load(location: FunctionLocation): () => void {
    const module = createRequire(import.meta.url)(
      location.url.startsWith('file:') ? fileURLToPath(location.url) : location.url,
    );
    return findFunction(module as Record<string, unknown>, location) as () => void;
  }

  #storeAction(): void {
    const finite = this.#timeout !== Number.POSITIVE_INFINITY;
    if ((this.#action === undefined && !finite) || loadText(this.place) !== undefined) return;
    storeText(this.place, {
      ...(this.#action === undefined ? {} : { action: locateFunction(this.#action) }),
      ...(finite ? { timeout: this.#timeout } : {}),
    });
  }
}

function broken(): BrokenBarrierError {
  return new BrokenBarrierError(
    'The barrier is broken: a party gave up or died, or somebody broke or reset it. reset() makes it as new.',
  );
}

function checkOptions(options: BarrierOptions | undefined): BarrierOptions {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null)
    throw new TypeError('The options are an object, { action, timeout }.');
  if (options.action !== undefined && typeof options.action !== 'function') {
    throw new TypeError('The action of a barrier is a function.');
  }
  return options;
}

export const Barrier: Kind<[parties: number, options?: BarrierOptions], Barrier> = callable(
  BarrierClass as new (
    parties: number,
    options?: BarrierOptions,
  ) => Barrier,
);

registerSharedKind<Barrier>({
  kind: 'barrier',
  type: BarrierClass as unknown as abstract new (...args: never[]) => Barrier,
  handle: (barrier) => barrier.handle,
  places: (barrier) => [placeOf(barrier)],
  open: (fields) => openPlace(fields, rootKind.barrier, (place) => new BarrierClass(place)),
});
