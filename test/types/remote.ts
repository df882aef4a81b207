// Compiled with the tests, never run: managers on other machines, as the contract has them.
import {
  connect,
  Manager,
  type RemoteDict,
  type RemoteJoinableQueue,
  type RemoteLease,
  type RemoteLock,
  type RemoteManager,
  type RemoteQueue,
  Struct,
} from 'multiprocess';
import type { Counter } from '../programs/manager-targets.js';

/** The part of the contract that is about them. */
interface ContractLock {
  acquire(options?: { timeout?: number | undefined; signal?: AbortSignal | undefined }): Promise<boolean>;
  tryAcquire(): Promise<boolean>;
  release(): Promise<void>;
  run<T>(fn: () => T | PromiseLike<T>, options?: { timeout?: number | undefined }): Promise<T>;
  locked(): Promise<boolean>;
  readonly token: bigint | undefined;
  readonly lost: Promise<void>;
}
interface ContractDict<K = any, V = any> extends AsyncIterable<[K, V]> {
  get(key: K): Promise<V | undefined>;
  get<D>(key: K, fallback: D): Promise<V | D>;
  set(key: K, value: V, options?: { ttl?: number | undefined }): Promise<void>;
  has(key: K): Promise<boolean>;
  delete(key: K): Promise<boolean>;
  size(): Promise<number>;
  keys(): Promise<K[]>;
  values(): Promise<V[]>;
  entries(): Promise<[K, V][]>;
  clear(): Promise<void>;
  update(entries: Iterable<readonly [K, V]>): Promise<void>;
  setdefault(key: K, value: V): Promise<V>;
  pop(key: K): Promise<V | undefined>;
  popitem(): Promise<[K, V] | undefined>;
  compute(key: K, fn: (old: V | undefined) => V | undefined): Promise<V | undefined>;
  increment(key: K, by?: number): Promise<number>;
  compareAndSet(key: K, expected: V | undefined, value: V | undefined): Promise<boolean>;
  copy(): Promise<Map<K, V>>;
}
interface ContractManager {
  dict<K = any, V = any>(
    init?: Iterable<readonly [K, V]> | null,
    options?: { name?: string | undefined; ttl?: number; maxEntries?: number },
  ): Promise<ContractDict<K, V>>;
  Lock(options?: { name?: string | undefined }): Promise<ContractLock>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
type Serve = (address: string, options: { authkey: string | Uint8Array; tls?: object }) => Promise<string>;
type Connect = (
  address: string,
  options?: { authkey?: string | Uint8Array; tls?: object; client?: unknown },
) => Promise<ContractManager>;

export async function contract(): Promise<void> {
  const manager = await Manager();
  const serve: Serve = manager.serve;
  const connecting: Connect = connect;
  const lock: ContractLock = {} as RemoteLock;
  const dict: ContractDict<string, number> = {} as RemoteDict<string, number>;
  const remote: ContractManager = {} as RemoteManager;
  void [serve, connecting, lock, dict, remote];
}

export async function usage(): Promise<void> {
  await using remote = await connect<{ Counter: typeof Counter }>('tcp://host:1', { authkey: 'x', tls: {} });
  const counter = await remote.Counter(3);
  const n: number = await counter.increment(2);
  for await (const below of counter.below()) below satisfies number;
  // @ts-expect-error nothing blocks from another machine
  counter.incrementSync();
  // @ts-expect-error of another type
  await remote.Counter('3');
  // @ts-expect-error the compiler has not been told of it
  await remote.Other();
  const dict = await remote.dict<string, number>([['a', 1]]);
  for await (const [key, value] of dict) [key.length, value.toFixed()];
  const inferred: number | undefined = await (await remote.dict([['a', 1]])).get('a');
  // @ts-expect-error a dict of numbers
  await dict.set('a', 'x');
  // @ts-expect-error properties are methods there
  dict.size + 1;
  const list = await remote.list<{ a: number }>();
  for await (const { a } of list) a.toFixed();
  const names = await remote.Namespace({ count: 0, title: '' });
  const title: string = await names.get('title');
  // @ts-expect-error no such property
  await names.get('other');
  const value = await remote.Value('q', 1);
  const big: bigint = await value.update((old) => old + 1n);
  const point = await (await remote.Value(Struct({ x: 'd' }), { x: 1 })).get();
  const text = await remote.Array('c', 4);
  const bytes: Uint8Array = await text.getRaw();
  const queue = await remote.Queue<string>();
  const item: string = await queue.get({ timeout: 5 });
  const lease = await queue.get({ lease: true });
  const leased: string = lease.value;
  const lock = await remote.RLock({ name: 'x' });
  const ran: number = await lock.run(async () => 5, { timeout: 5 });
  const plain: RemoteManager = remote;
  void [n, inferred, title, big, point.x satisfies number, bytes, item, leased, ran, plain];
}

/** Code for a remote manager compiles for a server of Redis, as far as it uses what is there. */
export async function atAServer(): Promise<void> {
  const work = async (manager: Pick<RemoteManager, 'dict' | 'Lock'>) => {
    const lock: RemoteLock = await manager.Lock({ name: 'x' });
    const dict: RemoteDict<string, number> = await manager.dict<string, number>();
    return lock.run(() => dict.increment('n'));
  };
  await using manager = await connect('redis://host:6379', { lease: 1000, prefix: 'x:' });
  (await work(manager)) satisfies number;
  const queue: RemoteQueue<string> = await manager.Queue<string>(5);
  const joinable: RemoteJoinableQueue<number> = await manager.JoinableQueue<number>();
  const lease: RemoteLease<string> = await queue.get({ lease: true });
  (await joinable.join({ timeout: 5 })) satisfies boolean;
  void lease;
  // @ts-expect-error registered types do not exist there
  await manager.Counter();
}
