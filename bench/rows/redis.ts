import type { RedisWork } from '../harness/redis-work.js';
import { UNDER_WAY } from '../harness/redis-work.js';
import type { Row, Scale } from '../harness/row.js';
import { peer, redis } from './programs.js';

const titles: Record<RedisWork, string> = {
  lock: 'Lock: acquire and release',
  locks: `Lock: acquire and release, ${UNDER_WAY} of them under way`,
  semaphore: 'BoundedSemaphore: acquire and release',
  queue: 'Queue: an item put, taken with a lease, dealt with',
  queues: `Queue: items put, taken with a lease, dealt with, ${UNDER_WAY} under way`,
};

/** Objects at a server of Redis, against the packages for that which are used most, at the same server. */
export function redisRows({ seconds }: Scale): Row[] {
  const row = (work: RedisWork, name: string, program: string): Row => ({
    title: `At Redis: ${titles[work]}`,
    ratio: 'speed',
    seconds,
    ours: redis('redis-objects', work),
    peers: [peer(name, redis(program, work), 1)],
  });
  return [
    row('lock', 'redis-semaphore, Mutex', 'redis-semaphore'),
    row('locks', 'redis-semaphore, Mutex', 'redis-semaphore'),
    row('semaphore', 'redis-semaphore, Semaphore', 'redis-semaphore'),
    row('queue', 'BullMQ', 'bullmq'),
    row('queues', 'BullMQ', 'bullmq'),
  ];
}
