import { NotOwnerError, QueueClosedError, UncertainOutcomeError } from '../errors/index.js';
import { now, signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';
import { empty, full } from '../queues/internal.js';
import { Consumer } from './consumer.js';
import type { Engine, ObjectFacts } from './engine.js';
import { type Decision, RedisLease } from './redis-lease.js';
import { RedisObject } from './redis-object.js';
import { Item, queueScripts, readTaken } from './scripts/queue.js';
import { Won } from './wait.js';

type GetOptions = WaitOptions & { lease?: boolean | undefined };

/** An item that this client has taken, and who it was taken by. */
interface Win {
  readonly item: Item;
  readonly consumer: string;
  /** Of one that is leased: where it stands among those. */
  readonly field: string | undefined;
  /** Until when it has it at least, on the monotonic clock. */
  readonly ends: number;
}

export class RedisQueue extends RedisObject {
  static {
    Object.defineProperty(RedisQueue, 'name', { value: 'RemoteQueue' });
  }

  protected readonly parts = ['items', 'lent', 'taken', 'leases', 'getters', 'putters', 'done'];
  protected readonly consumer: Consumer;

  constructor(engine: Engine, facts: ObjectFacts) {
    super(engine, facts);
    this.consumer = new Consumer(engine, {
      leases: this.key('leases'),
      resign: (consumer, patience) => this.lastStep(queueScripts.resign, [this.wakes, consumer], { patience }),
    });
  }

  protected get disposing() {
    return { script: queueScripts.dispose, args: [this.wakes] };
  }

  async put(item: unknown, options?: WaitOptions): Promise<void> {
    const { raw } = this.#pack(item);
    if (timeoutOf(options) <= 0 && !signalOf(options)?.aborted) {
      if (!(await this.#put(raw, ''))) throw full();
      return;
    }
    const waiter = this.#newWaiter();
    const again = this.engine.leases.lease / 3;
    let isPromising = true;
    let isAsked = false;
    let isIn = false;
    const awaited = {
      channel: `${this.wakes}${this.engine.client}`,
      hint: (message: Buffer) => {
        if (String(message) !== waiter) return false;
        isPromising = true;
        return true;
      },
      look: async () => {
        // Only what puts can become uncertain, so whoever just waits asks for room.
        if (!isPromising && !(await this.#hasRoom(waiter))) return again;
        isPromising = false;
        isAsked = true;
        try {
          isIn = await this.#put(raw, waiter, Number.POSITIVE_INFINITY);
        } finally {
          isAsked = false;
        }
        return isIn ? new Won(true) : again;
      },
      giveUp: async (won: Won<boolean> | undefined) => {
        if (won === undefined) await this.#leave(waiter, '');
      },
    };
    try {
      const won = await this.engine.wait(awaited, options);
      if (won === undefined && !isIn && !isAsked) throw full();
    } catch (error) {
      if (isIn) return; // it was sooner
      if (!isAsked) throw error;
    }
    if (isAsked && !isIn) throw unanswered();
  }

  async tryPut(item: unknown): Promise<boolean> {
    return this.#put(this.#pack(item).raw, '');
  }

  async get(options?: GetOptions): Promise<any> {
    const lease = isLease(options);
    const { lease: _, ...rest } = options ?? {};
    const found = await this.#get(lease, rest);
    if (found === undefined) throw empty();
    return lease ? found : found.value;
  }

  async tryGet(options?: { lease?: boolean }): Promise<any> {
    return this.#get(isLease(options), { timeout: 0 });
  }

  async qsize(): Promise<number> {
    return (await this.#size())[0];
  }

  async empty(): Promise<boolean> {
    return (await this.qsize()) === 0;
  }

  async full(): Promise<boolean> {
    const [size, maxsize] = await this.#size();
    return maxsize > 0 && size >= maxsize;
  }

  async end(): Promise<void> {
    await this.stepOnce(queueScripts.end, [this.wakes]);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<any> {
    for (;;) {
      let item: unknown;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof QueueClosedError) return;
        throw error;
      }
      yield item;
    }
  }

  protected get wakes(): string {
    return this.engine.wakes;
  }

  /** Whether what is taken for good is counted until it is done. */
  protected get isJoinable(): boolean {
    return false;
  }

  #pack(item: unknown): Item {
    return Item.of(this.engine.encode(item, 'args[0]'));
  }

  #newWaiter(): string {
    return `${this.engine.client}.${this.engine.nextNumber()}`;
  }

  async #put(raw: Buffer, waiter: string, patience?: number): Promise<boolean> {
    const args = [this.wakes, raw, waiter, this.engine.leases.lease];
    return (await this.stepOnce(queueScripts.put, args, { patience })) === 1;
  }

  async #hasRoom(waiter: string): Promise<boolean> {
    const args = [this.wakes, waiter, this.engine.leases.lease];
    return (await this.step(queueScripts.awaitRoom, args, Number.POSITIVE_INFINITY)) === 1;
  }

  /** @returns undefined when there was nothing in time. */
  async #get(lease: boolean, options: WaitOptions): Promise<RedisLease | { value: unknown } | undefined> {
    const timeout = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted) throw signal.reason;
    const kept = lease || this.isJoinable;
    for (;;) {
      if (kept) await this.consumer.start();
      const win = timeout <= 0 ? await this.#tryTake(lease) : await this.#waitToTake(lease, options);
      if (win === undefined) return undefined;
      const { consumer, field, ends } = win;
      if (!kept || (now() < ends && this.consumer.took(consumer, ends))) return this.#unpack(win);
      // It was lost before the answer was there. Without a lease it is taken all the same, and counts as done.
      if (field === undefined) return this.#unpack(win);
      await this.#leave('', field);
    }
  }

  async #tryTake(lease: boolean): Promise<Win | undefined> {
    const field = this.#newField(lease);
    try {
      const found = await this.#take('', field);
      return typeof found === 'number' ? undefined : found;
    } catch (error) {
      if (field !== undefined) void this.#leave('', field).catch(() => {}); // it may have been taken
      throw error;
    }
  }

  async #waitToTake(lease: boolean, options: WaitOptions): Promise<Win | undefined> {
    const waiter = this.#newWaiter();
    let field: string | undefined;
    const awaited = {
      channel: `${this.wakes}${this.engine.client}`,
      hint: (message: Buffer) => String(message) === waiter,
      look: async () => {
        field = this.#newField(lease);
        const found = await this.#take(waiter, field, Number.POSITIVE_INFINITY);
        return typeof found === 'number' ? found : new Won(found);
      },
      giveUp: async (won: Won<Win> | undefined) => {
        if (field === undefined && won !== undefined) await this.#putBack(won.value);
        else await this.#leave(waiter, field ?? '');
      },
    };
    return (await this.engine.wait(awaited, options))?.value;
  }

  #newField(lease: boolean): string | undefined {
    return lease ? `${this.consumer.id}.${this.engine.nextNumber()}` : undefined;
  }

  async #take(waiter: string, field: string | undefined, patience?: number): Promise<Win | number> {
    const { client, leases } = this.engine;
    const consumer = this.consumer.id;
    const ends = now() + leases.lease;
    const args = [this.wakes, waiter, leases.lease, `${client}/`, consumer];
    const reply =
      field === undefined
        ? // Of another server that has not heard of it, nothing has been taken either, and nobody has it.
          await this.stepOnce(queueScripts.take, args, { patience, again: 'repeatable' })
        : await this.step(queueScripts.lend, [...args, field], patience);
    const item = readTaken(reply);
    return typeof item === 'number' ? item : { item, consumer, field, ends };
  }

  /** @throws what decoding throws: then it is gone. */
  async #unpack({ item, consumer, field }: Win): Promise<RedisLease | { value: unknown }> {
    if (field === undefined) return { value: this.engine.decode(item.bytes) };
    let value: unknown;
    try {
      value = this.engine.decode(item.bytes);
    } catch (error) {
      await this.#settle(consumer, field, 'ack');
      throw error;
    }
    return new RedisLease(value, item.deliveries, (how) => this.#settle(consumer, field, how));
  }

  async #settle(consumer: string, field: string, how: Decision): Promise<void> {
    const note = { repeated: false };
    if (!this.consumer.settled(consumer)) throw lost();
    const args = how === 'ack' ? [this.wakes, field] : [this.wakes, '', field];
    const found = await this.lastStep(queueScripts[how], args, { note });
    if (found !== 1 && !note.repeated) throw lost();
  }

  async #leave(waiter: string, field: string): Promise<void> {
    await this.lastStep(queueScripts.leave, [this.wakes, waiter, field]);
  }

  async #putBack({ item, consumer }: Win): Promise<void> {
    await this.lastStepOnce(queueScripts.putBack, [this.wakes, item.raw, consumer]);
  }

  async #size(): Promise<[size: number, maxsize: number]> {
    const [size, maxsize] = (await this.step(queueScripts.size)) as [number, Buffer];
    return [size, Number(String(maxsize))];
  }
}

/** @throws TypeError for a `lease` that is no boolean. */
function isLease(options: { lease?: boolean | undefined } | undefined): boolean {
  const lease = options?.lease ?? false;
  if (typeof lease !== 'boolean') throw new TypeError(`lease is true or false; got ${typeof lease}.`);
  return lease;
}

function lost(): NotOwnerError {
  return new NotOwnerError('The lease of this item was lost before it was acknowledged: others may have got the item.');
}

function unanswered(): UncertainOutcomeError {
  return new UncertainOutcomeError(
    'The server has not answered yet, so whether the item is in the queue cannot be told. Look, and put it again if not.',
  );
}
