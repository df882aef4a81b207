// A worker thread of the random kills. As lock-worker.ts, it says 'ready' when it has loaded koffi, mapped the whole heap and
// done each operation, and makes no views from then on: before, it could not be terminated (docs/decisions/0009). For the same
// reason it has no thread that waits for it.
import { parentPort, workerData } from 'node:worker_threads';
import { treeHeap } from '../../src/heap/current-heap.js';
import { watchWithoutHelper } from '../../src/heap/watch.js';
import { fromMessage } from '../../src/index.js';
import { stress, type World } from './synchronize-stress.js';

const { world, row, puts } = fromMessage(workerData as string) as { world: World; row: Int32Array; puts: boolean };
watchWithoutHelper();
const heap = treeHeap();
for (let extent = 0; extent < heap.memory.extentCount; extent++) heap.memory.extent(extent);
await stress(world, row, puts, 128);
parentPort!.postMessage('ready');
parentPort!.postMessage(await stress(world, row, puts));
