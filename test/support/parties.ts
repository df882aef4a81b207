// The same target in several processes, or in several worker threads of this one: each is an owner, a waiter, a member of
// its own.
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { fromMessage, Process, RawArray, toMessage } from 'multiprocess';
import type * as Targets from '../programs/synchronize-targets.js';
import { eventually } from './shm.js';

export const places = ['processes', 'threads'] as const;
export type Where = (typeof places)[number];
export const hows = ['async', 'sync'] as const;
export type How = (typeof hows)[number];

export interface Party<R> {
  /** What the target returned; rejects with what it threw. */
  readonly result: Promise<R>;
  /** Its end, whatever it was. */
  readonly ended: Promise<unknown>;
  /** SIGKILL, or `terminate()`; resolves when it is gone. */
  kill(): Promise<void>;
}

type Fn = (...args: never[]) => unknown;
type Named = { [K in keyof typeof Targets]: (typeof Targets)[K] extends Fn ? K : never }[keyof typeof Targets];
type ArgumentsOf<K extends Named> = Parameters<(typeof Targets)[K]>;
type ResultOf<K extends Named> = Awaited<ReturnType<(typeof Targets)[K]>>;

const targetsModule = new URL('../programs/synchronize-targets.js', import.meta.url);
const threadProgram = new URL('../programs/synchronize-thread.js', import.meta.url);

/** Starts one of the targets. */
export function start<K extends Named>(where: Where, target: K, ...args: ArgumentsOf<K>): Party<ResultOf<K>> {
  return where === 'processes' ? startProcess(target, args) : startThread(target, args);
}

/** Starts as many, each with what `args` says for its number. */
export function startAll<K extends Named>(
  where: Where,
  count: number,
  target: K,
  args: (number: number) => ArgumentsOf<K>,
): Party<ResultOf<K>>[] {
  return Array.from({ length: count }, (_, number) => start(where, target, ...args(number)));
}

export function results<R>(parties: readonly Party<R>[]): Promise<R[]> {
  return Promise.all(parties.map(({ result }) => result));
}

function startProcess<K extends Named>(target: K, args: ArgumentsOf<K>): Party<ResultOf<K>> {
  const child = new Process({ target: { module: targetsModule, export: target }, args });
  child.start();
  const result = child.result() as Promise<ResultOf<K>>;
  result.catch(() => {}); // of one that is killed, nobody asks
  const ended = child.join();
  return {
    result,
    ended,
    async kill() {
      child.kill();
      await ended;
    },
  };
}

function startThread<K extends Named>(target: K, args: ArgumentsOf<K>): Party<ResultOf<K>> {
  const worker = new Worker(threadProgram, { workerData: toMessage({ target, args }) });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const result = new Promise<ResultOf<K>>((resolve, reject) => {
    worker.once('message', (text: string) => resolve(fromMessage(text) as ResultOf<K>));
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('The thread has ended.')));
  });
  result.catch(() => {});
  return {
    result,
    ended,
    async kill() {
      await worker.terminate();
    },
  };
}

/** Where those who wait sign: each its process, its kernel thread, and when its wait was over. */
export function roll(count: number): Int32Array {
  return RawArray('i', 3 * count);
}

/** Milliseconds, the same in all processes, as they fit into an int32. */
export function clockOfRolls(): number {
  return Date.now() % 2 ** 30;
}

/** How long after `since` the last wait was over. */
export function lastEnd(signed: Int32Array, since: number): number {
  let last = 0;
  for (let at = 2; at < signed.length; at += 3) last = Math.max(last, signed[at]! - since);
  return last;
}

/**
 * Awaits that all have signed, and sleep: each signs where it is about to wait, with nothing between that would make it sleep.
 * Several looks, because one who sleeps for long wakes now and then.
 */
export async function allWait(signed: Int32Array): Promise<void> {
  let asleep = 0;
  await eventually(
    'all wait',
    () => {
      let all = true;
      for (let at = 0; at < signed.length; at += 3) {
        const [pid, thread] = [Atomics.load(signed, at), Atomics.load(signed, at + 1)];
        all &&= thread !== 0 && readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1').includes(') S ');
      }
      asleep = all ? asleep + 1 : 0;
      return asleep >= 3;
    },
    15_000,
  );
}
