// Run with a /dev/shm of 1 MiB: creating more is ENOSPC, leaves nothing, and the process lives.
import { readdirSync, statfsSync } from 'node:fs';
import { Process, ShareableList, SharedMemory } from 'multiprocess';
import { echo } from './targets.js';

const codes: unknown[] = [];
function attempt(call: () => unknown): void {
  try {
    call();
    codes.push('no error');
  } catch (error) {
    codes.push((error as NodeJS.ErrnoException).code);
  }
}

const keep = SharedMemory.create(600 * 1024);
keep.buf.fill(7);
const before = readdirSync('/dev/shm').length;
const freeBefore = statfsSync('/dev/shm').bavail;
attempt(() => SharedMemory.create(600 * 1024));
attempt(() => SharedMemory.create(2 * 1024 * 1024, { name: 'named' }));
attempt(() => new ShareableList(['x'.repeat(700 * 1024)]));
attempt(() => new Process({ target: echo, args: [new Uint8Array(600 * 1024)] }).start());
const after = readdirSync('/dev/shm').length;
const freeAfter = statfsSync('/dev/shm').bavail;
const small = SharedMemory.create(64 * 1024);
small.buf.fill(1);
const intact = keep.buf.every((byte) => byte === 7) && small.buf.every((byte) => byte === 1);
for (const block of [keep, small]) {
  block.unlink();
  block.close();
}
console.log(JSON.stringify({ codes, nothingLeft: before === after && freeBefore === freeAfter, intact }));
