// Compiled with the tests, never run: what must compile, and, marked, what must not.
import * as mp from 'multiprocess';
import { handleOf, isMainProcess, open, Process, type ShareableItem, ShareableList, SharedMemory } from 'multiprocess';
import type { Process as FromSubpath } from 'multiprocess/process';
import { SharedMemory as SameSharedMemory } from 'multiprocess/shared-memory';

export function worker(numbers: Float64Array, list: ShareableList<number>, id: number): number {
  numbers[0] = id;
  list.set(0, id);
  return id;
}

export async function processes(): Promise<void> {
  const block = SharedMemory.create(8);
  const child = new Process({ target: worker, args: [block.view(Float64Array), new ShareableList([1]), 1] });
  child.start();
  const joined: boolean = await child.join({ timeout: 100, signal: AbortSignal.timeout(5) });
  const result: number = await child.result();
  // @ts-expect-error the target needs arguments
  new Process({ target: worker });
  // @ts-expect-error of other types
  new Process({ target: worker, args: [1, 2, 3] });
  new Process({ target: () => 1 });
  new Process({ target: { module: new URL('./x.js', import.meta.url), export: 'x' }, args: [1] });
  const later = new Process({ target: async (text: string) => text.length, args: ['x'] });
  const length: number = await later.result();
  const untyped: Process[] = mp.activeChildren();
  const code: number | null = child.exitCode;
  const signal: NodeJS.Signals | null = child.signalCode;
  const same: FromSubpath<[Float64Array, ShareableList<number>, number], number> = child;
  const info: mp.ProcessInfo | null = mp.parentProcess();
  // @ts-expect-error read-only
  child.name = 'other';
  void [joined, result, length, untyped, code, signal, same, info, isMainProcess, mp.cpuCount()];
}

export function memory(): void {
  const back: Int32Array = open(handleOf(SharedMemory.create(8).view(Int32Array)));
  const block: SharedMemory = open(SharedMemory.create(8).handle);
  const known: SharedMemory = open(process.env['X']!, SharedMemory);
  const unknown: unknown = open('text');
  const bytes: Uint8Array<ArrayBuffer> = block.buf;
  const view: DataView = block.view(DataView, 0, 8);
  new SharedMemory({ create: true, size: 8 });
  new SharedMemory({ name: 'x' });
  new SharedMemory({ name: 'x', create: false, size: 1 });
  // @ts-expect-error a new block needs a size
  new SharedMemory({ create: true });
  // @ts-expect-error neither created nor named
  new SharedMemory({});
  // @ts-expect-error the library's own way in
  new SharedMemory({ create: false, name: '', block: 1, size: '' });
  const list = new ShareableList([1, 2, 3]);
  list.set(0, 31);
  const first: number = list.get(0);
  const maybe: number | undefined = list.at(9);
  // @ts-expect-error a list of numbers
  list.set(0, 'text');
  const mixed = new ShareableList<ShareableItem>([1, 'a', null, true, new Uint8Array(1), 5n]);
  const item: ShareableItem = mixed.get(0);
  const attached = new ShareableList<string>(null, { name: 'x', int64: 'bigint' });
  const texts: string[] = attached.copy();
  // @ts-expect-error not shareable
  new ShareableList([{}]);
  const identical: typeof SharedMemory = SameSharedMemory;
  void [back, known, unknown, bytes, view, first, maybe, item, texts, identical];
}

export function codec(): void {
  class Point {
    constructor(readonly x: number) {}
  }
  mp.registerType(Point, { encode: (point) => point.x, decode: (x: number) => new Point(x) });
  const text: string = mp.toMessage({ any: 'thing' });
  const value: unknown = mp.fromMessage(text);
  const handle: mp.Handle<Float64Array> = handleOf(new Float64Array(1));
  const error: mp.MultiprocessError = new mp.ProcessDiedError('gone', { exitCode: -9, signalCode: 'SIGKILL' });
  // @ts-expect-error a handle of another type
  const wrong: Int8Array = open(handle);
  void [value, error, wrong];
}

export async function synchronization(): Promise<void> {
  const { Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event, Barrier } = mp;
  const semaphore: mp.Semaphore = open(Semaphore(2).handle, Semaphore);
  const bounded: mp.BoundedSemaphore = open(handleOf(new BoundedSemaphore()), BoundedSemaphore);
  const condition: mp.Condition = open(Condition(new Lock()).handle, Condition);
  const event: mp.Event = open(process.env['X']!, Event);
  const barrier: mp.Barrier = open(Barrier(2, { action: () => {}, timeout: 5 }).handle);
  const { signal } = new AbortController();
  const taken: true = await semaphore.acquire();
  const inTime: boolean = await bounded.acquire({ timeout: 5, signal });
  const takenNow: true = condition.acquireSync();
  const perhaps: boolean[] = [
    condition.waitSync({ timeout: 5 }),
    event.waitSync({ timeout: 5 }),
    semaphore.tryAcquire(),
  ];
  const notified: true[] = [await condition.wait(), condition.waitSync(), await event.wait(), event.waitSync()];
  const holds: boolean = await condition.waitFor(() => event.isSet(), { timeout: 5, signal });
  const index: number = (await barrier.wait({ timeout: 5, signal })) + barrier.waitSync() + barrier.nWaiting;
  const value: number = await semaphore.run(async () => semaphore.value);
  const text: string = bounded.runSync(() => 'x', { timeout: 5 });
  semaphore.release(2);
  bounded.release();
  condition.notify(3);
  new Condition(new RLock());
  class Own extends Semaphore {
    twice() {
      this.release(2);
    }
  }
  new Own(1).twice();
  new Process({ target: (given: mp.Event) => given.set(), args: [event] });
  // @ts-expect-error a barrier needs parties
  new Barrier();
  // @ts-expect-error of a number
  Barrier('2');
  // @ts-expect-error what a condition uses is a Lock or an RLock
  new Condition(semaphore);
  // @ts-expect-error blocking calls take no signal
  event.waitSync({ signal });
  // @ts-expect-error with a timeout it may be false
  const certain: true = event.waitSync({ timeout: 5 });
  // @ts-expect-error the predicate is synchronous
  condition.waitFor(async () => true);
  // @ts-expect-error and so is what runSync takes
  semaphore.runSync(async () => 1);
  // @ts-expect-error a semaphore says nothing of its owner
  void semaphore.ownerDied;
  // @ts-expect-error read-only
  semaphore.value = 5;
  // @ts-expect-error an event is not acquired
  event.acquire();
  // @ts-expect-error no lock is disposed of by `using`: that would be taken for holding it
  using held = semaphore;
  // @ts-expect-error the handle of another kind
  const other: mp.Event = open(semaphore.handle);
  void [taken, inTime, takenNow, perhaps, notified, holds, index, value, text, certain, held, other];
}

export async function pools(): Promise<void> {
  const pool = mp.Pool(2);
  const out: number[] = await pool.map((x: number) => x * 2, [1, 2]);
  const one: number = await pool.apply(() => 1);
  const length: number = await pool.apply(async (text: string) => text.length, ['x'], { retries: 1 });
  const rows: string[] = await pool.starmap((a: number, b: string) => a + b, [[1, 'a']]);
  for await (const result of pool.imap((x: number) => String(x), new Set([1]))) result satisfies string;
  // @ts-expect-error the function needs an argument
  await pool.apply((text: string) => text.length);
  // @ts-expect-error of another type
  await pool.map((x: number) => x, ['a']);
  const stats: mp.PoolStats = pool.stats();
  const options: mp.PoolOptions = { processes: 1, maxTasksPerChild: 3 };
  const died: number | undefined = new mp.WorkerDiedError('x', { task: 1 }).task;
  const managed: mp.Pool = await new mp.SyncManager().Pool(2);
  void [out, one, length, rows, stats, new mp.Pool(options), died, managed];
}
