import { Redis } from 'ioredis';
import { connect } from 'multiprocess';
import { pipelined } from '../harness/one-by-one.js';
import { startRedis } from '../harness/redis.js';
import { depthOf, PERMITS, type RedisWork, UNDER_WAY } from '../harness/redis-work.js';
import { check, secondsSince, serve } from '../harness/serve.js';

// node redis-objects.js <work>: our objects at a Redis of its own on a Unix socket.
const work = process.argv[2] as RedisWork;
const redis = await startRedis();
const open = () => connect('redis://localhost', { client: new Redis(redis.path, { lazyConnect: true }) });
const manager = await open();
const depth = depthOf(work);

/** Each item is put by one connection, and taken by another with a lease, until all are dealt with. */
async function queueing(): Promise<(count: number) => Promise<number>> {
  const other = await open();
  const queue = await manager.Queue<{ i: number }>(0, { name: 'queue' });
  const theirs = await other.Queue<{ i: number }>(0, { name: 'queue' });
  return async (count) => {
    const start = performance.now();
    let sum = 0;
    let left = count;
    const consume = async () => {
      for (; left > 0; ) {
        left -= 1;
        const lease = await theirs.get({ lease: true });
        sum += lease.value.i;
        await lease.ack();
      }
    };
    const consumers = Array.from({ length: depth }, consume);
    await pipelined((i) => queue.put({ i }), count, depth);
    await Promise.all(consumers);
    const seconds = secondsSince(start);
    check(sum === (count * (count - 1)) / 2, 'other items were taken');
    return seconds;
  };
}

async function locking(): Promise<(count: number) => Promise<number>> {
  const locks = await Promise.all(
    Array.from({ length: depth }, () => (work === 'semaphore' ? manager.BoundedSemaphore(PERMITS) : manager.Lock())),
  );
  return (count) =>
    pipelined(
      async (i) => {
        const lock = locks[(i % UNDER_WAY) % depth]!;
        check(await lock.acquire(), 'what is free was not acquired');
        await lock.release();
      },
      count,
      depth,
    );
}

await serve(await (work === 'queue' || work === 'queues' ? queueing() : locking()));
process.exit(0);
