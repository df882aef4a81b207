import type { SetOptions } from '../collections/index.js';
import { copyOfKey, pairsOf, refuseThenable, ttlOf } from '../collections/internal.js';
import type { WaitOptions } from '../heap/internal.js';
import type { Engine } from './engine.js';
import type { Reply } from './port.js';
import { RedisObject } from './redis-object.js';
import { sameAs } from './same-value.js';
import { dictScripts } from './scripts/dict.js';
import { Won } from './wait.js';

const NOTHING = Buffer.alloc(0);
/** How long a writer numbers writes after the last look of somebody who watches, in leases. */
const WATCHED_LEASES = 3;

/** Keys and values by turns, as scripts take them. @throws TypeError; RangeError; NotShareableError. */
export function encodePairs(engine: Engine, init: unknown, label: string): Buffer[] {
  return pairsOf(init).flatMap(([key, value], i) => [
    engine.encode(copyOfKey(key)),
    engine.encode(value, `${label}[${i}][1]`),
  ]);
}

/** What dicts and namespaces do with their entries. */
export abstract class RedisEntries extends RedisObject {
  protected readonly parts = ['values', 'order', 'ends', 'writes'];

  protected get disposing() {
    return { script: dictScripts.dispose, args: [] };
  }

  /** @throws TypeError for what is no key here. */
  protected abstract keyBytes(key: unknown): Buffer;

  protected async read(key: unknown): Promise<Buffer | undefined> {
    return ((await this.step(dictScripts.get, [this.keyBytes(key)])) as Buffer | null) ?? undefined;
  }

  protected async write(key: unknown, value: unknown, ttl?: number): Promise<void> {
    const args = [ttlText(ttl), this.keyBytes(key), this.engine.encode(value, 'args[1]')];
    await this.stepOnce(dictScripts.update, args);
  }

  protected async take(key: unknown): Promise<Buffer | undefined> {
    return ((await this.stepOnce(dictScripts.take, [this.keyBytes(key)])) as Buffer | null) ?? undefined;
  }

  protected async all(): Promise<[unknown, unknown][]> {
    const found = (await this.step(dictScripts.entries)) as Buffer[];
    const entries: [unknown, unknown][] = [];
    for (let i = 0; i < found.length; i += 2) entries.push([this.decode(found[i]), this.decode(found[i + 1])]);
    return entries;
  }

  async has(key: unknown): Promise<boolean> {
    return (await this.read(key)) !== undefined;
  }

  async delete(key: unknown): Promise<boolean> {
    return (await this.take(key)) !== undefined;
  }

  async increment(key: unknown, by = 1): Promise<number> {
    if (typeof by !== 'number') throw new TypeError(`increment adds a number; got ${typeof by}.`);
    return this.decode(await this.stepOnce(dictScripts.increment, [this.keyBytes(key), this.engine.encode(by)]));
  }

  /** Nothing is locked while `fn` runs. */
  async compute(key: unknown, fn: (old: any) => unknown): Promise<any> {
    if (typeof fn !== 'function') throw new TypeError('compute takes a function.');
    const bytes = this.keyBytes(key);
    for (let found = await this.read(key); ; ) {
      const value = refuseThenable(fn(found && this.decode(found)), 'compute');
      const next = value === undefined ? NOTHING : this.engine.encode(value, 'result');
      const outcome = await this.#compareAndSet(bytes, found ?? NOTHING, next);
      if (outcome === true) return value;
      found = outcome;
    }
  }

  /** Values are compared as they are, and not as bytes: of equal ones, those may differ. */
  async compareAndSet(key: unknown, expected: unknown, value: unknown): Promise<boolean> {
    const bytes = this.keyBytes(key);
    const next = value === undefined ? NOTHING : this.engine.encode(value, 'args[2]');
    const isExpected = expected === undefined ? undefined : sameAs(this.engine, expected);
    for (let old = expected === undefined ? NOTHING : this.engine.encode(expected, 'args[1]'); ; ) {
      const outcome = await this.#compareAndSet(bytes, old, next);
      if (outcome === true) return true;
      if (outcome === undefined || isExpected === undefined || !isExpected(this.decode(outcome))) return false;
      old = outcome;
    }
  }

  protected decode(bytes: Reply | undefined): any {
    return this.engine.decode(bytes);
  }

  /** @returns true, or what is there instead. */
  async #compareAndSet(key: Buffer, expected: Buffer, value: Buffer): Promise<true | Buffer | undefined> {
    const reply = await this.stepOnce(dictScripts.compareAndSet, [key, expected, value]);
    if (reply === 1) return true;
    return reply === 0 ? undefined : (reply as Buffer);
  }
}

export class RedisDict extends RedisEntries {
  static {
    Object.defineProperty(RedisDict, 'name', { value: 'RemoteDict' });
  }

  async get(key: unknown, fallback?: unknown): Promise<any> {
    const found = await this.read(key);
    return found === undefined ? fallback : this.decode(found);
  }

  async set(key: unknown, value: unknown, options?: SetOptions): Promise<void> {
    await this.write(key, value, ttlOf(options));
  }

  async size(): Promise<number> {
    return (await this.step(dictScripts.size)) as number;
  }

  async keys(): Promise<any[]> {
    return (await this.all()).map(([key]) => key);
  }

  async values(): Promise<any[]> {
    return (await this.all()).map(([, value]) => value);
  }

  entries(): Promise<[any, any][]> {
    return this.all();
  }

  async clear(): Promise<void> {
    await this.stepOnce(dictScripts.clear);
  }

  async update(entries: unknown): Promise<void> {
    if (entries === undefined || entries === null) throw new TypeError('update takes entries or an object.');
    await this.stepOnce(dictScripts.update, ['', ...encodePairs(this.engine, entries, 'args[0]')]);
  }

  async setdefault(key: unknown, value: unknown): Promise<any> {
    const args = [this.keyBytes(key), this.engine.encode(value, 'args[1]')];
    return this.decode(await this.stepOnce(dictScripts.setDefault, args));
  }

  async pop(key: unknown, fallback?: unknown): Promise<any> {
    const found = await this.take(key);
    return found === undefined ? fallback : this.decode(found);
  }

  async popitem(): Promise<[any, any] | undefined> {
    const found = (await this.stepOnce(dictScripts.takeLast)) as [Buffer, Buffer] | null;
    return found === null ? undefined : [this.decode(found[0]), this.decode(found[1])];
  }

  async changed(key?: unknown, options?: WaitOptions): Promise<boolean> {
    const what = key === undefined ? '*' : this.keyBytes(key);
    const { lease } = this.engine.leases;
    let before: string | undefined;
    const awaited = {
      channel: this.key('writes'),
      hint: () => true,
      look: async () => {
        const reply = await this.step(dictScripts.watch, [what, WATCHED_LEASES * lease], Number.POSITIVE_INFINITY);
        const found = String(reply);
        before ??= found;
        return found === before ? lease : new Won(true);
      },
      giveUp: async () => {},
    };
    return (await this.engine.wait(awaited, options)) !== undefined;
  }

  async copy(): Promise<Map<any, any>> {
    return new Map(await this.all());
  }

  async toObject(): Promise<Record<string, any>> {
    const entries = await this.all();
    if (!entries.every(([key]) => typeof key === 'string')) {
      throw new TypeError('toObject is for dicts whose keys are all strings; copy() makes a Map of any.');
    }
    return Object.fromEntries(entries as [string, unknown][]);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<[any, any]> {
    yield* await this.all();
  }

  protected keyBytes(key: unknown): Buffer {
    return this.engine.encode(copyOfKey(key));
  }
}

export class RedisNamespace extends RedisEntries {
  static {
    Object.defineProperty(RedisNamespace, 'name', { value: 'RemoteNamespace' });
  }

  async get(name: string): Promise<any> {
    const found = await this.read(name);
    return found && this.decode(found);
  }

  async set(name: string, value: unknown): Promise<void> {
    await this.write(name, value);
  }

  async keys(): Promise<string[]> {
    return (await this.all()).map(([name]) => name as string);
  }

  async toObject(): Promise<any> {
    return Object.fromEntries((await this.all()) as [string, unknown][]);
  }

  protected keyBytes(name: unknown): Buffer {
    if (typeof name === 'string') return this.engine.encode(copyOfKey(name));
    throw new TypeError(`The properties of a namespace have names that are strings; got ${typeof name}.`);
  }
}

function ttlText(ttl: number | undefined): string {
  if (ttl === undefined) return '';
  return ttl === Number.POSITIVE_INFINITY ? '0' : String(ttl);
}
