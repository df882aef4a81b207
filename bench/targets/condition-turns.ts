import type { Condition } from 'multiprocess';
import { Baton, type BatonParts } from './baton.js';
import { bindToProcessor } from './processors.js';

export const OURS = 0;
export const THEIRS = 1;

/** Waits, with the lock, until it is the turn of `mine`. */
export function take(mine: number, condition: Condition, turn: Int32Array): void {
  while (turn[0] !== mine) condition.waitSync();
}

export function give(other: number, condition: Condition, turn: Int32Array): void {
  turn[0] = other;
  condition.notify();
}

/** The second process: on each turn of the baton gives so many turns back as it is told, until that is none. */
export function giveBack(parts: BatonParts, goal: Int32Array, condition: Condition, turn: Int32Array): void {
  bindToProcessor('last');
  const baton = Baton.join(parts);
  for (;;) {
    baton.take();
    const count = goal[0]!;
    if (count === 0) return;
    for (let i = 0; i < count; i++) {
      condition.acquireSync();
      take(THEIRS, condition, turn);
      give(OURS, condition, turn);
      condition.release();
    }
    baton.pass();
  }
}
