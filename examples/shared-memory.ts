// A block of shared memory that a second process opens by its name and changes in place.
import { isMainProcess, Process, SharedMemory } from 'multiprocess';

/** Opens the block and adds 10 to each of its numbers. */
export function workerProcess(name: string): void {
  const existing = SharedMemory.attach(name);
  const numbers = existing.view(BigInt64Array);
  for (let i = 0; i < numbers.length; i++) numbers[i]! += 10n;
  console.log(`Worker modified array: [${numbers.join(', ')}]`);
  // The worker only lets go of the block; removing it is up to who made it.
  existing.close();
}

// The worker's process imports this file too, and must not start workers of its own.
if (isMainProcess) {
  const data = [1n, 2n, 3n, 4n, 5n];

  // `using` closes and removes the block at the end, also when something fails before.
  using memory = SharedMemory.create(data.length * BigInt64Array.BYTES_PER_ELEMENT);
  const numbers = memory.view(BigInt64Array);
  numbers.set(data);
  console.log(`Original array: [${numbers.join(', ')}]`);

  const worker = new Process({ target: workerProcess, args: [memory.name] });
  worker.start();
  await worker.result(); // like join(), and throws what the worker has thrown

  console.log(`Array after worker: [${numbers.join(', ')}]`);
}
