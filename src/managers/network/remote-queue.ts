import { inspect } from 'node:util';
import { QueueClosedError } from '../../errors/index.js';
import type { WaitOptions } from '../../heap/internal.js';
import { call, forwards, type RemoteObject, RemoteProxy } from './remote-object.js';

/** An item taken from a queue on another machine for as long as it takes to deal with it: see `Lease`. */
export interface RemoteLease<T> {
  readonly value: T;
  readonly deliveries: number;
  /** The item is dealt with, and gone for good. */
  ack(): Promise<void>;
  /** Puts the item back before all others; so does the end of the connection. */
  giveBack(): Promise<void>;
}

type Leasing = WaitOptions & { lease: true };
type Getting = WaitOptions & { lease?: false };

/** A Queue in a manager on another machine. Iterating takes the items, until the queue has been ended and nothing is left. */
export interface RemoteQueue<T = any> extends RemoteObject, AsyncIterable<T> {
  put(item: T, options?: WaitOptions): Promise<void>;
  tryPut(item: T): Promise<boolean>;
  get(options: Leasing): Promise<RemoteLease<T>>;
  get(options?: Getting): Promise<T>;
  tryGet(options: { lease: true }): Promise<RemoteLease<T> | undefined>;
  tryGet(options?: { lease?: false }): Promise<{ value: T } | undefined>;
  qsize(): Promise<number>;
  empty(): Promise<boolean>;
  full(): Promise<boolean>;
  end(): Promise<void>;
}

/** A JoinableQueue in a manager on another machine. */
export interface RemoteJoinableQueue<T = any> extends RemoteQueue<T> {
  taskDone(): Promise<void>;
  join(options?: WaitOptions): Promise<boolean>;
}

type Lent = [value: unknown, deliveries: number, number: number];

class RemoteLeaseObject implements RemoteLease<unknown> {
  readonly value: unknown;
  readonly deliveries: number;
  readonly #queue: RemoteProxy;
  readonly #number: number;

  constructor(queue: RemoteProxy, [value, deliveries, number]: Lent) {
    this.value = value;
    this.deliveries = deliveries;
    this.#queue = queue;
    this.#number = number;
  }

  async ack(): Promise<void> {
    await call(this.#queue, 'ack', [this.#number]);
  }

  async giveBack(): Promise<void> {
    await call(this.#queue, 'giveBack', [this.#number]);
  }

  [inspect.custom](_: number, options: object): string {
    return `RemoteLease { ${inspect(this.value, options)} }`;
  }
}
Object.defineProperty(RemoteLeaseObject, 'name', { value: 'RemoteLease' });

export class RemoteQueueProxy extends RemoteProxy {
  async get(options?: Leasing | Getting): Promise<unknown> {
    if (!isLease(options)) return call(this, 'get', [], withoutLease(options));
    return new RemoteLeaseObject(this, await call(this, 'getLease', [], withoutLease(options)));
  }

  async tryGet(options?: { lease?: boolean }): Promise<unknown> {
    if (!isLease(options)) return call(this, 'tryGet', []);
    const lent: Lent | undefined = await call(this, 'tryGetLease', []);
    return lent && new RemoteLeaseObject(this, lent);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
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
}

export class RemoteJoinableQueueProxy extends RemoteQueueProxy {}

function withoutLease(options: (WaitOptions & { lease?: boolean }) | undefined): WaitOptions {
  const { lease: _, ...rest } = options ?? {};
  return rest;
}

/** @throws TypeError for a `lease` that is no boolean. */
function isLease(options: { lease?: boolean } | undefined): boolean {
  const lease = options?.lease ?? false;
  if (typeof lease !== 'boolean') throw new TypeError(`lease is true or false; got ${typeof lease}.`);
  return lease;
}

forwards(RemoteQueueProxy, 'RemoteQueue', 'queue');
forwards(RemoteJoinableQueueProxy, 'RemoteJoinableQueue', 'joinablequeue');
