// Run with a /dev/shm of 16 MiB: every way for a heap to grow is ENOSPC, changes nothing, and goes on when there is room again.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Lock, RawArray, RawValue, RLock } from 'multiprocess';
import { createDict, Dict } from '../../src/collections/dict.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { rootKind } from '../../src/heap/layout.js';
import { Place } from '../../src/heap/place.js';
import { createCell } from './heap-operations.js';

const codes: Record<string, unknown> = {};
const problems: string[] = [];
const fill = () => {
  for (let size = 16 * 1024 * 1024; size >= 4096; size /= 2) {
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

const files = () => readdirSync('/dev/shm').filter((file) => !file.startsWith('filler-'));

/** With no room, it fails and leaves everything as it was; with room again, the same call succeeds. */
function withoutRoom(what: string, heap: Heap | undefined, call: () => unknown): void {
  const usage = () => {
    if (heap === undefined) return '';
    const { problems: found, ...contents } = checkHeap(heap);
    problems.push(...found.map((problem) => `${what}: ${problem}`));
    return JSON.stringify(contents);
  };
  fill();
  const [filesBefore, usageBefore] = [files().join(), usage()];
  try {
    call();
    codes[what] = 'no error';
  } catch (error) {
    codes[what] = (error as NodeJS.ErrnoException).code;
  }
  if (files().join() !== filesBefore) problems.push(`${what}: ${files()} instead of ${filesBefore}`);
  if (usage() !== usageBefore) problems.push(`${what}: ${usage()} instead of ${usageBefore}`);
  free();
  try {
    call();
  } catch (error) {
    problems.push(`${what}, with room again: ${error}`);
  }
  usage();
}

let heap: Heap | undefined;
withoutRoom('a new heap', undefined, () => {
  heap = Heap.join('00000000000000aa', true)!;
});
const made = heap!;
withoutRoom('the first extent', made, () => made.create(rootKind.lock));
withoutRoom('another extent', made, () => createCell(made, 260_000));
withoutRoom('the first extent of raw memory', made, () => made.createRaw(100));
withoutRoom('raw memory in a file', made, () => {
  const { address } = made.createRaw(500_000);
  made.release(address);
});
// A dict that is filled to the brim is whole, has all that was acknowledged, and works on when it has been cleared.
const dict = new Dict(new Place(made, createDict(made, rootKind.dict, { ttl: 0, maxEntries: 0 })));
withoutRoom('a large value in a dict', made, () => dict.write('large', 'x'.repeat(3_000_000), undefined));
dict.clear();
fill();
let acknowledged = 0;
try {
  for (;;) {
    dict.write(acknowledged, 'a value that takes a block', undefined);
    acknowledged += 1;
  }
} catch (error) {
  codes['an entry of a dict'] = (error as NodeJS.ErrnoException).code;
}
if (dict.size() !== acknowledged) problems.push(`${dict.size()} of ${acknowledged} entries`);
problems.push(...checkHeap(made).problems);
dict.clear();
made.bury();
dict.write('again', 1, undefined);
free();
made.release(dict.at.address);
made.bury();

// What lies there already needs no room.
fill();
made.release(made.create(rootKind.rlock).address);
made.release(made.createRaw(200).address);
free();
problems.push(...checkHeap(made).problems);
made.leave();

// And by the classes that users make, which have a heap of their own.
const kinds: Record<string, () => unknown> = {
  Lock: () => new Lock(),
  RLock: () => new RLock(),
  RawValue: () => RawValue('i', 1),
  RawArray: () => RawArray('d', 10),
  'a large RawArray': () => RawArray('d', 50_000),
};
fill();
for (const [name, make] of Object.entries(kinds)) {
  try {
    make();
    codes[name] = 'no error';
  } catch (error) {
    codes[name] = (error as NodeJS.ErrnoException).code;
  }
}
free();
for (const make of Object.values(kinds)) make();
console.log(JSON.stringify({ codes, problems }));
