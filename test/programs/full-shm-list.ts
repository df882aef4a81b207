// Run with a /dev/shm of 16 MiB: whatever a list does when there is no room is ENOSPC, changes nothing, and succeeds later.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import '../../src/collections/index.js';
import { fillList, makeList } from '../../src/collections/list-aside.js';
import { everything } from '../../src/collections/list-snapshot.js';
import { HeapListStore } from '../../src/collections/list-store.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { Place } from '../../src/heap/internal.js';

const codes: Record<string, unknown> = {};
const problems: string[] = [];

function fill(): void {
  for (let size = 16 * 1024 * 1024; size >= 4096; size /= 2) {
    for (let i = 0; ; i++) {
      const path = `/dev/shm/filler-${size}-${i}`;
      try {
        writeFileSync(path, Buffer.alloc(size, 1));
      } catch {
        rmSync(path, { force: true });
        break;
      }
    }
  }
}
function free(): void {
  for (const file of readdirSync('/dev/shm')) if (file.startsWith('filler-')) rmSync(`/dev/shm/${file}`);
}

const heap = Heap.join('00000000000000ab', true)!;
const at = makeList(heap);
const store = new HeapListStore(new Place(heap, at));
const large = 'x'.repeat(200_000);
fillList(
  heap,
  at,
  Array.from({ length: 1000 }, (_, i) => i),
);

const attempts: Record<string, () => unknown> = {
  'set a large value': () => store.set(3, `${large}${'y'.repeat(800_000)}`),
  'append large values': () => {
    for (let i = 0; i < 100; i++) store.append(`${large}${i}`);
  },
  'extend by many': () => store.extend(Array.from({ length: 600_000 }, (_, i) => i)),
  'splice in many': () =>
    store.splice(
      () => [5, 500],
      Array.from({ length: 30_000 }, (_, i) => `a text in a block ${i}`),
    ),
  'reverse much': () => store.reverse(),
  'insert into much': () => {
    for (let i = 0; i < 100_000; i++) store.insert(store.length() >> 1, i);
  },
};
for (const [what, attempt] of Object.entries(attempts)) {
  store.clear();
  store.extend(Array.from({ length: what.endsWith('much') ? 250_000 : 1000 }, (_, i) => i));
  heap.bury();
  fill();
  const isStep = what.startsWith('append') || what.startsWith('insert');
  const before = JSON.stringify(store.values(everything));
  try {
    attempt();
    codes[what] = 'no error';
  } catch (error) {
    codes[what] = (error as NodeJS.ErrnoException).code ?? (error as Error).stack;
  }
  heap.bury();
  problems.push(...checkHeap(heap).problems.map((problem) => `${what}: ${problem}`));
  if (!isStep && JSON.stringify(store.values(everything)) !== before) problems.push(`${what}: changed`);
  free();
}
store.append(1);
store.clear();
heap.release(at.address);
heap.bury();
const { roots, blocks, holds } = checkHeap(heap);
if (roots + blocks + holds !== 0) problems.push(`left: ${roots} roots, ${blocks} blocks, ${holds} holds`);
heap.leave();
console.log(JSON.stringify({ codes, problems }));
