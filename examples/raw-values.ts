// A number and an array in shared memory without locks of their own: one lock, taken by hand, guards both.
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainProcess, Lock, Process, RawArray, RawValue, type RawValueOf } from 'multiprocess';

/** Adds 1 to the number and to each of the array's items, five times. */
export async function workerWithManualLocking(
  value: RawValueOf<'i'>,
  array: Int32Array,
  lock: Lock,
  workerId: number,
): Promise<void> {
  for (let round = 0; round < 5; round++) {
    // The lock is held across the await; this process's event loop goes on meanwhile.
    await lock.run(async () => {
      const before = value.value;
      await sleep(10); // some work
      value.value = before + 1;
      for (let i = 0; i < array.length; i++) array[i]! += 1;
      console.log(`Worker ${workerId} iteration completed`);
    });
    await sleep(20);
  }
}

if (isMainProcess) {
  const rawValue = RawValue('i', 0);
  const rawArray = RawArray('i', [0, 0, 0]); // an Int32Array
  const lock = new Lock();

  console.log(`Initial value: ${rawValue.value}`);
  console.log(`Initial array: [${rawArray.join(', ')}]`);

  const workers = [0, 1, 2].map(
    (workerId) => new Process({ target: workerWithManualLocking, args: [rawValue, rawArray, lock, workerId] }),
  );
  for (const worker of workers) worker.start();
  for (const worker of workers) await worker.result();

  console.log(`Final value: ${rawValue.value}`);
  console.log(`Final array: [${rawArray.join(', ')}]`);
}
