// One of many unrelated programs that work on the objects of a named manager: node manager-stress.js NAME ID. It goes on
// with the next server when this one is killed, and ends when its input says `stop`, or ends.
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { type DictProxy, type ListProxy, ManagerClosedError, transact } from 'multiprocess';
import { CounterManager } from './manager-targets.js';

const [name = '', id = ''] = process.argv.slice(2);
let stopped = false;
const input = createInterface({ input: process.stdin });
input.on('line', () => input.close());
input.on('close', () => {
  stopped = true;
});

class Wrong extends Error {}
function check(right: boolean, what: string): void {
  if (!right) throw new Wrong(what);
}

async function meet(): Promise<CounterManager> {
  const manager = new CounterManager({ name, linger: 2000 });
  await manager.start();
  return manager;
}

/** Works until it is told to stop, or the manager has ended. */
async function work(manager: CounterManager): Promise<void> {
  const counts = manager.dict<string, number>(null, { name: 'counts' });
  const both = manager.Namespace<{ a: number; b: number }>({ a: 0, b: 0 }, { name: 'both' });
  const lock = manager.Lock({ name: 'lock' });
  const inside = manager.Value('i', 0, { name: 'inside' });
  const nests = manager.dict<number, ListProxy<unknown>>(null, { name: 'nests', maxEntries: 50 });
  const items = manager.Queue<number>(100, { name: 'items' });
  const counter = await manager.Counter();
  let own = counts.get(id, 0) as number;
  let calls = 0;
  for (let i = 0; !stopped; i++) {
    // Both or none, whoever is killed when.
    own = transact(counts, (all: DictProxy<string, number>) => {
      all.set('total', all.get('total', 0) + 1);
      all.set(id, own + 1);
      return own + 1;
    });
    check(counts.get(id) === own, 'a count is not what it was set to');
    transact(both, (now) => {
      check(now.a === now.b, `${now.a} and ${now.b}`);
      now.a += 1;
      now.b += 1;
    });
    const exclusive = () => {
      if (lock.ownerDied) inside.value = 0;
      check(inside.value === 0, 'two are inside');
      inside.value = 1;
      for (let spin = 0; spin < 50; spin++) inside.value;
      inside.value = 0;
    };
    if (i % 4 === 0) await lock.run(exclusive);
    else lock.runSync(exclusive);
    nests.set(i % 50, manager.list([i, manager.dict<string, unknown>([['lock', manager.Lock()]]), counter]));
    const other = nests.get((i * 7) % 50);
    if (other !== undefined) check(other.length === 3, 'a list is not whole');
    if (!items.tryPut(i)) items.tryGet();
    if (i % 8 === 0) {
      calls += 1;
      const counted = i % 16 === 0 ? await counter.increment() : counter.incrementSync();
      check(counted === calls, `the server counts ${counted} of ${calls}`);
      await turn();
    }
  }
}

/** The server has died: what is held works on, and nothing can be made. */
async function checkOrphaned(manager: CounterManager, list: ListProxy<number>): Promise<void> {
  await manager.closed;
  list.append(list.length);
  check(list.at(-1) === list.length - 1, 'what was held is lost');
  for (const make of [() => manager.Lock(), () => manager.dict()]) {
    try {
      make();
      check(false, 'something is made in a manager that has ended');
    } catch (error) {
      if (!(error instanceof ManagerClosedError)) throw error;
    }
  }
}

console.log('begins');
let servers = 0;
while (!stopped) {
  let manager: CounterManager | undefined;
  let list: ListProxy<number> | undefined;
  try {
    manager = await meet();
    servers += 1;
    list = manager.list<number>();
    console.log('met');
    await work(manager);
    await manager.close();
  } catch (error) {
    if (!(error instanceof ManagerClosedError)) throw error;
    if (manager !== undefined && list !== undefined) await checkOrphaned(manager, list);
  }
}
console.log(`well, after ${servers} servers`);
process.exit(0);
