// A worker thread that holds what it is given and knows a lock that another thread has, until it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { type Acquirable, fromMessage, type Lock } from 'multiprocess';

const { all, mine } = fromMessage(workerData as string) as { all: readonly Acquirable[]; mine: Lock };
for (const held of all) held.acquireSync();
if (mine.tryAcquire()) throw new Error('it is another thread’s');
parentPort!.postMessage('holds');
parentPort!.on('message', () => {}); // and stays
