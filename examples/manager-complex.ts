// A dict in which a list, another dict (with a third one in it) and a lock are nested. Three processes fill it, and a
// fourth one watches.
import { setTimeout as delay } from 'node:timers/promises';
import {
  type DictProxy,
  isMainProcess,
  type ListProxy,
  type Lock,
  Manager,
  Process,
  type SharedRecord,
} from 'multiprocess';

const PROCESSORS = 3;
const ITEMS_EACH = 3;

interface Item {
  processorId: number;
  itemNumber: number;
  processedAt: number;
  data: string;
}

type Stats = SharedRecord<{ totalProcessed: number; processors: DictProxy<string, boolean> }>;
type SharedData = SharedRecord<{ items: ListProxy<Item>; stats: Stats; statsLock: Lock }>;

export function processData(data: SharedData, id: number): void {
  for (let i = 0; i < ITEMS_EACH; i++) {
    data.get('items').append({ processorId: id, itemNumber: i, processedAt: Date.now(), data: `Processed by ${id}` });
  }
  data.get('statsLock').runSync(() => {
    const stats = data.get('stats');
    stats.set('totalProcessed', stats.get('totalProcessed') + ITEMS_EACH);
    stats.get('processors').set(String(id), true);
  });
}

export async function monitorProgress(data: SharedData): Promise<void> {
  const start = performance.now();
  for (let total = 0; total < PROCESSORS * ITEMS_EACH; ) {
    await delay(50);
    await data.get('statsLock').run(() => {
      const stats = data.get('stats');
      total = stats.get('totalProcessed');
      const active = [...stats.get('processors').values()].filter((done) => done).length;
      const elapsed = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`Time: ${elapsed}s, Processed: ${total}, Active: ${active}`);
    });
  }
}

if (isMainProcess) {
  await using manager = await Manager();
  const data: SharedData = manager.dict({
    items: manager.list<Item>(),
    stats: manager.dict({
      totalProcessed: 0,
      processors: manager.dict<string, boolean>([
        ['0', false],
        ['1', false],
        ['2', false],
      ]),
    }),
    statsLock: manager.Lock(),
  });

  const processes = Array.from(
    { length: PROCESSORS },
    (_, id) => new Process({ target: processData, args: [data, id] }),
  );
  const monitor = new Process({ target: monitorProgress, args: [data] });
  for (const process of [...processes, monitor]) process.start();
  for (const process of [...processes, monitor]) await process.result();

  console.log('\nFinal results:');
  console.log(`Total items processed: ${data.get('items').length}`);
  console.log(`Statistics: ${JSON.stringify(data.get('stats'))}`); // what is nested inside, too
}
