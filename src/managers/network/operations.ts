import { dispose } from '../../codec/index.js';
import { encode } from '../../codec/internal.js';
import { type DictProxy, type ListProxy, transact } from '../../collections/index.js';
import type { WaitOptions } from '../../heap/internal.js';
import type { JoinableQueue, Lease, Queue } from '../../queues/index.js';
import type { Synchronized, SynchronizedArray, SynchronizedString } from '../../sharedctypes/index.js';
import { plainItem } from '../../sharedctypes/internal.js';
import type { Barrier, BoundedSemaphore, Condition, Lock, RLock, Semaphore } from '../../synchronize/index.js';
import { lockOfCondition } from '../../synchronize/internal.js';

// What a server does for remote clients, where it is not simply to call the object's method of that name: properties are
// methods there, iterators come as arrays, and what a callback does here is done in steps.

/** What belongs to one client and its operations. */
export interface Actor {
  /** Its leases of items, by number. */
  readonly leases: Map<number, Lease<unknown>>;
  /** A number for something acquired, larger than all before. */
  nextToken(): bigint;
}

type Operation = (this: Actor, object: never, args: never, options: WaitOptions) => unknown;
type Args = readonly unknown[];

const lock: Record<string, Operation> = {
  // In the name of this client an RLock is entered once; that it enters again, it keeps account of itself.
  async acquire(object: Lock | RLock, _: Args, options) {
    return (await object.acquire(options)) && [this.nextToken(), object.ownerDied];
  },
  async tryAcquire(object: Lock | RLock) {
    return (await object.acquire({ timeout: 0 })) && [this.nextToken(), object.ownerDied];
  },
};

const semaphore: Record<string, Operation> = {
  value: ({ value }: Semaphore) => value,
};

const boundedSemaphore: Record<string, Operation> = {
  ...semaphore,
  async acquire(object: BoundedSemaphore, _: Args, options) {
    return (await object.acquire(options)) && this.nextToken();
  },
  tryAcquire(object: BoundedSemaphore) {
    return object.tryAcquire() && this.nextToken();
  },
};

const queue: Record<string, Operation> = {
  get: (object: Queue, _: Args, options) => object.get({ ...options, lease: false }),
  // What was taken for a client that did not wait for it any more.
  putBack: (object: Queue, [item]: [unknown], options) => object.put(item, options),
  async getLease(object: Queue, _: Args, options) {
    return lend(this, await object.get({ ...options, lease: true }));
  },
  tryGet: (object: Queue) => object.tryGet(),
  tryGetLease(object: Queue) {
    const lease = object.tryGet({ lease: true });
    return lease && lend(this, lease);
  },
  ack(_: Queue, [number]: [number]) {
    settle(this, number)?.ack();
  },
  giveBack(_: Queue, [number]: [number]) {
    settle(this, number)?.giveBack();
  },
};

const value: Record<string, Operation> = {
  get: (object: Synchronized<never>) => plainItem(object.value),
  set(object: Synchronized<never>, [item]: [never]) {
    object.value = item;
  },
};

const array: Record<string, Operation> = {
  get: (object: SynchronizedArray<never>, [index]: [number]) => plainItem(object.get(index)),
  at: (object: SynchronizedArray<never>, [index]: [number]) => plainItem(object.at(index)),
  slice: (object: SynchronizedArray<never>, [start, end]: [number?, number?]) =>
    object.slice(start, end).map(plainItem),
  length: ({ length }: SynchronizedArray<never>) => length,
};

export const operations: Record<string, Record<string, Operation>> = {
  dict: {
    set(object: DictProxy, [key, item, options]: [never, unknown, object?]) {
      object.set(key, item, options);
    },
    size: ({ size }: DictProxy) => size,
    keys: (object: DictProxy) => [...object.keys()],
    values: (object: DictProxy) => [...object.values()],
    entries: (object: DictProxy) => [...object.entries()],
    changed: (object: DictProxy, [key]: [never], options) => object.changed(key, options),
  },
  sharedlist: {
    length: ({ length }: ListProxy) => length,
    compareAndSet: (object: ListProxy, [index, expected, item]: [number, unknown, unknown]) =>
      transact(object, (list) => {
        if (!alike(list.get(index), expected)) return false;
        list.set(index, item);
        return true;
      }),
  },
  namespace: {
    get: (object: Properties, [name]: [string]) => object[checkName(name)],
    set(object: Properties, [name, item]: [string, unknown]) {
      object[checkName(name)] = item;
    },
    has: (object: Properties, [name]: [string]) => checkName(name) in object,
    delete: (object: Properties, [name]: [string]) =>
      transact(object, (found) => checkName(name) in found && Reflect.deleteProperty(found, name)),
    keys: (object: Properties) => Object.keys(object),
    toObject: (object: Properties) => ({ ...object }),
    increment: (object: Properties, [name, by]: [string, number]) =>
      transact(object, (found) => {
        const old = found[checkName(name)] ?? 0;
        if (typeof old !== 'number' || typeof by !== 'number')
          throw new TypeError('increment adds a number to a number.');
        found[name] = old + by;
        return old + by;
      }),
    compareAndSet: (object: Properties, [name, expected, item]: [string, unknown, unknown]) =>
      transact(object, (found) => {
        if (!alike(found[checkName(name)], expected)) return false;
        if (item === undefined) delete found[name];
        else found[name] = item;
        return true;
      }),
  },
  lock,
  rlock: lock,
  semaphore,
  boundedsemaphore: boundedSemaphore,
  condition: { getLock: (object: Condition) => lockOfCondition(object) },
  event: {},
  barrier: {
    parties: ({ parties }: Barrier) => parties,
    nWaiting: ({ nWaiting }: Barrier) => nWaiting,
    broken: ({ broken }: Barrier) => broken,
  },
  queue,
  joinablequeue: {
    ...queue,
    async putBack(object: JoinableQueue, [item]: [unknown], options) {
      await object.put(item, options);
      object.taskDone(); // of the first time
    },
    join: (object: JoinableQueue, _: Args, options) => object.join(options),
  },
  value,
  array,
  string: {
    ...array,
    getValue: ({ value: bytes }: SynchronizedString) => bytes,
    setValue(object: SynchronizedString, [bytes]: [Uint8Array]) {
      object.value = bytes;
    },
    getRaw: ({ raw }: SynchronizedString) => raw,
    setRaw(object: SynchronizedString, [bytes]: [Uint8Array]) {
      object.raw = bytes;
    },
  },
};

for (const kind of Object.values(operations)) kind['dispose'] = (object: object) => dispose(object);

type Properties = Record<string, unknown>;

let leases = 0;

function lend(actor: Actor, lease: Lease<unknown>): [value: unknown, deliveries: number, number: number] {
  leases += 1;
  actor.leases.set(leases, lease);
  return [lease.value, lease.deliveries, leases];
}

function settle(actor: Actor, number: number): Lease<unknown> | undefined {
  const lease = actor.leases.get(number);
  actor.leases.delete(number);
  return lease;
}

/** Whether two values are encoded alike, as those that containers compare. */
function alike(a: unknown, b: unknown): boolean {
  return encode(a).bytes.equals(encode(b).bytes);
}

function checkName(name: unknown): string {
  if (typeof name === 'string') return name;
  throw new TypeError(`The properties of a namespace have names that are strings; got ${typeof name}.`);
}
