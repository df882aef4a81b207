import { availableParallelism } from 'node:os';
import { IDENTITY_VARIABLE, type ProcessInfo } from './identity.js';

interface Started {
  readonly process: ProcessInfo;
  readonly parent: ProcessInfo;
}

function started(): Started | undefined {
  const text = process.env[IDENTITY_VARIABLE];
  if (text === undefined) return undefined;
  try {
    const info = JSON.parse(text) as Started;
    return info.process.pid === process.pid ? info : undefined;
  } catch {
    return undefined;
  }
}

/**
 * `false` in processes that {@link Process} has started, `true` in all others: in programs run by hand, in workers of
 * `cluster` and PM2, and in their worker threads. A module that is both the program and the home of a target keeps what
 * only the program should do under `if (isMainProcess)`.
 *
 * @example
 * ```ts
 * import { isMainProcess, Process } from 'multiprocess';
 *
 * export function double(n: number): number {
 *   return n * 2;
 * }
 *
 * if (isMainProcess) {
 *   const child = new Process({ target: double, args: [21] });
 *   child.start();
 *   console.log(await child.result()); // 42
 * }
 * ```
 */
export const isMainProcess: boolean = started() === undefined;

/** This process; called `MainProcess` unless {@link Process} started it. */
export function currentProcess(): ProcessInfo {
  return started()?.process ?? { pid: process.pid, name: 'MainProcess', daemon: false };
}

/** The process that started this one by {@link Process}, or `null`. */
export function parentProcess(): ProcessInfo | null {
  return started()?.parent ?? null;
}

/** How many processors this process may use. */
export function cpuCount(): number {
  return availableParallelism();
}
