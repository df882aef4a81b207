import { allocate } from '../../src/heap/allocator.js';
import { treeHeap } from '../../src/heap/current-heap.js';
import { WORD_BYTES } from '../../src/heap/layout.js';
import { check, secondsSince, serve } from '../harness/serve.js';

// Takes a block of 64 bytes and gives it back, each in a transaction of its own.
const WORDS = 64 / WORD_BYTES;

const heap = treeHeap();

await serve((count) => {
  let block = 0;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    block = heap.transaction.run((tx) => allocate(tx, WORDS));
    heap.transaction.run((tx) => tx.free(block));
  }
  const seconds = secondsSince(start);
  check(block > 0, 'no block');
  return seconds;
});
