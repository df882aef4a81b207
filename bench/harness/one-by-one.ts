import { secondsSince } from './serve.js';

/** Something that is done over and over: at once, or with an answer that is awaited before the next. */
export type Operation = (i: number) => unknown;

/** Seconds for so many, each after the one before. */
export async function oneByOne(operation: Operation, count: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i++) await operation(i);
  return secondsSince(start);
}

/** The same for what waits for nothing. */
export function allAtOnce(operation: Operation, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) operation(i);
  return secondsSince(start);
}

/** Seconds for so many, with up to `depth` under way at a time. */
export async function pipelined(operation: Operation, count: number, depth: number): Promise<number> {
  const start = performance.now();
  for (let done = 0; done < count; done += depth) {
    const part = Math.min(depth, count - done);
    await Promise.all(Array.from({ length: part }, (_, i) => operation(done + i)));
  }
  return secondsSince(start);
}
