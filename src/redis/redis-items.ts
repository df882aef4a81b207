import { refuseThenable } from '../collections/internal.js';
import { CorruptSegmentError } from '../errors/index.js';
import { atomically, type ItemType, type ScalarType, typeFromText } from '../sharedctypes/internal.js';
import { bytesOf, itemsIn, storedIn, writesOf } from './item-bytes.js';
import type { Argument } from './port.js';
import { LOCK_PARTS, RedisLocked } from './redis-locked.js';
import { itemScripts } from './scripts/items.js';

/** What values and arrays do with their items, by index. Their kind says of which type these are: 'value:i'. */
export abstract class RedisItems extends RedisLocked {
  protected readonly parts = ['bytes', ...LOCK_PARTS];
  protected readonly type: ItemType = typeFromText(this.kind.replace(/^[^:]*:/, ''));

  protected get disposing() {
    return { script: itemScripts.dispose, args: [this.engine.wakes] };
  }

  /** Reads items. @throws (rejects) CorruptSegmentError when they are not all there. */
  protected async read(from: number, count: number): Promise<unknown[]> {
    return itemsIn(this.type, await this.#readBytes(from, count));
  }

  /** @param prepared items, checked by their type. */
  protected async write(from: number, prepared: readonly unknown[]): Promise<void> {
    await this.stepOnce(itemScripts.write, writesOf(this.type, from, prepared));
  }

  protected async addTo(index: number, n: unknown): Promise<unknown> {
    const type = atomically(this.type);
    const by = type.addend(n);
    const args = addition(type, by);
    if (args === undefined) {
      const before = await this.#readBytes(index, 1);
      throw tooMuch(type, before, by);
    }
    const reply = await this.stepOnce(itemScripts.add, [index * type.bytes, ...args]);
    if (Array.isArray(reply)) throw tooMuch(type, reply[0] as Buffer, by);
    return this.#item(reply as Buffer);
  }

  protected async exchangeAt(index: number, value: unknown): Promise<unknown> {
    const type = atomically(this.type);
    const args = [index * type.bytes, bytesOf(type, [type.prepare(value)])];
    return this.#item(whole((await this.stepOnce(itemScripts.exchange, args)) as Buffer, type.bytes));
  }

  /** Values are compared by what they mean: 0 and -0 are one in two forms. */
  protected async compareExchangeAt(index: number, expected: unknown, value: unknown): Promise<unknown> {
    const type = atomically(this.type);
    const wanted = type.prepare(expected, 'The expected value');
    const next = bytesOf(type, [type.prepare(value)]);
    for (let seen = bytesOf(type, [wanted]); ; ) {
      const found = await this.#compareBytes(index, seen, next);
      if (found === undefined) return this.#item(seen);
      if (!type.same(storedIn(type, found), wanted)) return this.#item(found);
      seen = found;
    }
  }

  /** @param fn runs here, and again if somebody else has written meanwhile. @returns the item after. */
  protected async updateAt(index: number, fn: (old: any) => unknown): Promise<unknown> {
    if (typeof fn !== 'function') throw new TypeError('update takes a function.');
    const type = atomically(this.type);
    for (let seen = await this.#readBytes(index, 1); ; ) {
      const value = refuseThenable(fn(this.#item(seen)), 'update');
      const next = bytesOf(type, [type.prepare(value)]);
      const found = await this.#compareBytes(index, seen, next);
      if (found === undefined) return this.#item(next);
      seen = found;
    }
  }

  async #readBytes(from: number, count: number): Promise<Buffer> {
    const size = count * this.type.bytes;
    const first = from * this.type.bytes;
    return whole((await this.step(itemScripts.read, [first, first + size - 1])) as Buffer, size);
  }

  /** @returns what is there instead, if something else is. */
  async #compareBytes(index: number, expected: Buffer, value: Buffer): Promise<Buffer | undefined> {
    const args = [index * this.type.bytes, expected, value];
    const reply = await this.stepOnce(itemScripts.compareExchange, args);
    return reply === 1 ? undefined : whole(reply as Buffer, this.type.bytes);
  }

  #item(bytes: Buffer): any {
    return itemsIn(this.type, bytes)[0];
  }
}

function whole(bytes: Buffer, size: number): Buffer {
  if (bytes.length === size) return bytes;
  throw new CorruptSegmentError('The server does not have all bytes of this object: somebody else has changed them.');
}

const BIGGEST = 1n << 64n;

/** How a number is told to the script that adds it. @returns undefined for one that fits no sum. */
function addition(type: ScalarType, by: number | bigint): Argument[] | undefined {
  const sign = type.text === type.text.toLowerCase() ? 's' : '';
  if (typeof by === 'bigint') {
    if (by >= BIGGEST || by <= -BIGGEST) return undefined;
    return ['big', type.bytes, sign, String(BigInt.asUintN(32, by)), String(by >> 32n)];
  }
  if (/[fd]/.test(type.text)) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(by);
    return ['float', type.bytes, sign, bytes];
  }
  return ['integer', type.bytes, sign, by];
}

/** @returns what `sum` throws. */
function tooMuch(type: ScalarType, before: Buffer, by: number | bigint): unknown {
  try {
    type.sum(storedIn(type, before), by);
  } catch (error) {
    return error;
  }
  return new CorruptSegmentError('The server has other bytes of this object than it should.');
}
