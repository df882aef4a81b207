import type { Heap } from '../../../src/heap/heap.js';

// A scene: what two or three threads do at the same time in one heap, and what must hold afterwards, whoever did which
// step first, and whoever died. Scenes stand in tables (`export const scenes`), so that a thread finds its part by name.

/** What a scene's threads work on, as numbers that can be told to another thread. */
export type Facts = Record<string, number>;

/** One thread's part. It runs in a participant of its own, which leaves the heap in the end, unless it has died. */
export interface Part {
  /** Done before the steps count, one thread after the other. What it returns is added to the facts of all. */
  readonly arm?: (heap: Heap, facts: Facts) => Facts | void;
  /** Interleaved with the other parts, step by step, and killed. What it returns is told to `verify`. */
  readonly act: (heap: Heap, facts: Facts) => number | void;
}

/** How a part has ended: killed, or with a result. */
export interface Ending {
  readonly died: boolean;
  readonly result: number | undefined;
}

export interface Scene {
  readonly name: string;
  /** Fewer steps than this in the longest part would mean that the hook has come off. */
  readonly atLeast: number;
  /** Whether to try each death, where others are content with some. */
  readonly everyDeath?: true;
  /** Whether the heap has no extent yet. */
  readonly inEmptyHeap?: true;
  /** By a participant that survives. */
  readonly prepare?: (survivor: Heap) => Facts;
  readonly threads: readonly Part[];
  /** By the survivor, when the dead have been reaped and before the others leave. After it, all leave and nothing is left. */
  readonly verify?: (survivor: Heap, facts: Facts, endings: readonly Ending[]) => void;
}
