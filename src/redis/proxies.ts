import { MultiprocessError } from '../errors/index.js';
import type { Engine, ObjectFacts } from './engine.js';
import { PoolBoard } from './pool-board.js';
import { RedisArray, RedisString } from './redis-array.js';
import { RedisBarrier } from './redis-barrier.js';
import { RedisBoundedSemaphore } from './redis-bounded-semaphore.js';
import { RedisCondition } from './redis-condition.js';
import { RedisDict, RedisNamespace } from './redis-dict.js';
import { RedisEvent } from './redis-event.js';
import { RedisJoinableQueue } from './redis-joinable-queue.js';
import { RedisList } from './redis-list.js';
import { RedisLock, RedisRLock } from './redis-lock.js';
import type { RedisObject } from './redis-object.js';
import { RedisQueue } from './redis-queue.js';
import { RedisSemaphore } from './redis-semaphore.js';
import { RedisValue } from './redis-value.js';

const kinds: Record<string, new (engine: Engine, facts: ObjectFacts) => RedisObject> = {
  dict: RedisDict,
  list: RedisList,
  namespace: RedisNamespace,
  lock: RedisLock,
  rlock: RedisRLock,
  semaphore: RedisSemaphore,
  boundedsemaphore: RedisBoundedSemaphore,
  condition: RedisCondition,
  event: RedisEvent,
  barrier: RedisBarrier,
  queue: RedisQueue,
  joinablequeue: RedisJoinableQueue,
  value: RedisValue,
  array: RedisArray,
  string: RedisString,
  pool: PoolBoard,
};

/** Makes what there is of an object here. @throws MultiprocessError for a kind that is not known here. */
export function makeProxy(engine: Engine, facts: ObjectFacts): RedisObject {
  const [kind] = facts.kind.split(':', 1) as [string]; // behind it: of what
  const type = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (type === undefined) {
    throw new MultiprocessError(`The server has an object of the kind '${facts.kind}', which is not known here.`);
  }
  return new type(engine, facts);
}
