import type { Argument } from './port.js';
import { RedisObject } from './redis-object.js';
import { type Collected, poolScripts, readChunks, readCollected, type TakenChunks } from './scripts/pool.js';

/** What clients and workers of a pool have in common: the chunks of tasks, and what has become of them. */
export class PoolBoard extends RedisObject {
  static {
    Object.defineProperty(PoolBoard, 'name', { value: 'Pool' });
  }

  protected readonly parts = ['tasks', 'chunks', 'held', 'results', 'leases', 'workers'];

  protected get disposing() {
    return { script: poolScripts.dispose, args: [this.engine.wakes] };
  }

  /** Where leases stand. */
  get leases(): string {
    return this.key('leases');
  }

  /** On which workers are told of chunks. */
  get channel(): string {
    return this.key('tasks');
  }

  async submit(client: string, chunks: readonly Argument[]): Promise<void> {
    const { wakes, leases } = this.engine;
    await this.stepOnce(poolScripts.submit, [wakes, client, leases.lease, ...chunks]);
  }

  async drop(chunks: readonly string[], end: boolean): Promise<void> {
    await this.step(poolScripts.drop, [this.engine.wakes, end ? 1 : 0, ...chunks]);
  }

  /** @param arrived of which the outcome is here. @param wanted of which it is not. */
  async collect(arrived: readonly string[], wanted: readonly string[], tellOfWorkers: boolean): Promise<Collected> {
    const { wakes, leases } = this.engine;
    const args = [wakes, leases.lease, tellOfWorkers ? 1 : 0, arrived.length, ...arrived, ...wanted];
    return readCollected(await this.step(poolScripts.collect, args, Number.POSITIVE_INFINITY));
  }

  /** @param known all that the worker has, to look whether that is so; undefined not to look. */
  async take(worker: string, free: number, facts: string, known: readonly string[] | undefined): Promise<TakenChunks> {
    const { wakes, leases } = this.engine;
    const args = [wakes, worker, leases.lease, free, facts, known === undefined ? 0 : 1, ...(known ?? [])];
    return readChunks(await this.step(poolScripts.take, args, Number.POSITIVE_INFINITY));
  }

  async finish(worker: string, chunk: string, outcome: Buffer): Promise<void> {
    const args = [this.engine.wakes, worker, chunk, outcome];
    await this.step(poolScripts.finish, args, Number.POSITIVE_INFINITY);
  }

  async resign(who: string, patience: number): Promise<void> {
    await this.lastStep(poolScripts.resign, [this.engine.wakes, who], { patience });
  }
}
