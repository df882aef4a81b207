// A worker thread that works on locks and the allocator until it is told to stop, or terminated. `workerData` says with what
// (as `toMessage` writes it), and how many workers it starts within itself.
//
// It says 'ready' when it has loaded koffi, mapped the whole heap and done each operation once, and makes no views from then
// on: a thread that is terminated while koffi loads or shows memory aborts its process (docs/decisions/0009), which no one
// but koffi can change. So tests terminate it only afterwards.
import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { treeHeap } from '../../src/heap/current-heap.js';
import { rootKind } from '../../src/heap/layout.js';
import { fromMessage, type Lock } from '../../src/index.js';

/** What those who work on the same locks share. */
export interface Shared {
  readonly locks: readonly Lock[];
  /** How often each lock has been held: a plain word, counted under the lock. */
  readonly counters: Int32Array;
  /** Who is in each lock. */
  readonly inside: Int32Array;
  /** Stop; the number of the first who met another in a lock; how often a lock came from a dead one. */
  readonly flags: Int32Array;
}
export const flag = { stop: 0, wrong: 1, inherited: 2 } as const;

export interface Task extends Shared {
  readonly number: number;
  /** How often this thread has held each lock: counted last. */
  readonly row: Int32Array;
  /** Tasks of the threads within this one. */
  readonly within: string;
}

const KEPT = 100;

if (parentPort !== null) {
  const task = fromMessage(workerData as string) as Task;
  if (task.within !== '') await once(new Worker(new URL(import.meta.url), { workerData: task.within }), 'message');
  const heap = treeHeap();
  for (let extent = 0; extent < heap.memory.extentCount; extent++) heap.memory.extent(extent);
  await work(task, 32);
  parentPort.postMessage('ready');
  await work(task, Number.POSITIVE_INFINITY);
}

/** Takes locks at random, blocking and not, and makes and drops objects between. */
async function work({ locks, counters, inside, flags, row, number }: Task, rounds: number): Promise<void> {
  const heap = treeHeap();
  const kept: number[] = [];
  for (let round = 0; round < rounds && Atomics.load(flags, flag.stop) === 0; round++) {
    const at = Math.floor(Math.random() * locks.length);
    const lock = locks[at]!;
    if (round % 16 === 0) await lock.acquire();
    else if (round % 16 === 1) {
      if (!lock.tryAcquire()) continue;
    } else lock.acquireSync();
    if (lock.ownerDied) Atomics.add(flags, flag.inherited, 1);
    const found = Atomics.exchange(inside, at, number);
    if (found !== 0 && !lock.ownerDied) Atomics.store(flags, flag.wrong, number);
    counters[at] = pause(counters[at]!) + 1;
    row[at] = pause(row[at]!) + 1;
    if (Atomics.compareExchange(inside, at, number, 0) !== number) Atomics.store(flags, flag.wrong, number);
    lock.release();
    kept.push(heap.create(rootKind.lock).address, heap.createRaw(1 + (round % 50) * 8).address);
    while (kept.length > KEPT) heap.release(kept.shift()!);
    if (round % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const address of kept) heap.release(address);
}

/** A moment, with many places at which a thread can be cut short. */
function pause(value: number): number {
  let sum = 0;
  for (let i = 0; i < 10_000; i++) sum += value & 1;
  return sum < 0 ? 0 : value;
}

/** What another process does meanwhile: tries for a lock that is held all the time. @returns how often it got it. */
export async function tryUntilTold(lock: Lock, flags: Int32Array): Promise<number> {
  let taken = 0;
  while (Atomics.load(flags, flag.stop) === 0) {
    if (lock.tryAcquire()) {
      taken += 1;
      lock.release();
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return taken;
}
