import { RedisItems } from './redis-items.js';

/** Writing a structure writes the fields that are named, all in one step. */
export class RedisValue extends RedisItems {
  static {
    Object.defineProperty(RedisValue, 'name', { value: 'RemoteValue' });
  }

  async get(): Promise<any> {
    return (await this.read(0, 1))[0];
  }

  async set(value: unknown): Promise<void> {
    await this.write(0, [this.type.prepare(value, 'A value')]);
  }

  add(n: unknown): Promise<any> {
    return this.addTo(0, n);
  }

  exchange(value: unknown): Promise<any> {
    return this.exchangeAt(0, value);
  }

  compareExchange(expected: unknown, value: unknown): Promise<any> {
    return this.compareExchangeAt(0, expected, value);
  }

  update(fn: (old: any) => unknown): Promise<any> {
    return this.updateAt(0, fn);
  }
}
