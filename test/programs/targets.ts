// Functions that tests run in processes of their own.
import { readdirSync, readlinkSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  activeChildren,
  currentProcess,
  isMainProcess,
  Process,
  parentProcess,
  ShareableList,
  SharedMemory,
} from 'multiprocess';

/** Word 0 is the counter; word 16, on a line of its own, counts those who are ready. */
export function addMany(words: Int32Array, times: number): string {
  Atomics.add(words, 16, 1);
  while (Atomics.load(words, 16) < 2) {
    // the other one starts; nothing to wait on yet that would not be what is tested
  }
  for (let i = 0; i < times; i++) Atomics.add(words, 0, 1);
  return 'together';
}

export function nothing(): void {}

export function add(a: number, b: number): number {
  return a + b;
}

export async function addLater(a: number, b: number): Promise<number> {
  await delay(1);
  return a + b;
}

export function echo<T>(value: T): T {
  return value;
}

export function who(): object {
  return { current: currentProcess(), parent: parentProcess(), isMainProcess, pid: process.pid, ppid: process.ppid };
}

export function environment(name: string): string | undefined {
  return process.env[name];
}

export function execArguments(): string[] {
  return process.execArgv;
}

export function throwRangeError(message: string): never {
  throw Object.assign(new RangeError(message, { cause: new TypeError('the reason') }), {
    code: 'ERR_TEST',
    detail: [1],
  });
}

export async function rejectLater(): Promise<never> {
  await delay(1);
  throw new Error('later');
}

export function throwValue(value: unknown): never {
  throw value;
}

export function throwUnsendable(): never {
  throw Object.assign(new Error('has a socket'), { socket: () => {} });
}

export function returnFunction(): unknown {
  return { nested: [() => 1] };
}

export function exit(code: number): void {
  process.exit(code);
}

export function setExitCode(code: number): string {
  process.exitCode = code;
  return 'returned';
}

export function dieBySignal(signal: NodeJS.Signals): Promise<never> {
  process.kill(process.pid, signal);
  return new Promise(() => setInterval(() => {}, 1000));
}

export function throwFromTimer(): Promise<never> {
  setTimeout(() => {
    throw new SyntaxError('from a timer');
  }, 1);
  return new Promise(() => {});
}

export function neverSettles(): Promise<never> {
  return new Promise(() => {});
}

export function runForever(ready?: Int32Array): Promise<never> {
  if (ready) Atomics.store(ready, 0, process.pid);
  return new Promise(() => setInterval(() => {}, 1000));
}

export function spinForever(ready: Int32Array): void {
  Atomics.store(ready, 0, process.pid);
  for (;;) Atomics.load(ready, 1);
}

export function catchTerm(ready: Int32Array): Promise<string> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {}, 1000);
    process.on('SIGTERM', () => {
      clearInterval(timer);
      resolve('tidied up');
    });
    Atomics.store(ready, 0, process.pid);
  });
}

export function finishTimers(words: Int32Array): string {
  setTimeout(() => Atomics.store(words, 0, 1), 20);
  return 'returned before the timer';
}

export function store(words: Int32Array, index: number, value: number): void {
  Atomics.store(words, index, value);
}

export function storeLength(words: Int32Array, text: string): void {
  Atomics.store(words, 0, text.length);
}

export function fillView(view: Uint8Array, value: number): number {
  view.fill(value);
  return view.length;
}

export function fillByName(name: string, value: number): void {
  const block = SharedMemory.attach(name);
  block.buf.fill(value);
  block.close();
}

export function addToList(list: ShareableList<number>, by: number): void {
  for (let i = 0; i < list.length; i++) list.set(i, list.get(i) + by);
}

export function sharedDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith('/dev/shm/mp') ? [target] : [];
    } catch {
      return [];
    }
  });
}

export function makeBlock(size: number, value: number): SharedMemory {
  const block = SharedMemory.create(size);
  block.buf.fill(value);
  return block;
}

export function makeBlockAndDie(words: Int32Array, forgotten: boolean): never {
  const block = SharedMemory.create(4096);
  block.buf.fill(1);
  if (!forgotten) block.unlink();
  Atomics.store(words, 0, 1);
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.load(words, 0);
}

/** A child that starts a child of its own. */
export async function grandchild(): Promise<unknown> {
  const child = new Process({ target: who });
  child.start();
  const active = activeChildren().length;
  return { mine: currentProcess(), active, theirs: await child.result() };
}

/** Attaches, writes for as long as it lives; the test kills it. */
export function writeUntilKilled(name: string, view: Int32Array, slot: number): void {
  const block = SharedMemory.attach(name);
  const own = SharedMemory.create(1000);
  const list = new ShareableList([1, 'two', 3]);
  for (let i = 0; ; i++) {
    block.view(Int32Array)[slot] = i;
    Atomics.store(view, slot, i);
    own.buf[i % 1000] = i;
    list.set(0, i);
    if (i % 50 === 0) {
      const more = SharedMemory.create(64);
      more.buf[0] = 1;
      more.close();
      more.unlink();
    }
  }
}

export function damageRecord(): never {
  writeSync(4, Buffer.alloc(64, 0xff), 0, 64, 0);
  process.exit(0);
}

export function throwWithClosedBlock(): never {
  using block = SharedMemory.create(8);
  const error = Object.assign(new Error('the real reason'), { block });
  Object.defineProperty(error, 'hostile', {
    enumerable: true,
    get() {
      throw new Error('from a getter');
    },
  });
  throw error;
}

export function returnThenThrow(): string {
  setTimeout(() => {
    throw new Error('too late');
  }, 20);
  return 'returned';
}

export function throwFunction(): never {
  throw function thrown() {};
}
