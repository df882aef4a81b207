import { MultiprocessError } from '../errors/index.js';
import { type Place, stale } from '../heap/internal.js';
import { LockWord, type NotPromise } from '../synchronize/internal.js';
import { refuseThenable } from './refuse-thenable.js';
import { setStarving, TURN } from './watchers.js';

/** The property by which a container says how it takes part in `transact`. */
export const transactable: unique symbol = Symbol('multiprocess.transactable');

/**
 * How a container takes part in `transact`. From `begin` to `end` all operations of this environment on it go to an overlay,
 * whoever calls them; `end` is called in any case, and then they go to the shared object again.
 *
 * What the overlay reads of the shared object must be as it was at `begin`: if its sequence has moved since, the read throws
 * `Overtaken`, and `publish` returns false even if somebody has caught that.
 */
export interface Transactable {
  /** Its root's words `c` and `futex` are used as watchers.ts says. */
  readonly place: Place;
  begin(): void;
  /** Stores what the overlay has, in one step. @returns false when the object has been changed by others since `begin`. */
  publish(): boolean;
  end(): void;
}

/** Thrown by what is read in an overlay when others have changed the object: the function is called again. */
export class Overtaken extends Error {}

const PATIENCE = 8;
const HINT = 'Do all that belongs together in one of them.';

interface Running {
  readonly unit: Transactable;
  readonly turn: LockWord;
}
let running: Running | undefined;

/**
 * Makes several changes of a dict, list or namespace at once: others see all of them or none, also when this process is
 * killed in the middle. Within `fn`, everything that is done to `target` in this thread belongs to the transaction.
 *
 * No lock is held while `fn` runs: what it has done is stored if nobody else has changed `target` meanwhile; otherwise `fn`
 * is called again. So it should change nothing else. Calls of `transact` on one object wait for each other, blocking this
 * thread. A change of many entries of a large dict costs as much as copying the dict.
 *
 * @param fn synchronous; is given `target`. What it throws is thrown, and nothing is stored.
 * @returns what `fn` returns.
 * @throws TypeError for what is no dict, list or namespace, and when `fn` returns a promise; MultiprocessError
 * (`ERR_MULTIPROCESS_REENTRANT`) within another `transact`; StaleHandleError; system errors (`ENOSPC`).
 *
 * @example
 * ```ts
 * import { SharedDict, transact } from 'multiprocess';
 *
 * const accounts = SharedDict({ alice: 10, bob: 0 });
 * transact(accounts, (a) => {
 *   a.set('alice', a.get('alice') - 4);
 *   a.set('bob', a.get('bob') + 4);
 * });
 * console.log(accounts.toObject()); // { alice: 6, bob: 4 }
 * ```
 */
export function transact<P extends object, R>(target: P, fn: (target: P) => NotPromise<R>): R {
  const unit = (target as { [transactable]?: Transactable } | null | undefined)?.[transactable];
  if (unit === undefined) throw new TypeError('transact takes a dict, a list or a namespace that is shared.');
  if (typeof fn !== 'function') throw new TypeError('transact takes a function.');
  if (running !== undefined) {
    throw new MultiprocessError(`A transact runs already in this thread. ${HINT}`, {
      code: 'ERR_MULTIPROCESS_REENTRANT',
    });
  }
  const { place } = unit;
  const { onTick } = place.heap;
  const turn = new LockWord(place.heap, place.at, TURN);
  const own: Running = { unit, turn };
  // JavaScript can be cut short (a `vm` timeout), and then not even `finally` runs. All of this is synchronous: what a tick
  // still finds here was cut short.
  const abandon = () => {
    if (running === own) end(own, abandon);
  };
  running = own;
  onTick.add(abandon);
  try {
    turn.takeSync(Number.POSITIVE_INFINITY);
    if (!place.heap.exists(place.at)) throw stale();
    for (let runs = 1; ; runs++) {
      const outcome = attempt(target, unit, fn);
      if (outcome !== undefined) return outcome.result;
      if (runs === PATIENCE) setStarving(place, true);
    }
  } finally {
    end(own, abandon);
  }
}

function attempt<P, R>(target: P, unit: Transactable, fn: (target: P) => R): { result: R } | undefined {
  unit.begin();
  try {
    const result = refuseThenable(fn(target), 'transact');
    return unit.publish() ? { result } : undefined;
  } catch (error) {
    if (error instanceof Overtaken) return undefined;
    throw error;
  } finally {
    unit.end();
  }
}

function end(own: Running, abandon: () => void): void {
  const { unit, turn } = own;
  unit.place.heap.onTick.delete(abandon);
  running = undefined;
  unit.end();
  if (!turn.isOwn) return;
  setStarving(unit.place, false);
  turn.release();
}
