// Run with a /dev/shm of 16 MiB: whatever a dict or a namespace does when there is no room is ENOSPC, changes nothing, and
// succeeds later.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type DictProxy, dispose, SharedDict, SharedList, SharedNamespace, transact } from 'multiprocess';
import '../../src/collections/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { collectGarbage } from '../support/gc.js';

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

const dict = SharedDict<string, any>([['a', 1]]);
const space = SharedNamespace<Record<string, any>>({ a: 1 });
const hogged = SharedList<string | null>();
const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
const large = 'x'.repeat(3_000_000);
const largest = new Uint8Array(9_000_000);
const many = Array.from({ length: 30_000 }, (_, i) => [`key ${i}`, `a text in a block ${i}`] as const);

/** Calls until it fails; all that went before is there. */
function untilFull(call: (i: number) => unknown, has: (i: number) => unknown): void {
  let i = 0;
  try {
    for (; i < 1_000_000; i++) call(i);
  } catch (error) {
    for (let n = 0; n < i; n++) if (has(n) === undefined) problems.push(`${n} of ${i} is not there`);
    if (has(i) !== undefined) problems.push(`${i} is there, and was refused`);
    throw error;
  }
}

type Attempt = () => unknown;
/** What is one change, or none. */
const whole: Record<string, Attempt> = {
  // First: later, the heap itself has taken the room for such files.
  'dict.set of a value in a file': () => dict.set('a', largest),
  'namespace: a value in a file': () => {
    space['b'] = largest;
  },
  'dict.set of a large value': () => dict.set('a', large),
  'dict.setdefault': () => dict.setdefault('b', large),
  'dict.compute': () => dict.compute('a', () => large),
  'dict.compareAndSet': () => dict.compareAndSet('a', 1, large),
  'transact of a dict': () =>
    transact(dict as DictProxy<string, any>, (inside) => {
      inside.set('first', 1);
      inside.set('a', large);
      inside.set('last', 1);
    }),
  'a large transact of a dict': () =>
    transact(dict as DictProxy<string, any>, (inside) => {
      for (const [key, value] of many) inside.set(key, value);
    }),
  'a new dict': () => dispose(SharedDict(many)),
  'a dict of large values': () => dispose(SharedDict([['a', large]])),
  'namespace: a large value': () => {
    space['a'] = large;
  },
  'namespace: defineProperty': () =>
    Object.defineProperty(space, 'c', { value: large, writable: true, enumerable: true, configurable: true }),
  'transact of a namespace': () => transact(space, (inside) => Object.assign(inside, { first: 1, a: large, last: 2 })),
  'a large transact of a namespace': () => transact(space, (inside) => Object.assign(inside, Object.fromEntries(many))),
  'a new namespace': () => dispose(SharedNamespace(Object.fromEntries(many))),
  'a namespace of large values': () => dispose(SharedNamespace({ a: large })),
};
/** What is many changes. */
const steps: Record<string, Attempt> = {
  'dict.set': () =>
    untilFull(
      (i) => dict.set(`key ${i}`, 'a value that takes a block'),
      (i) => dict.get(`key ${i}`),
    ),
  'dict.increment': () =>
    untilFull(
      (i) => dict.increment(`key ${i}`),
      (i) => dict.get(`key ${i}`),
    ),
  'dict.set with a ttl': () =>
    untilFull(
      (i) => dict.set(`key ${i}`, i, { ttl: 1e9 }),
      (i) => dict.get(`key ${i}`),
    ),
  'dict.set of a shared object': () =>
    untilFull(
      (i) => dict.set(`key ${i}`, SharedList([i])),
      (i) => dict.has(`key ${i}`) || undefined,
    ),
  'dict.update': () => dict.update(Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`key ${i}`, large]))),
  'namespace: many names': () =>
    untilFull(
      (i) => {
        space[`name ${i}`] = 'a value that takes a block';
      },
      (i) => space[`name ${i}`],
    ),
  'namespace: Object.assign': () =>
    Object.assign(space, Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`name ${i}`, large]))),
};

/** Takes what is free within the heap, but for some 300 KB. */
function hog(): void {
  for (let size = 1_000_000; size >= 100; size /= 10) {
    try {
      for (;;) hogged.append('x'.repeat(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  for (let i = hogged.length - 1, freed = 0; i >= 0 && freed < 3; i--) {
    if (hogged.get(i)?.length !== 100_000) continue;
    hogged.set(i, null);
    freed += 1;
  }
}

const contents = () => [dict.copy(), { ...space }];

async function withoutRoom(what: string, attempt: Attempt, isWhole: boolean): Promise<void> {
  dict.clear();
  dict.set('a', 1);
  for (const name of Object.keys(space)) if (name !== 'a') delete space[name];
  space['a'] = 1;
  await collectGarbage();
  heap.bury();
  fill();
  if (isWhole) hog();
  const before = contents();
  try {
    attempt();
    codes[what] = 'no error';
  } catch (error) {
    codes[what] = (error as NodeJS.ErrnoException).code ?? (error as Error).stack;
  }
  heap.bury();
  problems.push(...checkHeap(heap).problems.map((problem) => `${what}: ${problem}`));
  if (isWhole && !isDeepStrictEqual(contents(), before)) problems.push(`${what}: changed`);
  free();
  hogged.clear();
  heap.bury();
  if (!isWhole) {
    // Full of what it has taken itself: when that has gone, it goes on.
    dict.clear();
    for (const name of Object.keys(space)) delete space[name];
    await collectGarbage();
    heap.bury();
    dict.set('again', 'x'.repeat(10_000));
    space['again'] = 'x'.repeat(10_000);
    return;
  }
  try {
    attempt();
  } catch (error) {
    problems.push(`${what}, with room again: ${error}`);
  }
  problems.push(...checkHeap(heap).problems.map((problem) => `${what}, with room again: ${problem}`));
}

// First: the heap is small, and so soon full.
for (const [what, attempt] of Object.entries(steps)) await withoutRoom(what, attempt, false);
for (const [what, attempt] of Object.entries(whole)) await withoutRoom(what, attempt, true);
// At the brim: what takes no more room works.
fill();
dict.clear();
dict.set('a', 1);
dict.increment('a');
if (dict.pop('a') !== 2 || dict.size !== 0) problems.push('a full dict does not let go');
for (const name of Object.keys(space)) delete space[name];
if (Object.keys(space).length !== 0) problems.push('a full namespace does not let go');
free();
heap.leave();
console.log(JSON.stringify({ codes, problems }));
