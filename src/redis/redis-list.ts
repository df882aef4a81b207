import { inspect } from 'node:util';
import { defaultOrder, refuseThenable } from '../collections/internal.js';
import { ValueError } from '../errors/index.js';
import type { Engine } from './engine.js';
import type { Reply } from './port.js';
import { RedisObject } from './redis-object.js';
import { sameAs } from './same-value.js';
import { listScripts } from './scripts/list.js';

const MOST_SHOWN = 60;
/** Stands for an index that no list has: scripts take none that is infinite. */
const BEYOND = Number.MAX_SAFE_INTEGER;

/** @throws TypeError for what cannot be iterated over; NotShareableError. */
export function encodeItems(engine: Engine, values: unknown, method: string): Buffer[] {
  if (typeof values !== 'string' && (typeof values !== 'object' || values === null || !(Symbol.iterator in values))) {
    throw new TypeError(`${method} takes something to iterate over; got ${values === null ? 'null' : typeof values}.`);
  }
  return Array.from(values as Iterable<unknown>, (value, i) => engine.encode(value, `args[0][${i}]`));
}

export class RedisList extends RedisObject {
  static {
    Object.defineProperty(RedisList, 'name', { value: 'RemoteList' });
  }

  protected readonly parts = ['items'];

  protected get disposing() {
    return { script: listScripts.dispose, args: [] };
  }

  async get(index: number): Promise<any> {
    return this.#decode(elementOr(await this.step(listScripts.get, [indexOf(index)]), index));
  }

  async at(index: number): Promise<any> {
    const found = await this.step(listScripts.get, [indexOf(index)]);
    return Buffer.isBuffer(found) ? this.#decode(found) : undefined;
  }

  async set(index: number, value: unknown): Promise<void> {
    const args = [indexOf(index), this.engine.encode(value, 'args[1]')];
    elementOr(await this.stepOnce(listScripts.set, args), index);
  }

  async append(value: unknown): Promise<void> {
    await this.stepOnce(listScripts.push, [this.engine.encode(value, 'args[0]')]);
  }

  async push(...values: unknown[]): Promise<number> {
    const items = values.map((value, i) => this.engine.encode(value, `args[${i}]`));
    return (await this.stepOnce(listScripts.push, items)) as number;
  }

  async extend(values: Iterable<unknown>): Promise<void> {
    await this.stepOnce(listScripts.push, encodeItems(this.engine, values, 'extend'));
  }

  async insert(index: number, value: unknown): Promise<void> {
    await this.stepOnce(listScripts.insert, [indexOf(index), this.engine.encode(value, 'args[1]')]);
  }

  async pop(index = -1): Promise<any> {
    const found = await this.stepOnce(listScripts.pop, [indexOf(index)]);
    return found === 0 ? undefined : this.#decode(elementOr(found, index));
  }

  async remove(value: unknown): Promise<void> {
    const isIt = sameAs(this.engine, value, true);
    for (;;) {
      const [version, items] = await this.#all();
      const index = items.findIndex((item) => isIt(this.#decode(item)));
      if (index < 0) throw new ValueError(`The list has no such element to remove: ${brief(value)}.`);
      if ((await this.stepOnce(listScripts.removeAt, [index, version])) === 1) return;
    }
  }

  async index(value: unknown): Promise<number> {
    const index = (await this.copy()).findIndex(sameAs(this.engine, value, true));
    if (index < 0) throw new ValueError(`The list has no such element: ${brief(value)}.`);
    return index;
  }

  async count(value: unknown): Promise<number> {
    return (await this.copy()).filter(sameAs(this.engine, value, true)).length;
  }

  async reverse(): Promise<void> {
    await this.stepOnce(listScripts.reverse);
  }

  async sort(): Promise<void> {
    for (;;) {
      const [version, items] = await this.#all();
      const sorted = items
        .map((bytes) => ({ bytes, value: this.#decode(bytes) }))
        .sort((a, b) => defaultOrder(a.value, b.value));
      const args = [version, ...sorted.map(({ bytes }) => bytes)];
      if ((await this.stepOnce(listScripts.replace, args)) === 1) return;
    }
  }

  async slice(start?: number, end?: number): Promise<any[]> {
    const [from, to] = [whole(start, 0), whole(end, BEYOND)];
    // An end of 0 is before all elements, and one before that is counted from the end.
    if (to === 0) return [];
    return this.#decodeAll(await this.step(listScripts.slice, [from, to - 1]));
  }

  async splice(...args: [start?: number, deleteCount?: number, ...values: unknown[]]): Promise<any[]> {
    const [start, deleteCount, ...values] = args;
    if (args.length === 0) return [];
    const count = args.length === 1 ? BEYOND : whole(deleteCount, 0);
    const items = values.map((value, i) => this.engine.encode(value, `args[${i + 2}]`));
    return this.#decodeAll(await this.stepOnce(listScripts.splice, [whole(start, 0), count, ...items]));
  }

  async clear(): Promise<void> {
    await this.stepOnce(listScripts.clear);
  }

  /** Nothing is locked while `fn` runs. */
  async compute(index: number, fn: (old: any) => unknown): Promise<any> {
    const at = indexOf(index);
    if (typeof fn !== 'function') throw new TypeError(`compute takes a function; got ${typeof fn}.`);
    let found: Reply = elementOr(await this.step(listScripts.get, [at]), index);
    for (;;) {
      const value = refuseThenable(fn(this.#decode(found)), 'compute');
      const outcome = await this.#compareAndSet(at, found, this.engine.encode(value, 'result'), index);
      if (outcome === true) return value;
      found = outcome;
    }
  }

  /** Values are compared as they are, and not as bytes: of equal ones, those may differ. */
  async compareAndSet(index: number, expected: unknown, value: unknown): Promise<boolean> {
    const at = indexOf(index);
    const next = this.engine.encode(value, 'args[2]');
    const isExpected = sameAs(this.engine, expected);
    for (let old: Buffer = this.engine.encode(expected, 'args[1]'); ; ) {
      const outcome = await this.#compareAndSet(at, old, next, index);
      if (outcome === true) return true;
      if (!isExpected(this.#decode(outcome))) return false;
      old = outcome;
    }
  }

  async length(): Promise<number> {
    return (await this.step(listScripts.length)) as number;
  }

  async copy(): Promise<any[]> {
    return this.#decodeAll(await this.step(listScripts.slice, [0, -1]));
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<any> {
    yield* await this.copy();
  }

  /** @returns true, or the element that is there instead. @throws RangeError */
  async #compareAndSet(at: number, expected: Reply, value: Buffer, index: number): Promise<true | Buffer> {
    const args = [at, expected as Buffer, value];
    const reply = await this.stepOnce(listScripts.compareAndSet, args);
    if (reply === 1) return true;
    return elementOr(Array.isArray(reply) ? (reply[0] as Reply) : reply, index);
  }

  async #all(): Promise<[version: Buffer, items: Buffer[]]> {
    return (await this.step(listScripts.all)) as [Buffer, Buffer[]];
  }

  #decode(bytes: Reply): any {
    return this.engine.decode(bytes);
  }

  #decodeAll(reply: Reply): any[] {
    return (reply as Buffer[]).map((bytes) => this.engine.decode(bytes));
  }
}

/** What a script has answered about an element. @throws RangeError when it has answered how many there are. */
function elementOr(reply: Reply, index: number): Buffer {
  if (typeof reply === 'number') throw new RangeError(`There is no element ${index}: the list has ${reply}.`);
  return reply as Buffer;
}

/** @throws TypeError for what is no index. */
function indexOf(index: unknown): number {
  if (index === Number.POSITIVE_INFINITY) return BEYOND;
  if (index === Number.NEGATIVE_INFINITY) return -BEYOND;
  if (Number.isSafeInteger(index)) return index as number;
  throw new TypeError(`An index is an integer; got ${typeof index === 'number' ? index : typeof index}.`);
}

/** As `Array.prototype.slice` takes it. */
function whole(index: number | undefined, otherwise: number): number {
  if (index === undefined) return otherwise;
  if (typeof index !== 'number') throw new TypeError(`An index is a number; got ${typeof index}.`);
  return Math.max(-BEYOND, Math.min(BEYOND, Math.trunc(index) || 0));
}

function brief(value: unknown): string {
  const text = inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}
