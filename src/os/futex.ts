import { aboutToBlock } from './before-blocking.js';
import { libc } from './libc.js';
import { errno, systemError } from './system-error.js';

const FUTEX_WAKE = 1;
const FUTEX_WAIT_BITSET = 9;
const MATCH_ANY = 0xffff_ffff;
const FUTEX_32 = 2;
const CLOCK_MONOTONIC = 1;
const WAITER_BYTES = 24;

/** The most words one `futexWaitAny` can watch. */
export const MAX_WAIT_WORDS = 128;

/**
 * Why a wait ended. `woken` may be spurious, and `changed` says that the word no longer had the expected value: after
 * either, look at the state again. `interrupted`: a signal came.
 */
export type WaitOutcome = 'woken' | 'changed' | 'timeout' | 'interrupted';

/**
 * Puts this thread to sleep while the 32-bit word at `address` equals `expected`.
 *
 * @param deadline absolute, in nanoseconds of `process.hrtime.bigint()` (the monotonic clock).
 */
export function futexWait(address: bigint, expected: number, deadline: bigint | undefined): WaitOutcome {
  aboutToBlock();
  const c = libc();
  const time = deadline === undefined ? null : timespec(deadline);
  if (c.futex(c.numbers.futex, address, FUTEX_WAIT_BITSET, expected >>> 0, time, null, MATCH_ANY) === 0) return 'woken';
  return outcome(c.errno(), 'futex');
}

/** Wakes at most `count` threads, of any process, that sleep on the word. Returns how many there were. */
export function futexWake(address: bigint, count: number): number {
  const c = libc();
  const woken = c.futex(c.numbers.futex, address, FUTEX_WAKE, count, null, null, 0);
  if (woken < 0) throw systemError(c.errno(), 'futex');
  return woken;
}

export interface WaitWord {
  readonly address: bigint;
  readonly expected: number;
}

/**
 * Sleeps while all of up to 128 words have their expected values. Only one woken word is known of; others may have been
 * woken too, so look at all of them again.
 *
 * @returns `unavailable` before Linux 5.16 and where seccomp forbids the call.
 */
export function futexWaitAny(words: readonly WaitWord[], deadline: bigint | undefined): WaitOutcome | 'unavailable' {
  const c = libc();
  if (words.length === 0 || words.length > MAX_WAIT_WORDS) {
    throw new RangeError(`futexWaitAny takes 1 to ${MAX_WAIT_WORDS} words; got ${words.length}.`);
  }
  const waiters = Buffer.alloc(words.length * WAITER_BYTES);
  words.forEach(({ address, expected }, i) => {
    waiters.writeBigUInt64LE(BigInt(expected >>> 0), i * WAITER_BYTES);
    waiters.writeBigUInt64LE(address, i * WAITER_BYTES + 8);
    waiters.writeUInt32LE(FUTEX_32, i * WAITER_BYTES + 16);
  });
  const time = deadline === undefined ? null : timespec(deadline);
  if (c.futexWaitv(c.numbers.futexWaitv, waiters, words.length, 0, time, CLOCK_MONOTONIC) >= 0) return 'woken';
  const failure = c.errno();
  return failure === errno.ENOSYS || failure === 1 ? 'unavailable' : outcome(failure, 'futex_waitv');
}

function outcome(failure: number, syscall: string): WaitOutcome {
  if (failure === errno.EAGAIN) return 'changed';
  if (failure === errno.ETIMEDOUT) return 'timeout';
  if (failure === errno.EINTR) return 'interrupted';
  throw systemError(failure, syscall);
}

function timespec(deadline: bigint): Uint8Array {
  const time = Buffer.allocUnsafe(16);
  const instant = deadline < 0n ? 0n : deadline;
  time.writeBigInt64LE(instant / 1_000_000_000n, 0);
  time.writeBigInt64LE(instant % 1_000_000_000n, 8);
  return time;
}
