// What workers at a server of Redis are asked to do.
import { setTimeout as delay } from 'node:timers/promises';
import { type RemoteDict, type RemoteLock, registerType } from 'multiprocess';

export class Point {
  readonly x: number;

  constructor(x: number) {
    this.x = x;
  }
}
registerType(Point, { encode: ({ x }) => x, decode: (x: number) => new Point(x) });

export function square(n: number): number {
  return n * n;
}

export async function later<T>(value: T, ms: number): Promise<T> {
  await delay(ms);
  return value;
}

export function moved(point: Point, by: number): Point {
  return new Point(point.x + by);
}

export function refuse(what: string): never {
  throw new RangeError(`not ${what}`, { cause: what });
}

export function refuseOdd(n: number): number {
  if (n % 2 === 1) throw new Error(`odd: ${n}`);
  return n;
}

export function unsendable(): unknown {
  return () => 1;
}

export function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

/** Dies the first time. */
export async function dieOnce(times: RemoteDict<string, number>): Promise<number> {
  const count = await times.increment('tries');
  if (count === 1) die();
  return count;
}

export async function countUnder(lock: RemoteLock, dict: RemoteDict<string, number>): Promise<void> {
  await lock.run(async () => {
    await dict.set('n', (await dict.get('n', 0)) + 1);
  });
}

/** Notes that it has begun, and where it runs; and goes on for long. */
export async function longTask(noted: RemoteDict<string, number>, ms: number): Promise<string> {
  await noted.increment('begun');
  await noted.set('pid', process.pid);
  await noted.set('parent', process.ppid);
  await delay(ms);
  await noted.increment('done');
  return 'done';
}
