import { signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { RedisObject } from './redis-object.js';
import { eventScripts } from './scripts/event.js';
import { Won } from './wait.js';

export class RedisEvent extends RedisObject {
  static {
    Object.defineProperty(RedisEvent, 'name', { value: 'RemoteEvent' });
  }

  protected readonly parts = ['sets'];

  protected get disposing() {
    return { script: eventScripts.dispose, args: [] };
  }

  async isSet(): Promise<boolean> {
    const [isSet] = await this.#look();
    return isSet;
  }

  async set(): Promise<void> {
    await this.stepOnce(eventScripts.set);
  }

  async clear(): Promise<void> {
    await this.stepOnce(eventScripts.clear);
  }

  async wait(options?: WaitOptions): Promise<boolean> {
    const timeout = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted) throw signal.reason;
    if (timeout <= 0) return this.isSet();
    let before: string | undefined;
    const awaited = {
      channel: this.key('sets'),
      hint: () => true,
      look: async () => {
        const [isSet, times] = await this.#look(Number.POSITIVE_INFINITY);
        before ??= times;
        return isSet || times !== before ? new Won(true) : this.engine.leases.lease;
      },
      giveUp: async () => {},
    };
    return (await this.engine.wait(awaited, options)) !== undefined;
  }

  async #look(patience?: number): Promise<[isSet: boolean, times: string]> {
    const [isSet, times] = (await this.step(eventScripts.look, [], patience)) as [Buffer, Buffer];
    return [String(isSet) === '1', String(times)];
  }
}
