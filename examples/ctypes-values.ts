// A number and an array in shared memory, each with a lock of its own, that two processes change at the same time.
import { isMainProcess, Process, SharedArray, type Synchronized, type SynchronizedArray, Value } from 'multiprocess';

/** Adds 10 to the number and doubles the array's items. */
export function modifySharedData(value: Synchronized<'i'>, array: SynchronizedArray<'f'>): void {
  // Reading and writing back are two steps, so they are done with the lock held.
  value.runSync(() => {
    value.value += 10;
  });
  array.runSync(() => {
    for (let i = 0; i < array.length; i++) array.set(i, array.get(i) * 2);
  });
}

if (isMainProcess) {
  const sharedInt = Value('i', 5); // 'i': a signed integer
  const sharedFloats = SharedArray('f', [1, 2, 3, 4]); // 'f': floats

  console.log(`Initial value: ${sharedInt.value}`);
  console.log(`Initial array: [${sharedFloats.slice().join(', ')}]`);

  const processes = [1, 2].map(() => new Process({ target: modifySharedData, args: [sharedInt, sharedFloats] }));
  for (const process of processes) process.start();
  for (const process of processes) await process.result();

  console.log(`Final value: ${sharedInt.value}`);
  console.log(`Final array: [${sharedFloats.slice().join(', ')}]`);
}
