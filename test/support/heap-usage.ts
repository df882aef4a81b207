import assert from 'node:assert/strict';
import { checkHeap } from '../../src/heap/fsck.js';
import type { Heap } from '../../src/heap/heap.js';
import { rootKind } from '../../src/heap/layout.js';

/** What there is of a heap's contents, which must be whole. */
export function usage(heap: Heap): { roots: number; holds: number; blocks: number } {
  const { problems, roots, holds, blocks } = checkHeap(heap);
  assert.deepEqual(problems, []);
  return { roots, holds, blocks };
}

/** Memory for all that the processes will have at a time: a thread that had to map more could not be terminated. */
export function makeRoom(heap: Heap): void {
  const made = [];
  for (let i = 0; i < 1000; i++) made.push(heap.createRaw(30_000).address);
  for (let i = 0; i < 10_000; i++) made.push(heap.create(rootKind.lock).address);
  for (const address of made) heap.release(address);
}
