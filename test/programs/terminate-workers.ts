// node terminate-workers.js <ms> <seed> <nested>: worker threads work on locks and the allocator while one after the other is
// terminated at a random instant; with `nested`, each has another within it. Says as JSON what was seen.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { treeHeap } from '../../src/heap/current-heap.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Lock, Process, RawArray, toMessage } from '../../src/index.js';
import { randomFrom } from '../support/random.js';
import { flag, type Shared, type Task, tryUntilTold } from './lock-worker.js';

const [ms = 0, seed = 1] = process.argv.slice(2).map(Number);
const nested = process.argv[4] === 'nested';
const random = randomFrom(seed);
const LOCKS = 8;
const AT_ONCE = nested ? 2 : 3;

const shared: Shared = {
  locks: Array.from({ length: LOCKS }, () => new Lock()),
  counters: RawArray('i', LOCKS),
  inside: RawArray('i', LOCKS),
  flags: RawArray('i', 3),
};
const heap = treeHeap();
// Room for all that the threads will make: one that had to map more memory could not be terminated.
const room = Array.from({ length: 4000 }, (_, i) => (i % 2 ? heap.create(1) : heap.createRaw(400)).address);
for (const address of room) heap.release(address);

const rows: Int32Array[] = [];
let number = 0;
function task(within = ''): string {
  const row = RawArray('i', LOCKS);
  rows.push(row);
  number += 1;
  const made: Task = { ...shared, row, number, within };
  return toMessage(made);
}
async function start(): Promise<Worker> {
  const worker = new Worker(new URL('./lock-worker.js', import.meta.url), { workerData: task(nested ? task() : '') });
  worker.once('error', (error) => {
    throw error;
  });
  await once(worker, 'message');
  return worker;
}

// Held here all the while, and tried for by another process: the death of a thread is not that of its process.
const mine = new Lock();
mine.acquireSync();
const robber = new Process({ target: tryUntilTold, args: [mine, shared.flags], daemon: true });
robber.start();

let deaths = 0;
let slowest = 0;
const lane = async (until: number) => {
  while (performance.now() < until) {
    const worker = await start();
    await delay(random() * 40);
    await worker.terminate();
    deaths += nested ? 2 : 1;
    const terminated = performance.now();
    for (const [at, lock] of shared.locks.entries()) {
      if (!(await lock.acquire({ timeout: 5000 }))) throw new Error('a lock of the dead is not handed on');
      if (lock.ownerDied) {
        Atomics.add(shared.flags, flag.inherited, 1);
        Atomics.store(shared.inside, at, 0);
      }
      lock.release();
    }
    slowest = Math.max(slowest, performance.now() - terminated);
  }
};
const until = performance.now() + ms;
await Promise.all(Array.from({ length: AT_ONCE }, () => lane(until)));
Atomics.store(shared.flags, flag.stop, 1);
const robbed = await robber.result();
const stillMine = mine.locked();
mine.release();

for (let i = 0; i < 200 && [...heap.participant.others(512)].length > 0; i++) {
  heap.lookAround(512);
  await delay(10);
}
const report = checkHeap(heap);
const counted = Array.from(shared.counters);
const rowed = counted.map((_, at) => rows.reduce((sum, row) => sum + row[at]!, 0));
console.log(
  JSON.stringify({
    deaths,
    slowest,
    robbed,
    stillMine,
    others: [...heap.participant.others(512)].length,
    wrong: shared.flags[flag.wrong],
    inherited: shared.flags[flag.inherited],
    sections: counted.reduce((sum, count) => sum + count, 0),
    // Sections that died between the two counts.
    unfinished: counted.map((count, at) => count - rowed[at]!),
    problems: report.problems,
    // The locks, the three arrays, the lock held here; the rows.
    roots: report.roots - LOCKS - 4 - rows.length,
    holds: report.holds - LOCKS - 4 - rows.length,
  }),
);
