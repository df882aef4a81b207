import { futexWait, futexWake } from '../os/index.js';
import { blockInstead, waitingIsTaken } from './doors.js';
import type { HeapMemory } from './memory.js';

// Sleeping on a word of a heap. Nothing is concluded from being woken, or from not being woken: whoever sleeps looks at the
// state again, and sleeps in slices, so a lost wake-up costs a slice and never hangs.

/** The longest one sleep takes while somebody owns what is waited for: after it the owner is asked whether it lives. */
export const OWNED_SLICE_MS = 50;
/** The longest any sleep takes. */
export const SLICE_MS = 250;

/** The monotonic clock, in ms; the same in all processes. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * Sleeps while the word equals `expected`, at most `sliceMs` and not beyond `deadline` (of `now()`; Infinity for none).
 *
 * @returns whether a signal cut the sleep short: a child of this process may have ended.
 */
export function sleepWhile(
  memory: HeapMemory,
  address: number,
  expected: number,
  sliceMs: number,
  deadline: number,
): boolean {
  if (blockInstead()) return false;
  const clock = process.hrtime.bigint();
  const left = deadline - Number(clock) / 1e6;
  if (left <= 0) return false;
  const until = clock + BigInt(Math.ceil(Math.min(sliceMs, left) * 1e6));
  return futexWait(memory.kernelAddress(address), expected, until) === 'interrupted';
}

const idle = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps on nothing, so that no wake-up meant for another is used up. */
export function nap(ms: number): void {
  if (!blockInstead()) Atomics.wait(idle, 0, 0, ms);
}

/** Wakes at most `count` of those that sleep on the word, in all processes. @returns how many there were. */
export function wake(memory: HeapMemory, address: number, count: number): number {
  return futexWake(memory.kernelAddress(address), count);
}

/**
 * Waits by looking, without a system call, until the word is not `value` any more or `rounds` are over. Waking a sleeper on
 * another processor takes about 40 µs on virtual machines, so some 20 µs of looking first are well spent.
 *
 * @returns how many rounds it took; `rounds` when in vain.
 */
export function spinWhile(words: Int32Array, index: number, value: number, rounds: number): number {
  // Plain loads: ten times as fast as atomic ones, and no engine keeps one in a register across a call to Atomics.
  for (let round = 0; round < rounds; round += 16) {
    for (let i = 0; i < 15; i++) if (words[index] !== value) return round;
    if (Atomics.load(words, index) !== value) return round;
  }
  return rounds;
}

let calibrated: number | undefined;
const BUDGET_MS = 0.02;
const PROBE_ROUNDS = 4096;

/** How many rounds of `spinWhile` take about 20 µs here; 0 where there is one processor only. */
export function spinBudget(): number {
  if (waitingIsTaken()) return 0;
  if (calibrated !== undefined) return calibrated;
  calibrated = calibrate();
  return calibrated;
}

function calibrate(): number {
  if (process.getBuiltinModule('node:os').availableParallelism() < 2) return 0;
  const words = new Int32Array(1);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 6; i++) {
    const start = performance.now();
    spinWhile(words, 0, 0, PROBE_ROUNDS);
    best = Math.min(best, performance.now() - start);
  }
  return Math.min(200_000, Math.max(256, Math.round((PROBE_ROUNDS * BUDGET_MS) / Math.max(best, 1e-4))));
}
