/** What is measured at a server of Redis, ours and others' alike. */
export const redisWork = ['lock', 'locks', 'semaphore', 'queue', 'queues'] as const;
export type RedisWork = (typeof redisWork)[number];

/** How many are under way at a time where it is more than one. */
export const UNDER_WAY = 64;
export const PERMITS = 10;

/** How many under way, by the work. */
export function depthOf(work: RedisWork): number {
  return work === 'locks' || work === 'queues' ? UNDER_WAY : 1;
}
