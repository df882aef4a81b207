// What the processes and threads do that the tests of semaphores, conditions, events and barriers start.
import { readlinkSync } from 'node:fs';
import { type Barrier, type BoundedSemaphore, type Condition, Event, open, type Semaphore } from 'multiprocess';
import { clockOfRolls, type How } from '../support/parties.js';

type Counted = Semaphore | BoundedSemaphore;
type Waitable = Counted | Event | Condition | Barrier;

/** Signs the roll: this thread is about to wait, or does so. */
function sign(roll: Int32Array, number: number): void {
  const [pid, , thread] = readlinkSync('/proc/thread-self').split('/');
  Atomics.store(roll, 3 * number, Number(pid));
  Atomics.store(roll, 3 * number + 1, Number(thread));
}

/** Notes when the wait was over: what comes afterwards, a process's exit and its result, is not what is timed. */
async function timed<T>(roll: Int32Array, number: number, wait: () => T | Promise<T>): Promise<T> {
  try {
    return await wait();
  } finally {
    Atomics.store(roll, 3 * number + 2, clockOfRolls());
  }
}

/** Waits, and signs: an async wait has begun by then, a blocking one is the next thing that the thread does. */
async function signed<T>(
  roll: Int32Array,
  number: number,
  how: How,
  wait: () => Promise<T>,
  waitSync: () => T,
): Promise<T> {
  return await timed(roll, number, () => {
    if (how === 'sync') {
      sign(roll, number);
      return waitSync();
    }
    const waiting = wait();
    sign(roll, number);
    return waiting;
  });
}

/** Waits for whatever it is: says by what outcome, an error's code included. A condition is acquired, and released. */
export async function outcomeOf(
  what: Waitable,
  roll: Int32Array,
  number: number,
  how: How,
  timeout?: number,
): Promise<string> {
  const options = { timeout };
  try {
    if ('notify' in what) {
      if (how === 'sync') what.acquireSync();
      else await what.acquire();
      try {
        return String(
          await signed(
            roll,
            number,
            how,
            () => what.wait(options),
            () => what.waitSync(options),
          ),
        );
      } finally {
        what.release();
      }
    }
    if ('acquire' in what) {
      return String(
        await signed(
          roll,
          number,
          how,
          () => what.acquire(options),
          () => what.acquireSync(options),
        ),
      );
    }
    return String(
      await signed<boolean | number>(
        roll,
        number,
        how,
        () => what.wait(options),
        () => what.waitSync(options),
      ),
    );
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** Acquires, and keeps it until told to give back. */
export async function holdUntilTold(what: Counted | Condition, held: Int32Array, go: Event, how: How): Promise<void> {
  if (how === 'sync') what.acquireSync();
  else await what.acquire();
  Atomics.add(held, 0, 1);
  if (how === 'sync') go.waitSync();
  else await go.wait();
  what.release();
}

/** Goes in and out. `inside`: how many are, and how many were at most. */
export async function goInAndOut(what: Counted, inside: Int32Array, rounds: number, how: How): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    if (how === 'sync') what.acquireSync();
    else await what.acquire();
    const now = Atomics.add(inside, 0, 1) + 1;
    for (let most = Atomics.load(inside, 1); now > most; most = Atomics.load(inside, 1)) {
      Atomics.compareExchange(inside, 1, most, now);
    }
    for (let i = 0; i < 200; i++) inside[2]!;
    if (how === 'async') await new Promise((resolve) => setImmediate(resolve));
    Atomics.sub(inside, 0, 1);
    what.release();
  }
}

/** Tries to give back what it has not. */
export function releaseNotOwned(what: Counted | Condition): string {
  try {
    what.release();
    return 'released';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** Ends in an orderly way with permits, or the lock, in its hands. */
export function holdAndEnd(what: Counted | Condition): void {
  what.acquireSync();
}

export interface Line {
  /** How many stand in line; how many have gone on. Changed with the condition's lock held. */
  counts: Int32Array;
  /** Their numbers in the order in which they went on. */
  order: Int32Array;
}

/** Stands in a condition's line, and notes when it goes on. */
export async function standInLine(condition: Condition, { counts, order }: Line, number: number, how: How) {
  if (how === 'sync') condition.acquireSync();
  else await condition.acquire();
  counts[0] = counts[0]! + 1;
  const notified = how === 'sync' ? condition.waitSync() : await condition.wait();
  order[counts[1]!] = number;
  counts[1] = counts[1]! + 1;
  condition.release();
  return notified;
}

/** CPython's test_waitfor: waits for 4, and makes known that it has begun with 0. */
export async function waitForFour(condition: Condition, state: Int32Array, how: How): Promise<boolean> {
  if (how === 'sync') {
    return condition.runSync(() => {
      state[0] = 0;
      condition.notify();
      return condition.waitForSync(() => state[0] === 4);
    });
  }
  return await condition.run(async () => {
    state[0] = 0;
    condition.notify();
    return await condition.waitFor(() => state[0] === 4);
  });
}

/** CPython's test_wait_result: the second wait is in vain. */
export async function waitTwice(condition: Condition, how: How): Promise<boolean[]> {
  if (how === 'sync') {
    return condition.runSync(() => {
      condition.notify();
      return [condition.waitSync(), condition.waitSync({ timeout: 20 })];
    });
  }
  return await condition.run(async () => {
    condition.notify();
    return [await condition.wait(), await condition.wait({ timeout: 20 })];
  });
}

/** Passes a barrier again and again. `steps`: how many have come to each; nobody is ever one round ahead of another. */
export async function inLockstep(barrier: Barrier, steps: Int32Array, how: How): Promise<string> {
  for (let round = 0; round < steps.length; round++) {
    Atomics.add(steps, round, 1);
    if (how === 'sync') barrier.waitSync();
    else await barrier.wait();
    if (Atomics.load(steps, round) !== barrier.parties)
      return `round ${round}: only ${Atomics.load(steps, round)} came`;
  }
  return 'well';
}

/** The numbers that the rounds give. */
export async function roundIndices(barrier: Barrier, rounds: number, how: How): Promise<number[]> {
  const indices: number[] = [];
  for (let round = 0; round < rounds; round++) {
    indices.push(how === 'sync' ? barrier.waitSync() : await barrier.wait());
  }
  return indices;
}

/** Waits, and breaks or resets the barrier itself. */
export function meddle(barrier: Barrier, how: 'abort' | 'reset'): void {
  barrier[how]();
}

/** Comes once, and lives on until told to end. */
export async function comeAndStay(barrier: Barrier, come: Int32Array, end: Event): Promise<number> {
  const index = await barrier.wait();
  Atomics.add(come, 0, 1);
  await end.wait();
  return index;
}

/** Comes, and exits while it waits. */
export async function comeAndExit(barrier: Barrier): Promise<void> {
  barrier.wait().catch(() => {});
  process.exit(0);
}

/** An action for barriers, found by its name; it counts itself in shared memory that the environment names. */
export function countAction(): void {
  const counter = open(process.env['ACTION_COUNTER'] ?? '') as Int32Array;
  Atomics.add(counter, 0, 1);
  Atomics.store(counter, 1, process.pid);
}

export function failingAction(): void {
  throw new RangeError('no action');
}

/** Passes a barrier whose action lies in a module elsewhere. @returns what the action left. */
export async function passBarrierOf(barrier: Barrier, how: How): Promise<unknown> {
  if (how === 'sync') barrier.waitSync();
  else await barrier.wait();
  return (globalThis as { actionRan?: unknown }).actionRan;
}

/** Waits where the action counts. */
export async function waitWithCounter(barrier: Barrier, counter: string, rounds: number, how: How): Promise<string> {
  process.env['ACTION_COUNTER'] = counter;
  try {
    return (await roundIndices(barrier, rounds, how)).join(' ');
  } catch (error) {
    return (error as { code?: string; name: string }).code ?? (error as Error).name;
  }
}

/** Returns what it was given, with something that tells what it is. */
export function giveBack<T extends object>(shared: T): { shared: T; name: string } {
  return { shared, name: shared.constructor.name };
}

/** Uses it as `touch` in test/support/any-primitive.ts expects, and stays until told to end. */
export async function touchAndStay(what: Waitable, touched: Int32Array, end: Event): Promise<void> {
  touch(what);
  Atomics.store(touched, 0, 1);
  await end.wait();
}

/** Does what its creator can see. */
export function touch(what: Waitable): void {
  if (what instanceof Event) what.set();
  else if ('parties' in what) what.abort();
  else what.acquireSync();
}
