// What pools in a manager's server call in their workers, and who uses them.
import { readFileSync } from 'node:fs';
import { type DictProxy, type Event, type Pool, RawArray, registerType, SharedDict } from 'multiprocess';
import { square } from './pool-targets.js';

/** Unknown to the server, which does not import this module. */
export class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}
registerType(Point, { encode: ({ x, y }) => [x, y], decode: ([x, y]) => new Point(x, y) });

export function mirror({ x, y }: Point): Point {
  return new Point(y, x);
}

interface Places {
  numbers: Float64Array;
  dict: DictProxy<string, number>;
  at: number;
}

export function fill({ numbers, dict, at }: Places): void {
  numbers[at] = at;
  dict.set(String(at), at);
}

export function makeShared(n: number): { numbers: Float64Array; dict: DictProxy<string, number> } {
  const numbers = RawArray('d', 1);
  numbers[0] = n;
  return { numbers, dict: SharedDict([['n', n]]) };
}

export function bytes(count: number): Uint8Array {
  return new Uint8Array(count);
}

export async function setAndStay(event: Event): Promise<void> {
  event.set();
  await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
}

/** In another client. */
export async function squares(pool: Pool, count: number): Promise<number[]> {
  return pool.map(
    square,
    Array.from({ length: count }, (_, i) => i),
  );
}

/** In another client, which does not end by itself. */
export async function begin(pool: Pool, begun: Event): Promise<void> {
  await Promise.all([
    pool.apply(setAndStay, [begun]),
    pool.map(
      square,
      Array.from({ length: 10_000 }, (_, i) => i),
      { chunksize: 1 },
    ),
  ]);
}

export function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
