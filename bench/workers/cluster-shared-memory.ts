// node cluster-shared-memory.js <work>: the package of that name, seen from a worker; its data are in the primary process,
// which has nothing else to do.
import cluster from 'node:cluster';
import { createRequire } from 'node:module';
import { ENTRIES, type ManagedWork, smallObject } from '../harness/managed-work.js';
import { type Operation, oneByOne } from '../harness/one-by-one.js';
import { check, serve } from '../harness/serve.js';

interface Shared {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  mutex(key: string, run: () => Promise<void>): Promise<void>;
}
const shared = createRequire(import.meta.url)('cluster-shared-memory') as Shared;

if (cluster.isPrimary) {
  cluster.setupPrimary({ args: process.argv.slice(2), silent: false });
  cluster.fork();
} else {
  const key = (i: number) => `key ${i % ENTRIES}`;
  for (let i = 0; i < ENTRIES; i++) await shared.set(key(i), smallObject(i));
  const operations: Partial<Record<ManagedWork, Operation>> = {
    'dict get': async (i) => check((await shared.get(key(i))) !== undefined, 'an entry is missing'),
    'dict set': (i) => shared.set(key(i), smallObject(i)),
    'lock pair': () => shared.mutex('lock', async () => {}),
  };
  const operation = operations[process.argv[2] as ManagedWork]!;
  await serve((count) => oneByOne(operation, count));
  cluster.worker!.disconnect();
}
