import type { Lock, RLock } from 'multiprocess';
import { Baton, type BatonParts } from './baton.js';
import { bindToProcessor } from './processors.js';

/** Which element is what; each in a cache line of its own. */
export const counting = { counter: 0, goal: 16, ready: 32, go: 48, theirs: 64, length: 80 } as const;

/** Steps the counter under the lock until it is at the goal. @returns how many steps were this process's. */
export function countTo(goal: number, lock: Lock | RLock, words: Int32Array): number {
  for (let mine = 0; ; mine++) {
    lock.acquireSync();
    const seen = words[counting.counter]!;
    if (seen < goal) words[counting.counter] = seen + 1;
    lock.release();
    if (seen >= goal) return mine;
  }
}

/** Counts along, on its turns, until it is told a negative goal. */
export function countAlong(parts: BatonParts, lock: Lock | RLock, words: Int32Array): void {
  bindToProcessor('last');
  const baton = Baton.join(parts);
  for (;;) {
    baton.take();
    const goal = words[counting.goal]!;
    if (goal < 0) return;
    Atomics.store(words, counting.ready, 1);
    while (Atomics.load(words, counting.go) === 0);
    words[counting.theirs] = countTo(goal, lock, words);
    baton.pass();
  }
}
