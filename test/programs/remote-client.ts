// A client on "another machine": it has nothing in common with the manager but an address and a key.
//   node remote-client.js ADDRESS KEY ACTION
// Says `done …` when it has done that much of the action which does not wait, and stays.
import { connect, type RemoteManager } from 'multiprocess';

const [address, authkey, action] = process.argv.slice(2);
const remote = await connect(address!, { authkey });

const actions: Record<string, (remote: RemoteManager) => Promise<unknown>> = {
  async holdLock() {
    const lock = await remote.Lock({ name: 'lock' });
    void lock.lost.then(() => console.log('lost'));
    return lock.acquire();
  },
  async waitForLock() {
    const lock = await remote.Lock({ name: 'lock' });
    void lock.acquire();
    return lock.locked(); // asked for behind the other
  },
  async holdCondition() {
    return (await remote.Condition(undefined, { name: 'condition' })).acquire();
  },
  async waitForCondition() {
    const condition = await remote.Condition(undefined, { name: 'condition' });
    await condition.acquire();
    void condition.wait();
    return (await condition.getLock()).locked();
  },
  async holdPermits() {
    const semaphore = await remote.BoundedSemaphore(2, { name: 'bounded' });
    return [await semaphore.acquire(), await semaphore.acquire()];
  },
  async waitAtBarrier() {
    const barrier = await remote.Barrier(2, { name: 'barrier' });
    void barrier.wait();
    return barrier.nWaiting();
  },
  async leaseItem() {
    return (await (await remote.Queue(0, { name: 'queue' })).get({ lease: true })).value;
  },
  async waitForItem() {
    const queue = await remote.Queue(0, { name: 'queue' });
    void queue.get();
    return queue.empty();
  },
  async takeTask() {
    return (await remote.JoinableQueue(0, { name: 'tasks' })).get();
  },
  async holdValue() {
    const value = await remote.Value('i', 5, { name: 'value' });
    return value.acquire();
  },
  /** Makes many objects that nobody else has. */
  async makeMany() {
    const lists = await Promise.all(Array.from({ length: 50 }, (_, i) => remote.list([i])));
    (globalThis as { lists?: unknown }).lists = lists;
    return lists.length;
  },
};

console.log(`done ${JSON.stringify(await actions[action!]!(remote))}`);
setInterval(() => {}, 1000);
