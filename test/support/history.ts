// What a process has done, written down in shared memory before and after each operation: when the process is killed, its
// history is still there, and its last operation is one that never returned.
import type { Call } from './linearizability.js';

const WORDS = 6;
const word = { start: 0, end: 1, operation: 2, key: 3, argument: 4, result: 5 } as const;

/** How many doubles a history of so many operations takes. */
export function historySize(operations: number): number {
  return 1 + operations * WORDS;
}

/** The clock of the machine, the same in all processes, in ms. */
const clock = () => Number(process.hrtime.bigint()) / 1e6;

export class History {
  readonly #log: Float64Array;

  /** @param log shared memory of `historySize(…)` doubles: the number of operations, and for each its numbers. */
  constructor(log: Float64Array) {
    this.#log = log;
  }

  get isFull(): boolean {
    return historySize(this.#log[0]! + 1) > this.#log.length;
  }

  /** Does an operation and writes it down. */
  record(operation: number, key: number, argument: number, act: () => number): number {
    const at = this.#begin(operation, key, argument);
    const result = act();
    this.#log[at + word.result] = result;
    this.#log[at + word.end] = clock();
    return result;
  }

  /** The same, for one that takes a while. */
  async recordAsync(operation: number, key: number, argument: number, act: () => Promise<number>): Promise<number> {
    const at = this.#begin(operation, key, argument);
    const result = await act();
    this.#log[at + word.result] = result;
    this.#log[at + word.end] = clock();
    return result;
  }

  #begin(operation: number, key: number, argument: number): number {
    const log = this.#log;
    const at = historySize(log[0]!);
    log[at + word.operation] = operation;
    log[at + word.key] = key;
    log[at + word.argument] = argument;
    log[at + word.end] = 0;
    log[at + word.start] = clock();
    log[0]! += 1; // from here on it counts: what it does comes after
    return at;
  }

  /** What has been written down, by whichever process. */
  static read(log: Float64Array, process: number): Call[] {
    return Array.from({ length: log[0]! }, (_, i) => {
      const [start, end, operation, key, argument, result] = log.subarray(
        historySize(i),
        historySize(i + 1),
      ) as unknown as [number, number, number, number, number, number];
      const returned = end !== 0;
      return {
        process,
        start,
        end: returned ? end : Number.POSITIVE_INFINITY,
        operation,
        key,
        argument,
        result: returned ? result : Number.NaN,
      };
    });
  }
}
