// A list in shared memory that two other processes open by its name and change.
import { isMainProcess, Process, ShareableList } from 'multiprocess';

/** Opens the list and adds ten times the worker's id to each of its numbers. */
export function listWorker(name: string, workerId: number): void {
  const list = new ShareableList(null, { name });
  for (let i = 0; i < list.length; i++) {
    const item = list.get(i);
    if (typeof item === 'number') list.set(i, item + workerId * 10);
  }
  console.log(`Worker ${workerId} processed list`);
  // The worker only lets go of the list; removing it is up to who made it.
  list.close();
}

if (isMainProcess) {
  // `using` closes and removes the list at the end, also when something fails before.
  using list = new ShareableList([1, 2, 3, 4, 5]);
  console.log(`Initial list: [${list.copy().join(', ')}]`);

  for (const workerId of [1, 2]) {
    const worker = new Process({ target: listWorker, args: [list.shm.name, workerId] });
    worker.start();
    // One worker after the other: reading an item and writing it back are two steps. At the same time, both could read
    // the same number, and what one of them adds would be lost.
    await worker.result();
  }

  console.log(`List length: ${list.length}`);
  console.log(`Final list: [${list.copy().join(', ')}]`);
}
