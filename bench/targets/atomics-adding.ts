import { workerData } from 'node:worker_threads';
import { bindToProcessor } from './processors.js';

/** Which element is what; each in a cache line of its own. */
export const adding = { counter: 0, goal: 16, ready: 32, go: 48, theirs: 64, length: 80 } as const;

/** Adds 1 until the counter is at the goal. @returns how many steps were this thread's. */
export function addTo(goal: number, words: Int32Array): number {
  let mine = 0;
  while (Atomics.add(words, adding.counter, 1) < goal) mine++;
  return mine;
}

/** The second thread: adds along whenever there is a goal. */
function addAlong(words: Int32Array): never {
  bindToProcessor('last');
  for (;;) {
    Atomics.wait(words, adding.goal, 0);
    const goal = Atomics.load(words, adding.goal);
    Atomics.store(words, adding.ready, 1);
    while (Atomics.load(words, adding.go) === 0);
    words[adding.theirs] = addTo(goal, words);
    Atomics.store(words, adding.goal, 0);
  }
}

if (workerData instanceof Int32Array) addAlong(workerData);
