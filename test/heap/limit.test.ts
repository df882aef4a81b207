// A heap that may take so much of /dev/shm and no more.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { MultiprocessError } from '../../src/errors/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import { EXTENT_ENTRY_WORDS, EXTENT_TABLE, extentEntry, header, rootKind } from '../../src/heap/layout.js';
import { LEAST_HEAP_BYTES } from '../../src/heap/limit.js';
import { errorCode } from '../../src/os/index.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import '../../src/values/internal.js';
import { hasCode, osError } from '../support/errors.js';
import { usage } from '../support/heap-usage.js';
import { randomFrom, seedOf } from '../support/random.js';

const MIB = 2 ** 20;
const PAGE_BYTES = 16 * 1024;

function withHeap(maxBytes: number | undefined, work: (heap: Heap) => void): void {
  const heap = Heap.join(randomHex(16), true, maxBytes)!;
  try {
    work(heap);
  } finally {
    heap.leave();
    sweepHeap(heap.id);
  }
}

function createCell(heap: Heap, words: number): { address: number } {
  return heap.createWithBlock(rootKind.cell, words);
}

function bytesInFiles({ id }: Heap): number {
  return readdirSync('/dev/shm')
    .filter((file) => file.startsWith(`mp-heap-${id}`))
    .reduce((sum, file) => sum + statSync(`/dev/shm/${file}`).size, 0);
}

/** Makes something; what is beyond the limit changes nothing. */
function make(heap: Heap, create: () => { address: number }): number | undefined {
  const before = usage(heap);
  try {
    return create().address;
  } catch (error) {
    assert.ok(osError('ENOSPC')(error), String((error as Error).stack));
    assert.match((error as Error).message, /limited to \d+ bytes \(maxBytes\)/);
    assert.deepEqual(usage(heap), before);
    return undefined;
  }
}

for (const limit of [LEAST_HEAP_BYTES, 5_000_001, 24 * MIB]) {
  test(`whatever it grows by, it takes at most ${limit} bytes`, (context) => {
    const seed = seedOf();
    context.diagnostic(`SEED=${seed}`);
    const random = randomFrom(seed);
    const below = (most: number) => Math.floor(random() * most);
    withHeap(limit, (heap) => {
      const made: number[] = [];
      let refused = 0;
      const ways = [
        () => createCell(heap, 1 + below(1000)),
        () => createCell(heap, below(limit / 8)),
        () => heap.createRaw(below(30_000)),
        () => heap.createRaw(33_000 + below(limit / 4)),
        () => heap.createParcel(below(limit / 4)),
        () => heap.createParcel(8 * MIB + below(limit)),
      ];
      for (let i = 0; i < 600; i++) {
        const address = make(heap, ways[below(ways.length)]!);
        assert.ok(bytesInFiles(heap) <= limit);
        if (address !== undefined) made.push(address);
        else refused += 1;
        // Full most of the time, and sometimes half empty.
        const release = i % 100 === 99 ? made.length / 2 : address === undefined ? below(3) : 0;
        for (let n = 0; n < release && made.length > 0; n++) heap.release(made.splice(below(made.length), 1)[0]!);
      }
      assert.ok(refused > 20, `${refused} were refused`);
      for (const address of made) heap.release(address);
      heap.bury();
      assert.deepEqual(usage(heap), { roots: 0, holds: 0, blocks: 0 });
    });
  });
}

test('all that it may take can be used, by small objects and by a large one, and again', () => {
  withHeap(LEAST_HEAP_BYTES, (heap) => {
    for (let round = 0; round < 3; round++) {
      const made: number[] = [];
      for (;;) {
        const address = make(heap, () => createCell(heap, 4000));
        if (address === undefined) break;
        made.push(address);
      }
      assert.ok(bytesInFiles(heap) > LEAST_HEAP_BYTES - 4 * PAGE_BYTES, `${bytesInFiles(heap)} bytes`);
      assert.ok(made.length * 4000 * 4 > LEAST_HEAP_BYTES / 2, `${made.length} cells`);
      for (const address of made) heap.release(address);
    }
  });
  withHeap(LEAST_HEAP_BYTES, (heap) => {
    const bytes = LEAST_HEAP_BYTES - 2.5 * MIB;
    for (let round = 0; round < 20; round++) {
      const { address } = heap.createRaw(bytes);
      assert.throws(() => heap.createRaw(bytes), osError('ENOSPC'));
      heap.release(address);
    }
  });
});

test('what is dying makes room first, and may be much', () => {
  withHeap(8 * MIB, (heap) => {
    const made = Array.from({ length: 20 }, () => heap.createRaw(200_000).address);
    assert.throws(() => heap.createRaw(5 * MIB), osError('ENOSPC'));
    // All in one turn: the files of most are still there.
    for (const address of made) heap.release(address);
    heap.release(heap.createRaw(5 * MIB).address);
  });
});

test('one without a limit has none', () => {
  withHeap(undefined, (heap) => {
    const all = [heap.createRaw(40 * MIB), heap.createParcel(30 * MIB), createCell(heap, 4_000_000)];
    assert.equal(checkHeap(heap).problems.length, 0);
    for (const { address } of all) heap.release(address);
  });
  // Too much for any machine, and not so many pages as there are numbers for.
  withHeap(Number.MAX_SAFE_INTEGER, (heap) => {
    heap.release(heap.createRaw(MIB).address);
    assert.throws(() => heap.createRaw(2 ** 50), osError('ENOSPC'));
    assert.deepEqual(usage(heap), { roots: 0, holds: 0, blocks: 0 });
  });
});

test('a limit that makes no sense is a typed error, and a wrong count is found', () => {
  const corrupt = hasCode('ERR_MULTIPROCESS_CORRUPT_SEGMENT');
  const grow = (heap: Heap) => createCell(heap, 300_000);
  const file = (heap: Heap) => heap.createRaw(500_000);
  const with_ = (word: number, value: number, use: (heap: Heap) => void) =>
    withHeap(8 * MIB, (heap) => {
      heap.release(heap.create(rootKind.lock).address);
      heap.release(file(heap).address);
      const before = heap.memory.segment[word]!;
      heap.memory.segment[word] = value;
      use(heap);
      heap.memory.segment[word] = before;
      assert.deepEqual(usage(heap), { roots: 0, holds: 0, blocks: 0 });
      heap.release(grow(heap).address);
      heap.release(file(heap).address);
    });
  for (const most of [-1, 1, -(2 ** 31)]) {
    with_(header.maxPages, most, (heap) => {
      for (const use of [grow, file]) assert.throws(() => use(heap), corrupt);
    });
  }
  with_(header.filePages, -1, (heap) => {
    for (const use of [grow, file]) assert.throws(() => use(heap), corrupt);
  });
  for (const pages of [1000, 2 ** 31 - 1]) {
    with_(header.filePages, pages, (heap) => {
      for (const use of [grow, file]) assert.throws(() => use(heap), osError('ENOSPC'));
      assert.deepEqual(
        checkHeap(heap).problems.map((problem) => problem.replace(/\d+/g, 'n')),
        ['the heap counts n pages in files and has n', 'the heap takes n pages, and may take n'],
      );
    });
  }
  with_(EXTENT_TABLE + EXTENT_ENTRY_WORDS + extentEntry.pages, -5, (heap) => {
    for (const use of [grow, file]) assert.throws(() => use(heap), MultiprocessError);
  });
  withHeap(8 * MIB, (heap) => {
    const { address } = file(heap);
    const counted = heap.memory.segment[header.filePages]!;
    heap.memory.segment[header.filePages] = 0;
    assert.throws(() => heap.release(address), corrupt);
    heap.memory.segment[header.filePages] = counted;
    heap.bury();
    assert.deepEqual(usage(heap), { roots: 0, holds: 0, blocks: 0 });
  });
});

test('code that reports errors can tell them', () => {
  withHeap(LEAST_HEAP_BYTES, (heap) => {
    try {
      heap.createParcel(100 * MIB);
      assert.fail('no error');
    } catch (error) {
      assert.equal(errorCode(error), 'ENOSPC');
      assert.match((error as Error).message, /^ENOSPC: no space left on device, .*limited to 4194304 bytes/);
    }
  });
});
