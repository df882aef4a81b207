import type { Lock, RLock } from 'multiprocess';
import type { BatonParts } from './baton.js';
import { countAlong } from './counting.js';

/** Steps the counter under the lock until it is at the goal. @returns how many steps were this process's. */
export function countTo(goal: number, lock: Lock | RLock, counter: Int32Array): number {
  for (let mine = 0; ; mine++) {
    lock.acquireSync();
    const seen = counter[0]!;
    if (seen < goal) counter[0] = seen + 1;
    lock.release();
    if (seen >= goal) return mine;
  }
}

export function countAlongUnderLock(
  parts: BatonParts,
  words: Int32Array,
  lock: Lock | RLock,
  counter: Int32Array,
): void {
  countAlong(parts, words, (goal) => countTo(goal, lock, counter));
}
