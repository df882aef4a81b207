import assert from 'node:assert/strict';
import type { BaseManager } from 'multiprocess';
// For the check of the heap.
import '../../src/collections/index.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/index.js';
import { collectGarbage } from './gc.js';
import { usage } from './heap-usage.js';
import { eventually } from './shm.js';

/** The name of the heap in which a manager makes its objects. */
export function heapOf(manager: BaseManager): string {
  return /^mp:\w+:[^:]*:([0-9a-f]{16}):/.exec(manager.handle)![1]!;
}

/** Asserts that a manager's heap, which others work on too, has no more in it after the work than before, and is sound. */
export async function leavesNothingIn(
  manager: BaseManager,
  work: (heap: Heap) => Promise<void>,
  withinMs = 10_000,
): Promise<void> {
  const heap = Heap.join(heapOf(manager), false)!;
  try {
    await collectGarbage();
    const before = usage(heap);
    await work(heap);
    let now = before;
    try {
      await eventually(
        'all is as before',
        async () => {
          await collectGarbage();
          heap.lookAround(512);
          now = usage(heap);
          return now.roots <= before.roots && now.holds <= before.holds && now.blocks <= before.blocks;
        },
        withinMs,
      );
    } catch (error) {
      assert.deepEqual(now, before);
      throw error;
    }
  } finally {
    heap.leave();
  }
}
