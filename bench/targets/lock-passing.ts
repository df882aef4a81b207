import { Baton, type BatonParts } from './baton.js';
import { bindToProcessor } from './processors.js';

/** Passes each turn on, as soon as it comes, until it is told to end. */
export function passOn(parts: BatonParts, ended: Int32Array): void {
  bindToProcessor('last');
  const baton = Baton.join(parts);
  for (;;) {
    baton.take();
    if (Atomics.load(ended, 0) === 1) return;
    baton.pass();
  }
}

/** Keeps each turn for so many nanoseconds, and tells when it passes it on, until it is told to end. */
export function keepAndPassOn(parts: BatonParts, ended: Int32Array, passed: BigInt64Array, nanoseconds: bigint): void {
  bindToProcessor('last');
  const baton = Baton.join(parts);
  for (;;) {
    baton.take();
    if (Atomics.load(ended, 0) === 1) return;
    passed[0] = keepFor(nanoseconds);
    baton.pass();
  }
}

/** Waits without sleeping. @returns the monotonic clock, which is the same in all processes. */
export function keepFor(nanoseconds: bigint): bigint {
  const end = process.hrtime.bigint() + nanoseconds;
  for (;;) {
    const clock = process.hrtime.bigint();
    if (clock >= end) return clock;
  }
}
