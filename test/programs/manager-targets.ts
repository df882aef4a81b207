// What the tests of managers run in servers and in other processes. Not every module that is given a manager knows this library.
import type { BaseManager, Event, Lock, Remote, SyncManager } from 'multiprocess';
import * as mp from 'multiprocess';

export class Counter {
  count: number;

  constructor(first = 0) {
    if (first < 0) throw new RangeError('A counter begins at 0 or above.');
    this.count = first;
  }

  increment(by = 1): number {
    this.count += by;
    return this.count;
  }

  async later(ms: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.count;
  }

  *below(): Generator<number> {
    for (let i = 0; i < this.count; i++) yield i;
  }

  async *slowly(): AsyncGenerator<number> {
    for (let i = 0; i < this.count; i++) yield i;
  }

  *failing(): Generator<number> {
    yield 1;
    throw new Error('after the first');
  }

  left = 0;

  *watched(): Generator<number> {
    try {
      for (;;) yield this.left;
    } finally {
      this.left += 1;
    }
  }

  fail(): never {
    throw Object.assign(new TypeError('as told'), { details: { n: 1 } });
  }

  failOddly(): never {
    throw 'no error';
  }

  exit(): never {
    process.exit(3);
  }

  echo(value: unknown): unknown {
    return value;
  }

  other(first: number): Counter {
    return new Counter(first);
  }

  itself(): Counter {
    return this;
  }

  lock(): Lock {
    return mp.Lock();
  }

  set(event: Event): void {
    event.set();
  }

  put(queue: mp.Queue<number>, item: number): void {
    queue.tryPut(item);
  }

  async holdFor(lock: Lock, ms: number): Promise<void> {
    await lock.run(() => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  unsharable(): unknown {
    return { inside: () => 1 };
  }

  get value(): number {
    return this.count;
  }

  _hidden(): string {
    return 'hidden';
  }
}

export class Failing {
  constructor() {
    throw new Error('never made');
  }
}

/** Has methods of such names itself. */
export class WithSync {
  read(): string {
    return 'read';
  }

  readSync(): string {
    return 'readSync';
  }
}

export class CounterManager extends mp.SyncManager.with({ Counter, Failing, WithSync }) {}

export function initialize(event: Event, mark: string): void {
  (globalThis as { mark?: string }).mark = mark;
  event.set();
}

export class Marked {
  mark(): string | undefined {
    return (globalThis as { mark?: string }).mark;
  }

  pid(): number {
    return process.pid;
  }

  /** A server that does nothing else until then. */
  block(ms: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }
}

export class MarkedManager extends mp.SyncManager.with({ Marked }) {}

export class PidManager extends mp.SyncManager.with({ Counter, Marked }) {}

export function neverReady(pid: mp.Synchronized<'i'>): Promise<never> {
  pid.value = process.pid;
  setInterval(() => {}, 1000);
  return new Promise(() => {});
}

export function failToInitialize(): never {
  throw new RangeError('cannot begin');
}

export async function useManager(
  manager: InstanceType<typeof CounterManager>,
  counter: Remote<Counter>,
): Promise<[number, number, Event, Remote<Counter>]> {
  const made = await manager.Counter(10);
  const event = manager.Event();
  return [await counter.increment(), made.incrementSync(), event, made];
}

export async function makeAndDie(manager: InstanceType<typeof CounterManager>): Promise<void> {
  const made = await Promise.all(Array.from({ length: 20 }, () => manager.Counter(1)));
  made[0]!.watched().next();
  const lock = manager.Lock();
  lock.acquireSync();
  process.kill(process.pid, 'SIGKILL');
}

export function openAndClose(handle: string): string {
  const manager = mp.open(handle) as SyncManager & BaseManager;
  manager.Lock().acquireSync();
  return manager.address;
}

export async function callHidden(handle: string): Promise<string> {
  const forged = mp.open(handle) as Record<string, () => Promise<unknown>>;
  const errors: unknown[] = [];
  for (const name of ['_hidden', 'constructor']) {
    await (forged[name] as () => Promise<unknown>).call(forged).catch((error: unknown) => errors.push(error));
  }
  return errors.join(', ');
}

export async function countTogether(manager: SyncManager, start: Event, names: number): Promise<void> {
  manager.Value('i', 0, { name: 'there' }).add(1);
  start.waitSync();
  for (let i = 0; i < names; i++) manager.Value('i', 0, { name: `counter ${i}` }).add(1);
}

export function fillBlocks(
  manager: mp.SharedMemoryManager,
  block: mp.SharedMemory,
  list: mp.ShareableList<unknown>,
): mp.SharedMemory {
  block.buf[0] = 7;
  list.set(0, 'x');
  const made = manager.SharedMemory(10);
  made.buf[1] = 9;
  return made;
}
