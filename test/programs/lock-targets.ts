// Targets of the processes that the tests of locks start.
import { Worker } from 'node:worker_threads';
import type { Lock, RLock } from 'multiprocess';

/** Adds 1 so many times under the lock, with a gap between reading and writing. */
export function addUnderLock(lock: Lock | RLock, numbers: Float64Array, times: number): void {
  for (let i = 0; i < times; i++) {
    lock.acquireSync();
    const before = numbers[0]!;
    for (let spin = 0; spin < 20; spin++) numbers[1]!;
    numbers[0] = before + 1;
    lock.release();
  }
}

export async function addUnderAsyncLock(lock: Lock | RLock, numbers: Float64Array, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await lock.run(async () => {
      const before = numbers[0]!;
      if (i % 8 === 0) await null;
      numbers[0] = before + 1;
    });
  }
}

/** Holds the lock, says so, and waits to be killed. */
export function holdForever(lock: Lock, flags: Int32Array): void {
  lock.acquireSync();
  Atomics.store(flags, 0, 1);
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

/** Exits in an orderly way without releasing. */
export function holdAndExit(lock: Lock): void {
  lock.acquireSync();
}

/** Acquires and releases without a pause until told to stop, and counts where others see it. */
export function tightLoop(lock: Lock, flags: Int32Array): number {
  Atomics.store(flags, 0, 1);
  let rounds = 0;
  for (; Atomics.load(flags, 1) === 0; rounds++) {
    lock.acquireSync();
    for (let i = 0; i < 200; i++) flags[2]!;
    Atomics.store(flags, 2, rounds);
    lock.release();
  }
  return rounds;
}

/** Waits for the lock: by its outcome. */
export async function waitFor(lock: Lock, flags: Int32Array): Promise<string> {
  Atomics.store(flags, 0, 1);
  try {
    await lock.acquire();
    lock.release();
    return 'acquired';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

export function waitForSync(lock: Lock, flags: Int32Array): string {
  Atomics.store(flags, 0, 1);
  try {
    lock.acquireSync();
    lock.release();
    return 'acquired';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** The same memory: writes into it, and returns a view of it. */
export function fill(numbers: Float64Array, value: { value: number }): Float64Array {
  numbers.fill(4);
  value.value += 1;
  return numbers.subarray(1);
}

/** A worker thread of this process that holds the lock while the main thread tries. */
export async function threadsExclude(lock: Lock): Promise<string> {
  const { handleOf } = await import('multiprocess');
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     import('multiprocess').then(({ open }) => {
       const lock = open(workerData);
       lock.acquireSync();
       parentPort.postMessage('held');
       parentPort.once('message', () => { lock.release(); parentPort.postMessage('released'); });
     });`,
    { eval: true, workerData: handleOf(lock) },
  );
  const said = () => new Promise((resolve) => worker.once('message', resolve));
  await said();
  const whileHeld = lock.tryAcquire();
  const released = said();
  worker.postMessage('release');
  await released;
  const afterwards = lock.acquireSync({ timeout: 1000 });
  lock.release();
  await worker.terminate();
  return `${whileHeld} ${afterwards}`;
}
