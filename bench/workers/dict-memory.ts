import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { serve } from '../harness/serve.js';

// node dict-memory.js dict|map number|object: answers with bytes for each entry.
const [where, value] = process.argv.slice(2);
const ENTRIES = 100_000;
const make = (i: number) => (value === 'object' ? { id: i, name: 'a name' } : i);

const { SharedDict } = await import('../../src/collections/index.js');
const { treeHeap } = await import('../../src/heap/current-heap.js');
const { EXTENT_ENTRY_WORDS, EXTENT_TABLE, extentEntry, PAGE_WORDS } = await import('../../src/heap/layout.js');

/** Of the heap's pages that are not free. */
function usedBytes(): number {
  const { memory } = treeHeap();
  let pages = 0;
  for (let extent = 1; extent < memory.extentCount; extent++) {
    const at = EXTENT_TABLE + extent * EXTENT_ENTRY_WORDS;
    pages += memory.load(at + extentEntry.pages) - memory.load(at + extentEntry.freePages);
  }
  return pages * PAGE_WORDS * 4;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const kept: unknown[] = [];
await serve((count) => {
  if (where === 'map') {
    const before = heapUsed();
    const map = new Map<number, unknown>();
    for (let i = 0; i < ENTRIES; i++) map.set(i, make(i));
    kept.push(map);
    return ((heapUsed() - before) / ENTRIES) * count;
  }
  const before = usedBytes();
  const dict = SharedDict<number, unknown>();
  for (let i = 0; i < ENTRIES; i++) dict.set(i, make(i));
  kept.push(dict);
  return ((usedBytes() - before) / ENTRIES) * count;
});
