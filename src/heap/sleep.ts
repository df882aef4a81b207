import { aboutToBlock, futexWait, futexWake } from '../os/index.js';
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
  if (blockInstead()) return;
  aboutToBlock();
  Atomics.wait(idle, 0, 0, ms);
}

/** Wakes at most `count` of those that sleep on the word, in all processes. @returns how many there were. */
export function wake(memory: HeapMemory, address: number, count: number): number {
  return futexWake(memory.kernelAddress(address), count);
}

/** How long looking comes before sleeping, in ms: half of the 40 µs that it takes on virtual machines to wake a sleeper. */
const SPIN_MS = 0.02;
const COLD_SPIN_MS = 0.005;
/** Long enough for somebody who sleeps to be woken, and to give something in turn. */
const PROBE_MS = 0.1;
const PROBE_EACH = 8;

/**
 * How long to look before sleeping, going by how often it was in vain. Two who wait for each other by turns, and both sleep,
 * would go on so for ever, since waking takes longer than either looks; so each looks for longer now and then.
 */
export class Patience {
  // Asked early: who binds itself to a processor later has the others still, for what it waits for.
  readonly #sensible = processors() > 1;
  readonly #spinMs: number;
  #inVain = 0;

  constructor(spinMs = SPIN_MS) {
    this.#spinMs = spinMs;
  }

  get ms(): number {
    if (!this.#sensible || waitingIsTaken()) return 0;
    if (this.#inVain % PROBE_EACH === PROBE_EACH - 1) return PROBE_MS;
    return this.#inVain < PROBE_EACH ? this.#spinMs : COLD_SPIN_MS;
  }

  /** Tells how looking has ended. */
  ended(wellSpent: boolean): void {
    this.#inVain = wellSpent ? 0 : this.#inVain + 1;
  }
}

// By the clock, not in rounds: a loop is ten times as fast once it has been compiled. It should have a limit all the same,
// because there are tests that replace the clock by one that stands still.
const clock = performance.now.bind(performance);
const MOST_LOOKS = 4096;
let counted: number | undefined;

function processors(): number {
  counted ??= process.getBuiltinModule('node:os').availableParallelism();
  return counted;
}

/**
 * Waits by looking, without a system call, until the word is not `value` any more or the time is over.
 *
 * @returns whether the word has changed.
 */
export function spinWhile(words: Int32Array, index: number, value: number, ms = SPIN_MS): boolean {
  if (waitingIsTaken() || processors() < 2) return false;
  const end = clock() + ms;
  for (let look = 0; look < MOST_LOOKS; look++) {
    // Plain loads: ten times as fast as atomic ones, and no engine keeps one in a register across a call to Atomics.
    for (let i = 0; i < 32; i++) if (words[index] !== value) return true;
    if (Atomics.load(words, index) !== value) return true;
    if (clock() >= end) break;
  }
  return false;
}

/** Lets time pass, without a system call and without touching what others use. */
export function linger(ms: number): void {
  const end = clock() + ms;
  for (let look = 0; look < MOST_LOOKS && clock() < end; look++);
}
