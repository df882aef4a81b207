// A dict and a list that a manager makes, filled by three processes at the same time.
import { type DictProxy, isMainProcess, type ListProxy, Manager, Process } from 'multiprocess';

export function worker(dict: DictProxy<string, string>, list: ListProxy<string>, id: number): void {
  dict.set(`worker_${id}`, `Hello from ${id}`);
  list.append(`Item from worker ${id}`);
  console.log(`Worker ${id} completed`);
}

if (isMainProcess) {
  await using manager = await Manager();
  const dict = manager.dict<string, string>();
  const list = manager.list<string>();

  const processes = [0, 1, 2].map((id) => new Process({ target: worker, args: [dict, list, id] }));
  for (const process of processes) process.start();
  for (const process of processes) await process.result();

  // Entries are in the order in which they came, which is another each time.
  console.log('Final dict:', Object.fromEntries([...dict].sort()));
  console.log('Final list:', [...list].sort());
}
