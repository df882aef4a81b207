import { SharedMemory } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

// The least that a lock takes: from free to taken and back.
const block = SharedMemory.create(4096);
const words = block.view(Int32Array);

await serve((count) => {
  let missed = 0;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    if (Atomics.compareExchange(words, 0, 0, 1) !== 0) missed++;
    if (Atomics.compareExchange(words, 0, 1, 0) !== 1) missed++;
  }
  const seconds = secondsSince(start);
  check(missed === 0, 'somebody else wrote');
  return seconds;
});

block.close();
block.unlink();
