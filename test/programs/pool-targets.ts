// What pools call in their workers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type DictProxy, type Event, Pool, registerType, type SharedMemory } from 'multiprocess';

export function square(n: number): number {
  return n * n;
}

export function add(a: number, b = 0): number {
  return a + b;
}

export function countArguments(...args: unknown[]): number {
  return args.length;
}

export function pid(): number {
  return process.pid;
}

export async function squareAfter(n: number, ms: number): Promise<number> {
  await delay(ms);
  return n * n;
}

export async function sleep(ms: number): Promise<number> {
  await delay(ms);
  return ms;
}

export function spin(ms: number): number {
  const until = performance.now() + ms;
  while (performance.now() < until);
  return process.pid;
}

export class OwnError extends Error {
  constructor(
    message: string,
    readonly detail: number,
  ) {
    super(message);
    this.name = 'OwnError';
  }
}

export function throwIf(n: number): number {
  if (n === 3) throw new OwnError('three', 33);
  if (n < 0) throw new RangeError(`negative: ${n}`);
  return n;
}

export function parse(text: string): number {
  const n = Number(text);
  if (Number.isNaN(n)) throw new RangeError(`no number: ${text}`);
  return n;
}

export async function throwLargeAfter(ms: number): Promise<never> {
  await delay(ms);
  throw new Error('x'.repeat(1024 * 1024));
}

export function throwWhat(what: string): never {
  if (what === 'function') throw () => {};
  if (what === 'symbol') throw Symbol('thrown');
  if (what === 'undefined') throw undefined;
  throw Object.assign(new Error('with a socket'), { code: 'E', socket: { on() {} } });
}

export function returnWhat(what: unknown): unknown {
  if (what === 'function') return { onDone: () => {} };
  if (what === 'large') return new Uint8Array(200 * 1024 * 1024).fill(7);
  if (what === 'undecodable') return new OnlyThere();
  return what;
}

class OnlyThere {
  readonly there = true;
}

// Registered in workers alone, when this variable says so.
if (process.env['POOL_REGISTERS'] === 'yes' && process.env['MULTIPROCESS_PROCESS'] !== undefined) {
  registerType(OnlyThere, { encode: () => 1, decode: () => new OnlyThere() });
}

/** Dies at those numbers. */
export function dieAt(n: number): number {
  if (n === 13) process.kill(process.pid, 'SIGKILL');
  if (n === 14) process.exit(4);
  if (n === 15) process.abort();
  return n;
}

/** Dies the first time. */
export async function dieOnce(folder: string, n: number): Promise<number> {
  if (isFirst(`${folder}/${n}`)) process.kill(process.pid, 'SIGKILL');
  return n;
}

/** Dies of something that nobody awaits. */
export async function throwBehind(ms: number): Promise<void> {
  setTimeout(() => {
    throw new OwnError('behind', 1);
  });
  await delay(ms);
}

export async function dieAfter(ms: number): Promise<void> {
  await delay(ms);
  process.kill(process.pid, 'SIGKILL');
}

export function runOutOfMemory(): number {
  const kept: unknown[] = [];
  for (;;) kept.push(new Array(1000).fill({}));
}

export function waitFor(event: Event): Promise<boolean> {
  return event.wait();
}

/** Notes that it was called for `n`, and how often. */
export function note(folder: string, n: number): number {
  for (let i = 0; ; i++) if (isFirst(`${folder}/${n}-${i}`)) return i;
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

let initialized: unknown[] = [];

export function initialize(...args: unknown[]): void {
  initialized = args;
}

export function whatInitialized(): unknown[] {
  return initialized;
}

export function failToInitialize(): void {
  throw new OwnError('not today', 5);
}

export function countUp(namespace: { test: number }): void {
  namespace.test += 1;
}

export function dieInitializing(): void {
  process.exit(3);
}

export function writeAtExit(file: string): void {
  process.on('exit', () => writeFileSync(file, 'left'));
}

export async function leaveRunning(): Promise<string> {
  setInterval(() => {}, 1000);
  return 'left';
}

export async function nested(n: number): Promise<number[]> {
  const pool = new Pool(2);
  try {
    return await pool.map(square, [n, n + 1]);
  } finally {
    await pool.terminate();
  }
}

export function increment(counts: DictProxy<string, number>, key: string): number {
  return counts.increment(key);
}

export function fill(block: SharedMemory, at: number): number {
  block.buf[at] = at;
  return process.pid;
}

export function sum(bytes: Uint8Array): number {
  let total = 0;
  for (const byte of bytes) total += byte;
  return total;
}

export function double(numbers: Float64Array): Float64Array {
  numbers.forEach((n, i) => {
    numbers[i] = n * 2;
  });
  return numbers;
}
