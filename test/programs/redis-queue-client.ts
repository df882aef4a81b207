// A producer or a consumer at a server of Redis, on "another machine".
//   node redis-queue-client.js URL LEASE ACTION NAME
// Says `done …` when it has done that much of the action which does not wait, and stays.
import { writeSync } from 'node:fs';
import { connect, type EngineManager, type EngineUrl } from 'multiprocess';

const [url, lease, action, name = 'queue'] = process.argv.slice(2);
const manager = await connect(url as EngineUrl, { lease: Number(lease) });

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

const actions: Record<string, (manager: EngineManager) => Promise<unknown>> = {
  async lease() {
    const queue = await manager.Queue<string>(0, { name });
    return (await queue.get({ lease: true })).value;
  },
  /** Has an item, and does not let its event loop turn. */
  async leaseBusily() {
    const queue = await manager.Queue<string>(0, { name });
    const { value } = await queue.get({ lease: true });
    setImmediate(() => {
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    });
    return value;
  },
  /** Acknowledges what it has when it is told to. */
  async leaseAndAck() {
    const queue = await manager.Queue<string>(0, { name });
    const found = await queue.get({ lease: true });
    process.stdin.once('data', async () => {
      const outcome = await found.ack().then(
        () => 'acknowledged',
        ({ code }) => code,
      );
      say(`then ${outcome}`);
    });
    return found.value;
  },
  async takeAndLeaseOfJoinable() {
    const queue = await manager.JoinableQueue<string>(0, { name });
    await queue.get();
    return (await queue.get({ lease: true })).value;
  },
  async waitForItem() {
    const queue = await manager.Queue(0, { name });
    void queue.get();
    return queue.qsize();
  },
  async waitForRoom() {
    const queue = await manager.Queue(1, { name });
    void queue.put('of somebody killed');
    return queue.qsize();
  },
  /** Says of each item that it has been put, once that has been acknowledged. */
  async produce() {
    const queues = [
      await manager.Queue<string>(20, { name }),
      await manager.Queue<string>(0, { name: `${name} plain` }),
    ];
    void (async () => {
      for (let i = 0; ; i++) {
        const item = `${process.pid}:${i}`;
        await queues[i % 2]!.put(item);
        say(`put ${item}`);
      }
    })();
    return true;
  },
  /** Notes each item that it gets, and acknowledges it then. */
  async consume() {
    const queue = await manager.Queue<string>(20, { name });
    const plain = await manager.Queue<string>(0, { name: `${name} plain` });
    const seen = await manager.dict<string, number>(null, { name: `${name} seen` });
    void (async () => {
      for (;;) {
        const found = await queue.get({ lease: true });
        await seen.increment(found.value);
        await found.ack();
        const taken = await plain.tryGet();
        if (taken) await seen.increment(taken.value);
      }
    })();
    return true;
  },
};

say(`done ${JSON.stringify(await actions[action!]!(manager))}`);
setInterval(() => {}, 1000);
