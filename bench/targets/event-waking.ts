import type { Event } from 'multiprocess';
import { keepFor } from './lock-passing.js';
import { bindToProcessor } from './processors.js';

/** Waits for the event, and clears it for the next time. */
export function take(event: Event): void {
  event.waitSync();
  event.clear();
}

/** The second process: answers each of their events by ours, some time later, and tells when, until it is told to end. */
export function answerLater(
  theirs: Event,
  ours: Event,
  ended: Int32Array,
  passed: BigInt64Array,
  nanoseconds: bigint,
): void {
  bindToProcessor('last');
  for (;;) {
    take(theirs);
    if (Atomics.load(ended, 0) === 1) return;
    passed[0] = keepFor(nanoseconds);
    ours.set();
  }
}
