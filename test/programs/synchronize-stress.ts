// What each process of test/synchronize/random-kills.test.ts does until it is told to stop, or dies.
import type { Acquirable, Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore } from 'multiprocess';

/** What all of them share. */
export interface World {
  /** Each guards a counter: a plain word. */
  readonly mutexes: readonly [Lock, RLock, BoundedSemaphore];
  readonly counters: Int32Array;
  /** A buffer of numbers in order, and how many were ever taken from it and put into it. Both conditions are of one lock. */
  readonly notEmpty: Condition;
  readonly notFull: Condition;
  readonly ring: Int32Array;
  readonly ends: Int32Array;
  readonly bounded: BoundedSemaphore;
  readonly semaphore: Semaphore;
  readonly event: Event;
  readonly barrier: Barrier;
  readonly flags: Int32Array;
  /** The longest that each kind of operation took anybody, in ms. */
  readonly longest: Int32Array;
}

export const flag = { stop: 0, terminations: 1, starved: 2, lost: 3 } as const;
export const end = { taken: 0, put: 1 } as const;
/** What each process or thread counts for itself, always after it has happened. */
export const own = { mutexes: 0, taken: 3, put: 4, semaphore: 5, rounds: 6, broken: 7, words: 8 } as const;
export const kinds = ['lock', 'rlock', 'bounded 1', 'buffer', 'bounded 3', 'semaphore', 'event', 'barrier'] as const;

/** Nobody waits longer without a reason. */
export const MOST_MS = 2000;
/** How long somebody waits for others that are being killed and replaced. */
const STARVED_MS = 1500;
const OTHERS_MS = 200;
const BARRIER_MS = 200;
const EVENT_MS = 20;

const stopped = ({ flags }: World) => Atomics.load(flags, flag.stop) !== 0;

/**
 * @param puts whether to put into the buffer, or else to take from it.
 * @returns what went wrong.
 */
export async function stress(world: World, row: Int32Array, puts: boolean, rounds = Infinity): Promise<string> {
  const failure: string[] = [];
  for (let round = 0; round < rounds && !stopped(world) && failure.length === 0; round++) {
    const awaits = round % 8 === 0;
    const kind = round % 64 === 63 ? 7 : Math.floor(Math.random() * 7);
    const start = performance.now();
    if (kind < 3) await section(world, row, kind, awaits);
    else if (kind === 3) failure.push(...(await (puts ? put : take)(world, row, awaits)));
    else if (kind === 4) await enter(world.bounded, awaits);
    else if (kind === 5) row[own.semaphore]! += Number(world.semaphore.tryAcquire());
    else if (kind === 6)
      await (awaits ? world.event.wait({ timeout: EVENT_MS }) : world.event.waitSync({ timeout: EVENT_MS }));
    else await meet(world, row, awaits);
    const ms = Math.ceil(performance.now() - start);
    for (let seen = world.longest[kind]!; ms > seen; ) {
      const found = Atomics.compareExchange(world.longest, kind, seen, ms);
      if (found === seen) break;
      seen = found;
    }
    if (round % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return failure[0] ?? 'well';
}

async function acquire(what: Acquirable, awaits: boolean): Promise<void> {
  if (awaits) await what.acquire();
  else what.acquireSync();
}

/** A moment, with many places at which a thread can be cut short. */
function pause(value: number): number {
  let total = 0;
  for (let i = 0; i < 2000; i++) total += value & 1;
  return total < 0 ? 0 : value;
}

async function section({ mutexes, counters }: World, row: Int32Array, at: number, awaits: boolean): Promise<void> {
  const mutex = mutexes[at]!;
  await acquire(mutex, awaits);
  counters[at] = pause(counters[at]!) + 1;
  row[own.mutexes + at]! += 1;
  mutex.release();
}

async function enter(bounded: BoundedSemaphore, awaits: boolean): Promise<void> {
  await acquire(bounded, awaits);
  pause(1);
  bounded.release();
}

/** Waits with the lock until there is room or something to take. @returns whether there is. */
async function ready(world: World, condition: Condition, holds: () => boolean, awaits: boolean): Promise<boolean> {
  await acquire(condition, awaits);
  const mend = () => {
    // Whoever died with the lock may have owed a notification.
    if (!condition.ownerDied) return;
    world.notEmpty.notifyAll();
    world.notFull.notifyAll();
  };
  mend();
  for (const start = performance.now(); !holds(); ) {
    if (stopped(world)) return false;
    const timeout = Math.max(0, start + STARVED_MS - performance.now());
    const notified = awaits ? await condition.wait({ timeout }) : condition.waitSync({ timeout });
    mend();
    if (notified) continue;
    Atomics.add(world.flags, flag.starved, 1);
    if (!holds()) return false;
    // It may be another's, who has been notified and waits for the lock. If nobody takes it now, a notification was lost.
    const before = world.ends.join();
    if (!condition.waitSync({ timeout: OTHERS_MS }) && world.ends.join() === before)
      Atomics.add(world.flags, flag.lost, 1);
    return holds();
  }
  return true;
}

async function put(world: World, row: Int32Array, awaits: boolean): Promise<string[]> {
  const { ends, ring, notFull, notEmpty } = world;
  const wrong: string[] = [];
  if (await ready(world, notFull, () => ends[end.put]! - ends[end.taken]! < ring.length, awaits)) {
    const number = pause(ends[end.put]!);
    ring[number % ring.length] = number;
    ends[end.put] = number + 1;
    row[own.put]! += 1;
    if (ends[end.put] !== number + 1) wrong.push(`another has put ${number}`);
    notEmpty.notify();
  }
  notFull.release();
  return wrong;
}

async function take(world: World, row: Int32Array, awaits: boolean): Promise<string[]> {
  const { ends, ring, notFull, notEmpty } = world;
  const wrong: string[] = [];
  if (await ready(world, notEmpty, () => ends[end.put]! > ends[end.taken]!, awaits)) {
    const number = pause(ends[end.taken]!);
    if (ring[number % ring.length] !== number)
      wrong.push(`${ring[number % ring.length]} was in the place of ${number}`);
    ends[end.taken] = number + 1;
    row[own.taken]! += 1;
    notFull.notify();
  }
  notEmpty.release();
  return wrong;
}

async function meet({ barrier }: World, row: Int32Array, awaits: boolean): Promise<void> {
  try {
    if (awaits) await barrier.wait({ timeout: BARRIER_MS });
    else barrier.waitSync({ timeout: BARRIER_MS });
    row[own.rounds]! += 1;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MULTIPROCESS_BROKEN_BARRIER') throw error;
    row[own.broken]! += 1;
    barrier.reset();
  }
}
