import { pipelined } from '../harness/one-by-one.js';
import { startRedis } from '../harness/redis.js';
import { depthOf, PERMITS, type RedisWork } from '../harness/redis-work.js';
import { serve } from '../harness/serve.js';

// node redis-semaphore.js <work>: the locks of that package at a Redis of its own on a Unix socket.
const { Mutex, Semaphore } = await import('redis-semaphore');
const work = process.argv[2] as RedisWork;
const { client } = await startRedis();
const depth = depthOf(work);
const locks = Array.from({ length: depth }, (_, i) =>
  work === 'semaphore' ? new Semaphore(client, 'semaphore', PERMITS) : new Mutex(client, `lock ${i}`),
);

await serve((count) =>
  pipelined(
    async (i) => {
      const lock = locks[i % depth]!;
      await lock.acquire();
      await lock.release();
    },
    count,
    depth,
  ),
);
process.exit(0);
