import { Redis } from 'ioredis';
import { pipelined } from '../harness/one-by-one.js';
import { startRedis } from '../harness/redis.js';
import { depthOf, type RedisWork } from '../harness/redis-work.js';
import { check, secondsSince, serve } from '../harness/serve.js';

// node bullmq.js <work>: jobs of BullMQ at a Redis of its own on a Unix socket; each is added, dealt with, and removed.
const { Queue, Worker } = await import('bullmq');
const depth = depthOf(process.argv[2] as RedisWork);
const { path, client } = await startRedis();
const queue = new Queue('queue', { connection: client, defaultJobOptions: { removeOnComplete: true } });
let sum = 0;
let left = 0;
let allDone = () => {};
const worker = new Worker(
  'queue',
  async (job) => {
    sum += job.data.i;
  },
  { connection: new Redis(path, { maxRetriesPerRequest: null }), concurrency: depth },
);
worker.on('completed', () => {
  left -= 1;
  if (left === 0) allDone();
});
await worker.waitUntilReady();

await serve(async (count) => {
  [sum, left] = [0, count];
  const start = performance.now();
  const done = new Promise<void>((resolve) => {
    allDone = resolve;
  });
  await pipelined((i) => queue.add('job', { i }), count, depth);
  await done;
  const seconds = secondsSince(start);
  check(sum === (count * (count - 1)) / 2, 'other jobs were done');
  return seconds;
});
process.exit(0);
