import { MultiprocessError } from '../errors/index.js';
import type { Engine, ObjectFacts } from './engine.js';
import { PoolBoard } from './pool-board.js';
import { RedisDict, RedisNamespace } from './redis-dict.js';
import { RedisEvent } from './redis-event.js';
import { RedisJoinableQueue } from './redis-joinable-queue.js';
import { RedisList } from './redis-list.js';
import { RedisLock, RedisRLock } from './redis-lock.js';
import type { RedisObject } from './redis-object.js';
import { RedisQueue } from './redis-queue.js';

const kinds: Record<string, new (engine: Engine, facts: ObjectFacts) => RedisObject> = {
  dict: RedisDict,
  list: RedisList,
  namespace: RedisNamespace,
  lock: RedisLock,
  rlock: RedisRLock,
  event: RedisEvent,
  queue: RedisQueue,
  joinablequeue: RedisJoinableQueue,
  pool: PoolBoard,
};

/** Makes what there is of an object here. @throws MultiprocessError for a kind that is not known here. */
export function makeProxy(engine: Engine, facts: ObjectFacts): RedisObject {
  const type = Object.hasOwn(kinds, facts.kind) ? kinds[facts.kind] : undefined;
  if (type === undefined) {
    throw new MultiprocessError(`The server has an object of the kind '${facts.kind}', which is not known here.`);
  }
  return new type(engine, facts);
}
