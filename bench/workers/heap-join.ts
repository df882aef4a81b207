import { setImmediate } from 'node:timers/promises';
import { treeHeap } from '../../src/heap/current-heap.js';
import { Heap } from '../../src/heap/heap.js';
import { check, secondsSince, serve } from '../harness/serve.js';

// Memory is unmapped when its buffer has been collected and the event loop turns. Without turns that would not happen
// within the time that is measured.
const OPERATIONS_PER_TURN = 64;

const { id, nonce } = treeHeap();

await serve(async (count) => {
  let wrong = 0;
  const start = performance.now();
  for (let i = 1; i <= count; i++) {
    const heap = Heap.join(id, false);
    if (heap?.nonce !== nonce) wrong += 1;
    heap?.leave();
    if (i % OPERATIONS_PER_TURN === 0) await setImmediate();
  }
  const seconds = secondsSince(start);
  check(wrong === 0, 'another heap was joined');
  return seconds;
});
