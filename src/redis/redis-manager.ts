import { inspect } from 'node:util';
import type { DictOptions } from '../collections/index.js';
import { settingsFrom } from '../collections/internal.js';
import { MultiprocessError } from '../errors/index.js';
import { randomHex } from '../shared-memory/internal.js';
import { Engine, type EngineOptions, type ObjectFacts } from './engine.js';
import { nameIn } from './keys.js';
import type { Argument } from './port.js';
import { encodePairs, RedisDict, RedisNamespace } from './redis-dict.js';
import { RedisEvent } from './redis-event.js';
import { encodeItems, RedisList } from './redis-list.js';
import { RedisLock, RedisRLock } from './redis-lock.js';
import type { RedisObject } from './redis-object.js';
import type { Script } from './script.js';
import { makeDict } from './scripts/dict.js';
import { makeEvent } from './scripts/event.js';
import { makeList } from './scripts/list.js';
import { makeLock } from './scripts/lock.js';
import type { Reached } from './target.js';

const kinds: Record<string, new (engine: Engine, facts: ObjectFacts) => RedisObject> = {
  dict: RedisDict,
  list: RedisList,
  namespace: RedisNamespace,
  lock: RedisLock,
  rlock: RedisRLock,
  event: RedisEvent,
};

function makeProxy(engine: Engine, facts: ObjectFacts): RedisObject {
  const type = Object.hasOwn(kinds, facts.kind) ? kinds[facts.kind] : undefined;
  if (type === undefined) {
    throw new MultiprocessError(`The server has an object of the kind '${facts.kind}', which is not known here.`);
  }
  return new type(engine, facts);
}

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
    return new RedisManager(await Engine.open(reached, options, makeProxy));
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

  async Event(options?: Named): Promise<RedisEvent> {
    return this.#make('event', nameIn(options), makeEvent, [], []);
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
