// Run with a /dev/shm of 16 MiB: putting into a queue until there is no room is ENOSPC, changes nothing, and goes on when
// something has been taken.
import { isDeepStrictEqual } from 'node:util';
import { type Lease, Lock, Pipe, Queue } from 'multiprocess';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/contents.js';

const problems: string[] = [];
const codes: Record<string, unknown> = {};
const queue = new Queue();
const [here, there] = Pipe();
const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;

/** Puts until it fails. @returns how many there were. */
function fill(what: string, put: (number: number) => void): number {
  for (let number = 0; ; number++) {
    try {
      put(number);
    } catch (error) {
      codes[what] = (error as NodeJS.ErrnoException).code;
      problems.push(...checkHeap(heap).problems.map((problem) => `${what}: ${problem}`));
      return number;
    }
  }
}

function expect(what: string, found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) problems.push(`${what}: another value than it should be`);
}

const kinds: Record<string, (number: number) => unknown> = {
  'large values': (number) => new Uint8Array(1_000_000).fill(number),
  'long texts': (number) => String(number).padStart(5000, '.'),
  'short texts': (number) => String(number).padStart(1000, '.'),
};
for (const [what, make] of Object.entries(kinds)) {
  const count = fill(what, (number) => queue.putSync(make(number)));
  expect(`${what}: items`, queue.qsize(), count);
  for (let number = 0; number < count; number++) {
    const found = queue.getSync();
    expect(`${what}: item`, found, make(number));
    // There is room again.
    if (number === 8) queue.putSync(make(count));
  }
  expect(`${what}: last`, queue.getSync(), make(count));
}
const sent = fill('pipe', (number) => here.sendSync(String(number).padStart(5000, '.')));
for (let number = 0; number < sent; number++) {
  expect('pipe: value', there.recvSync(), String(number).padStart(5000, '.'));
}

// Leases take memory until there is none. What frees more than it takes succeeds all the same.
const lock = new Lock();
const referring = fill('references', (number) => queue.putSync([number, lock]));
fill('room that is left', (number) => queue.putSync(number));
const leases: Lease<unknown>[] = [];
fill('leases', () => leases.push(queue.getSync({ lease: true })));
expect('references: one in a full heap', (queue.getSync() as [number, Lock])[0], leases.length);
for (const lease of leases) lease.ack();
for (let number = leases.length + 1; number < referring; number++) {
  expect('references: item', (queue.getSync() as [number, Lock])[0], number);
}
problems.push(...checkHeap(heap).problems);
heap.leave();
console.log(JSON.stringify({ codes, problems }));
