import { treeHeap } from '../../src/heap/current-heap.js';
import { rootKind } from '../../src/heap/layout.js';
import { check, secondsSince, serve } from '../harness/serve.js';

// Makes a shared object, with the hold of who makes it, and lets go of it, which ends it.
const heap = treeHeap();

await serve((count) => {
  let made = heap.create(rootKind.lock);
  heap.release(made.address);
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    made = heap.create(rootKind.lock);
    heap.release(made.address);
  }
  const seconds = secondsSince(start);
  check(!heap.exists(made), 'the object is still there');
  return seconds;
});
