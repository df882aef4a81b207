import type { Synchronized } from 'multiprocess';
import type { BatonParts } from './baton.js';
import { countAlong } from './counting.js';

/** Steps the value under its lock until it is at the goal. @returns how many steps were this process's. */
export function countTo(goal: number, value: Synchronized<'i'>): number {
  for (let mine = 0; ; mine++) {
    value.acquireSync();
    const seen = value.value;
    if (seen < goal) value.value = seen + 1;
    value.release();
    if (seen >= goal) return mine;
  }
}

/** Adds 1 to the value until it is at the goal. @returns how many steps were this process's. */
export function addTo(goal: number, value: Synchronized<'i'>): number {
  let mine = 0;
  while (value.add(1) < goal) mine++;
  return mine;
}

export function countAlongUnderLock(parts: BatonParts, words: Int32Array, value: Synchronized<'i'>): void {
  countAlong(parts, words, (goal) => countTo(goal, value));
}

export function addAlong(parts: BatonParts, words: Int32Array, value: Synchronized<'i'>): void {
  countAlong(parts, words, (goal) => addTo(goal, value));
}
