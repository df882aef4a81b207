import type { Barrier } from 'multiprocess';
import { Baton, type BatonParts } from './baton.js';
import { bindToProcessor } from './processors.js';

export function meet(count: number, barrier: Barrier): void {
  for (let i = 0; i < count; i++) barrier.waitSync();
}

/** The second process: on each turn of the baton comes to the barrier as often as it is told, until that is never. */
export function meetAlong(parts: BatonParts, goal: Int32Array, barrier: Barrier): void {
  bindToProcessor('last');
  const baton = Baton.join(parts);
  for (;;) {
    baton.take();
    if (goal[0] === 0) return;
    meet(goal[0]!, barrier);
    baton.pass();
  }
}
