import { inspect } from 'node:util';
import type { DictOptions } from '../collections/index.js';
import { settingsFrom } from '../collections/internal.js';
import { MAX_BLOCK_WORDS, timeoutOf } from '../heap/internal.js';
import type { Pool } from '../pool/index.js';
import { maxsizeOf } from '../queues/internal.js';
import { randomHex } from '../shared-memory/internal.js';
import { charType, type ItemType, itemsOf, typeOf } from '../sharedctypes/internal.js';
import { checkCount, MAX_SEMAPHORE_VALUE, MOST_PARTIES } from '../synchronize/internal.js';
import { Engine, type EngineOptions } from './engine.js';
import { addEngine } from './engines.js';
import { bytesOf } from './item-bytes.js';
import { nameIn } from './keys.js';
import type { PoolBoard } from './pool-board.js';
import type { Argument } from './port.js';
import { makeProxy } from './proxies.js';
import type { RedisBarrier } from './redis-barrier.js';
import type { RedisBoundedSemaphore } from './redis-bounded-semaphore.js';
import type { RedisCondition } from './redis-condition.js';
import { encodePairs, type RedisDict, type RedisNamespace } from './redis-dict.js';
import type { RedisEvent } from './redis-event.js';
import type { RedisJoinableQueue } from './redis-joinable-queue.js';
import { encodeItems, type RedisList } from './redis-list.js';
import { RedisLock, type RedisRLock } from './redis-lock.js';
import { LOCK_PARTS } from './redis-locked.js';
import { openPool, readPoolRequest } from './redis-pool.js';
import type { RedisQueue } from './redis-queue.js';
import type { RedisSemaphore } from './redis-semaphore.js';
import type { RedisValue } from './redis-value.js';
import type { Script } from './script.js';
import { makeBarrier } from './scripts/barrier.js';
import { makeBoundedSemaphore } from './scripts/bounded-semaphore.js';
import { makeCondition } from './scripts/condition.js';
import { makeDict } from './scripts/dict.js';
import { makeEvent } from './scripts/event.js';
import { makeItems } from './scripts/items.js';
import { makeList } from './scripts/list.js';
import { makeLock } from './scripts/lock.js';
import { makePool } from './scripts/pool.js';
import { makeQueue } from './scripts/queue.js';
import { makeSemaphore } from './scripts/semaphore.js';
import type { Reached } from './target.js';

type Named = { name?: string | undefined };

/** Makes objects at a server, and finds those that have names. */
export class RedisManager {
  static {
    Object.defineProperty(RedisManager, 'name', { value: 'RemoteManager' });
  }

  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws (rejects) when the server cannot be reached, does not let this client in, or is none that can be used. */
  static async open(reached: Reached, options: EngineOptions): Promise<RedisManager> {
    const engine = await Engine.open(reached, options, makeProxy);
    addEngine(engine);
    return new RedisManager(engine);
  }

  async dict(init?: unknown, options?: DictOptions): Promise<RedisDict> {
    const name = nameIn(options);
    const { ttl, maxEntries } = settingsFrom(options && { ...options, name: undefined });
    const pairs = encodePairs(this.#engine, init, 'args[0]');
    return this.#make('dict', name, makeDict, ['values', 'order', 'ends', 'writes'], [ttl, maxEntries, ...pairs]);
  }

  async list(init?: Iterable<unknown> | null, options?: Named): Promise<RedisList> {
    const items = init === undefined || init === null ? [] : encodeItems(this.#engine, init, 'list');
    return this.#make('list', nameIn(options), makeList, ['items'], items);
  }

  async Namespace(init?: object, options?: Named): Promise<RedisNamespace> {
    if (init !== undefined && (typeof init !== 'object' || init === null)) {
      throw new TypeError(`A namespace is made of an object; got ${init === null ? 'null' : typeof init}.`);
    }
    const pairs = encodePairs(this.#engine, Object.entries(init ?? {}), 'args[0]');
    const parts = ['values', 'order', 'ends', 'writes'];
    return this.#make('namespace', nameIn(options), makeDict, parts, [0, 0, ...pairs]);
  }

  async Lock(options?: Named): Promise<RedisLock> {
    return this.#make('lock', nameIn(options), makeLock, [], []);
  }

  async RLock(options?: Named): Promise<RedisRLock> {
    return this.#make('rlock', nameIn(options), makeLock, [], []);
  }

  async Semaphore(value = 1, options?: Named): Promise<RedisSemaphore> {
    checkCount('The value of a semaphore', value, 0, MAX_SEMAPHORE_VALUE);
    return this.#make('semaphore', nameIn(options), makeSemaphore, [], [value]);
  }

  async BoundedSemaphore(value = 1, options?: Named): Promise<RedisBoundedSemaphore> {
    checkCount('The value of a bounded semaphore', value, 0, MAX_BLOCK_WORDS);
    return this.#make('boundedsemaphore', nameIn(options), makeBoundedSemaphore, [], [value]);
  }

  async Condition(lock?: unknown, options?: Named): Promise<RedisCondition> {
    const name = nameIn(options);
    if (lock !== undefined && !(lock instanceof RedisLock)) {
      throw new TypeError('The lock of a Condition is a Lock or an RLock.');
    }
    if (lock !== undefined) this.#engine.encode(lock, 'args[0]'); // it lies at this server, and is this connection's
    const lockName = lock === undefined ? '' : this.#engine.nameOf(lock)!;
    return this.#make('condition', name, makeCondition, ['leases', 'line', 'notified', ...LOCK_PARTS], [lockName]);
  }

  async Event(options?: Named): Promise<RedisEvent> {
    return this.#make('event', nameIn(options), makeEvent, [], []);
  }

  async Barrier(parties: number, options?: { timeout?: number } & Named): Promise<RedisBarrier> {
    checkCount('The number of parties', parties, 1, MOST_PARTIES);
    const name = nameIn(options);
    const timeout = timeoutOf(options);
    const { action } = (options ?? {}) as { action?: unknown };
    if (action !== undefined) this.#engine.encode({ action }, 'args[1]'); // a function does not travel
    const text = timeout === Number.POSITIVE_INFINITY ? '' : timeout;
    return this.#make('barrier', name, makeBarrier, [], [parties, text]);
  }

  async Value(type: unknown, init?: unknown, options?: Named): Promise<RedisValue> {
    const itemType = typeOf(type);
    const items = init === undefined ? 1 : [itemType.prepare(init, 'A value')];
    return this.#makeItems('value', itemType, items, options);
  }

  async Array(type: unknown, sizeOrItems: unknown, options?: Named): Promise<any> {
    const itemType = typeOf(type);
    const items = itemsOf(itemType, sizeOrItems);
    return this.#makeItems(itemType === charType ? 'string' : 'array', itemType, items, options);
  }

  async Queue(maxsize?: number, options?: Named): Promise<RedisQueue> {
    return this.#make('queue', nameIn(options), makeQueue, [], [maxsizeOf(maxsize), 0]);
  }

  async JoinableQueue(maxsize?: number, options?: Named): Promise<RedisJoinableQueue> {
    return this.#make('joinablequeue', nameIn(options), makeQueue, [], [maxsizeOf(maxsize), 1]);
  }

  /** Its workers join by themselves: `npx multiprocess worker`. */
  async Pool(...args: unknown[]): Promise<Pool> {
    const { name, processes } = readPoolRequest(args);
    const board: PoolBoard = await this.#make('pool', nameIn({ name }), makePool, [], []);
    return openPool(this.#engine, board, processes);
  }

  get address(): string {
    return this.#engine.address;
  }

  get closed(): Promise<void> {
    return this.#engine.closed;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#engine.close();
  }

  [inspect.custom](): string {
    return `RemoteManager { ${this.#engine.isOpen ? this.address : 'closed'} }`;
  }

  /** @param items what they are, checked by their type, or how many, all zero. */
  #makeItems(kind: string, type: ItemType, items: number | readonly unknown[], options?: Named): Promise<any> {
    const length = typeof items === 'number' ? items : items.length;
    const args: Argument[] = [length, length * type.bytes];
    if (typeof items !== 'number') args.push(bytesOf(type, items));
    return this.#make(`${kind}:${type.text}`, nameIn(options), makeItems, ['bytes', ...LOCK_PARTS], args);
  }

  /** An object of that name, made by whoever comes first. */
  async #make(
    kind: string,
    given: string | undefined,
    script: Script,
    parts: readonly string[],
    args: readonly Argument[],
  ): Promise<any> {
    const engine = this.#engine;
    const id = randomHex(16);
    const name = given ?? `~${id}`;
    const keys = [engine.key(name), ...parts.map((part) => engine.key(name, part))];
    const found = await engine.run(script, keys, [kind, id, ...args]);
    return engine.proxy({ kind, name, id: String(found) });
  }
}
