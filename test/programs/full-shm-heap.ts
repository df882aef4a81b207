// Run with a /dev/shm of 4 MiB: every way for a heap to grow is ENOSPC, changes nothing, and goes on when there is room again.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { rootKind } from '../../src/heap/layout.js';
import { createCell } from './heap-operations.js';

const codes: Record<string, unknown> = {};
const problems: string[] = [];
function attempt(what: string, call: () => unknown): void {
  try {
    call();
    codes[what] = 'no error';
  } catch (error) {
    codes[what] = (error as NodeJS.ErrnoException).code;
  }
}
const fill = () => {
  for (let size = 4 * 1024 * 1024; size >= 4096; size /= 2) {
    for (let i = 0; ; i++) {
      try {
        writeFileSync(`/dev/shm/filler-${size}-${i}`, Buffer.alloc(size, 1));
      } catch {
        rmSync(`/dev/shm/filler-${size}-${i}`, { force: true });
        break;
      }
    }
  }
};
const free = () => {
  for (const file of readdirSync('/dev/shm')) if (file.startsWith('filler-')) rmSync(`/dev/shm/${file}`);
};

fill();
attempt('a new heap', () => Heap.join('00000000000000aa', true));
free();
const heap = Heap.join('00000000000000ab', true)!;
fill();
attempt('the first extent', () => heap.create(rootKind.lock));
problems.push(...checkHeap(heap).problems);
free();
heap.create(rootKind.lock);
fill();
attempt('another extent', () => {
  for (;;) createCell(heap, 100_000);
});
attempt('raw memory in an extent', () => heap.createRaw(100));
attempt('raw memory in a file', () => heap.createRaw(1_000_000));
problems.push(...checkHeap(heap).problems);
free();
heap.createRaw(100);
const { address } = heap.createRaw(500_000);
heap.release(address);
problems.push(...checkHeap(heap).problems);
heap.leave();
console.log(JSON.stringify({ codes, problems }));
