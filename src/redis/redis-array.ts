import {
  checkBytes,
  checkIndex,
  checkRoom,
  checkStart,
  indexOfAt,
  prepareAll,
  sliceBounds,
} from '../sharedctypes/internal.js';
import { RedisItems } from './redis-items.js';
import { itemScripts } from './scripts/items.js';

/** What touches several items does so in one step. */
export class RedisArray extends RedisItems {
  static {
    Object.defineProperty(RedisArray, 'name', { value: 'RemoteArray' });
  }

  /** It never changes, so it is asked for once. */
  #length: number | undefined;

  async get(index: number): Promise<any> {
    return (await this.read(await this.#checked(index), 1))[0];
  }

  async set(index: number, value: unknown): Promise<void> {
    await this.write(await this.#checked(index), [this.type.prepare(value)]);
  }

  async at(index: number): Promise<any> {
    const found = indexOfAt(index, await this.#knownLength());
    return found === undefined ? undefined : (await this.read(found, 1))[0];
  }

  async length(): Promise<number> {
    return (await this.step(itemScripts.length)) as number;
  }

  async slice(start?: number, end?: number): Promise<any[]> {
    const [from, to] = sliceBounds(start, end, await this.#knownLength());
    if (from < to) return this.read(from, to - from);
    await this.length(); // whether it is there
    return [];
  }

  async setSlice(start: number, values: Iterable<unknown>): Promise<void> {
    const length = await this.#knownLength();
    checkStart(start, length);
    const prepared = prepareAll(this.type, values);
    checkRoom(start, prepared.length, length);
    await this.write(start, prepared);
  }

  async add(index: number, n: unknown): Promise<any> {
    return this.addTo(await this.#checked(index), n);
  }

  async exchange(index: number, value: unknown): Promise<any> {
    return this.exchangeAt(await this.#checked(index), value);
  }

  async compareExchange(index: number, expected: unknown, value: unknown): Promise<any> {
    return this.compareExchangeAt(await this.#checked(index), expected, value);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<any> {
    yield* await this.slice();
  }

  async #checked(index: number): Promise<number> {
    checkIndex(index, await this.#knownLength());
    return index;
  }

  async #knownLength(): Promise<number> {
    this.#length ??= await this.length();
    return this.#length;
  }
}

/** An array of bytes. */
export class RedisString extends RedisArray {
  static {
    Object.defineProperty(RedisString, 'name', { value: 'RemoteString' });
  }

  async getValue(): Promise<Uint8Array> {
    const bytes = await this.getRaw();
    const end = bytes.indexOf(0);
    return end === -1 ? bytes : bytes.slice(0, end);
  }

  /** Puts a NUL behind the bytes where there is room. */
  async setValue(bytes: Uint8Array): Promise<void> {
    const length = await this.length();
    const checked = checkBytes(bytes, length);
    await this.setSlice(0, checked.length < length ? [...checked, 0] : checked);
  }

  async getRaw(): Promise<Uint8Array> {
    const items: Uint8Array[] = await this.slice();
    return Uint8Array.from(items, ([byte]) => byte!);
  }

  async setRaw(bytes: Uint8Array): Promise<void> {
    await this.setSlice(0, checkBytes(bytes, await this.length()));
  }
}
