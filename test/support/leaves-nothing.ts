import assert from 'node:assert/strict';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { collectGarbage } from './gc.js';
import { eventually } from './shm.js';

/** Asserts that the heap of this process's tree, which exists already, is the same after the work as before, and sound. */
export async function leavesNothing(work: () => Promise<void>): Promise<void> {
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  try {
    await collectGarbage();
    const before = checkHeap(heap);
    assert.deepEqual(before.problems, []);
    await work();
    await eventually('all is as before', async () => {
      await collectGarbage();
      heap.lookAround(512);
      const after = checkHeap(heap);
      assert.deepEqual(after.problems, []);
      return after.roots <= before.roots && after.holds <= before.holds && after.blocks <= before.blocks;
    });
  } finally {
    heap.leave();
  }
}
