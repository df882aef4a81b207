// Targets of processes that hold things, or wait for them, until they are killed or told.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Acquirable, type Barrier, type Condition, type Event, type Lock, toMessage } from 'multiprocess';

/** A lock or a semaphore, or a condition with its lock. */
export type Held = Acquirable & { release(): void };

export const flag = { ready: 0, go: 1 } as const;

const idle = new Int32Array(new SharedArrayBuffer(4));
function untilTold(flags: Int32Array): void {
  while (Atomics.load(flags, flag.go) === 0) Atomics.wait(idle, 0, 0, 5);
}

/** The monotonic clock of all processes, in ms. */
export const clock = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Holds it until told, or killed. */
export function hold(held: Held, flags: Int32Array): string {
  held.acquireSync();
  Atomics.store(flags, flag.ready, 1);
  untilTold(flags);
  held.release();
  return 'released';
}

/** Waits for it. @returns when it had it. */
export function takeOver(held: Held, flags: Int32Array): number {
  Atomics.add(flags, flag.ready, 1);
  held.acquireSync();
  const taken = clock();
  held.release();
  return taken;
}

/** @returns when it went on, or by which error. */
export function waitForEvent(event: Event, flags: Int32Array): number {
  Atomics.add(flags, flag.ready, 1);
  event.waitSync();
  return clock();
}

export function waitForNotification(condition: Condition, flags: Int32Array): number {
  condition.acquireSync();
  Atomics.add(flags, flag.ready, 1);
  condition.waitSync();
  const notified = clock();
  condition.release();
  return notified;
}

export function waitAtBarrier(barrier: Barrier, flags: Int32Array): [outcome: string, at: number] {
  Atomics.add(flags, flag.ready, 1);
  try {
    return [String(barrier.waitSync()), clock()];
  } catch (error) {
    return [(error as { code: string }).code, clock()];
  }
}

/** A thread of this process holds all of them and is terminated, while the main thread holds another. */
export async function terminateHolder(all: readonly Held[], mine: Lock, flags: Int32Array): Promise<number[]> {
  mine.acquireSync();
  const worker = new Worker(new URL('./holding-worker.js', import.meta.url), { workerData: toMessage({ all, mine }) });
  await once(worker, 'message');
  if (all.some((held) => held.tryAcquire())) throw new Error('the thread does not hold it');
  await worker.terminate();
  const waits = all.map((held) => {
    const start = clock();
    held.acquireSync();
    held.release();
    return clock() - start;
  });
  Atomics.store(flags, flag.ready, 1);
  untilTold(flags);
  mine.release();
  return waits;
}
