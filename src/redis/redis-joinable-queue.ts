import { signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { RedisQueue } from './redis-queue.js';
import { queueScripts } from './scripts/queue.js';
import { Won } from './wait.js';

export class RedisJoinableQueue extends RedisQueue {
  static {
    Object.defineProperty(RedisJoinableQueue, 'name', { value: 'RemoteJoinableQueue' });
  }

  async taskDone(): Promise<void> {
    const { id } = this.consumer;
    if ((await this.stepOnce(queueScripts.taskDone, [this.wakes, id])) === 1) this.consumer.settled(id);
  }

  async join(options?: WaitOptions): Promise<boolean> {
    const timeout = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted) throw signal.reason;
    const look = async (patience?: number) =>
      (await this.step(queueScripts.join, [this.wakes, this.engine.leases.lease], patience)) as number;
    if (timeout <= 0) return (await look()) === 0;
    const awaited = {
      channel: this.key('done'),
      hint: () => true,
      look: async () => {
        const again = await look(Number.POSITIVE_INFINITY);
        return again === 0 ? new Won(true) : again;
      },
      giveUp: async () => {},
    };
    return (await this.engine.wait(awaited, options)) !== undefined;
  }

  protected override get isJoinable(): boolean {
    return true;
  }
}
