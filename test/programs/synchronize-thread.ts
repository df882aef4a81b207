// A worker thread that calls one of the targets in synchronize-targets.ts: `workerData` says which, and with what.
import { parentPort, workerData } from 'node:worker_threads';
import { fromMessage, toMessage } from 'multiprocess';

const targets = (await import('./synchronize-targets.js')) as unknown as Record<
  string,
  (...args: unknown[]) => unknown
>;
const { target, args } = fromMessage(workerData as string) as { target: string; args: unknown[] };
parentPort!.postMessage(toMessage(await targets[target]!(...args)));
