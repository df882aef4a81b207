import { Manager } from 'multiprocess';
import { ENTRIES, type ManagedWork, MOST_ITEMS, smallObject } from '../harness/managed-work.js';
import { allAtOnce, type Operation } from '../harness/one-by-one.js';
import { check, serve } from '../harness/serve.js';

// node managed.js <work>
const manager = await Manager();
const dict = manager.dict<number, unknown>(Array.from({ length: ENTRIES }, (_, i) => [i, smallObject(i)] as const));
const list = manager.list<number>(Array.from({ length: ENTRIES }, (_, i) => i));
const namespace = manager.Namespace({ x: 0 });
const lock = manager.Lock();

const operations: Record<ManagedWork | 'make', Operation> = {
  'dict get': (i) => check(dict.get(i % ENTRIES) !== undefined, 'an entry is missing'),
  'dict set': (i) => dict.set(i % ENTRIES, smallObject(i)),
  'list append': (i) => {
    list.append(i);
    if (i % MOST_ITEMS === MOST_ITEMS - 1) list.splice(ENTRIES);
  },
  'list get': (i) => check(list.get(i % ENTRIES) === i % ENTRIES, 'another item'),
  'namespace get': () => check(namespace.x >= 0, 'a property is missing'),
  'namespace set': (i) => {
    namespace.x = i;
  },
  'lock pair': () => {
    lock.acquireSync();
    lock.release();
  },
  make: () => manager.dict(),
};
const operation = operations[process.argv[2] as ManagedWork];

await serve((count) => allAtOnce(operation, count));
await manager.shutdown();
