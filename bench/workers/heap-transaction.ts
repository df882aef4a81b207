import { register } from 'node:module';
import { check, secondsSince, serve } from '../harness/serve.js';

// A transaction that changes ten words of an object, with the object's lock and sequence; the argument says whether the
// heap has the tests' step hook, as it always has, or is loaded without it.
if (process.argv[2] === 'without-hook') register('../targets/without-step-hook.js', import.meta.url);

const WORDS = 10;
const { allocate } = await import('../../src/heap/allocator.js');
const { treeHeap } = await import('../../src/heap/current-heap.js');
const { root, rootKind } = await import('../../src/heap/layout.js');

const heap = treeHeap();
const { address } = heap.create(rootKind.cell);
const contents = heap.transaction.run((tx) => {
  tx.lockObject(address);
  const block = allocate(tx, WORDS);
  tx.write(address + root.a, block);
  return block;
});
let value = 0;

await serve((count) => {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    heap.transaction.run((tx) => {
      value = (value + 1) | 0;
      tx.lockObject(address);
      for (let word = 0; word < WORDS; word++) tx.write(contents + word, value);
    });
  }
  const seconds = secondsSince(start);
  for (let word = 0; word < WORDS; word++) check(heap.memory.load(contents + word) === value, 'a word was not written');
  return seconds;
});

heap.release(address);
