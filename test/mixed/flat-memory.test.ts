// What is replaced, deleted and taken is used again: a dict, a list and a queue whose values change all the time, in sizes that do,
// take no more memory after a while than before. More: SECONDS=60. Again: SEED=.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Queue, SharedDict, SharedList } from 'multiprocess';
import '../../src/collections/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/contents.js';
import { collectGarbage } from '../support/gc.js';
import { randomFrom, seedOf } from '../support/random.js';

const SECONDS = Number(process.env['SECONDS'] ?? 5);
const KEYS = 500;
const MOST_BYTES = 20_000;
/** By how much a heap of this size grows. */
const EXTENT_BYTES = 4 * 2 ** 20;
const ENTRIES = 1_000_000;

/** What the heap's files take in /dev/shm. */
function bytesInFiles(id: string): number {
  return readdirSync('/dev/shm')
    .filter((file) => file.startsWith(`mp-heap-${id}`))
    .reduce((sum, file) => sum + statSync(`/dev/shm/${file}`).size, 0);
}

interface Sample {
  readonly files: number;
  readonly used: number;
  readonly blocks: number;
  readonly roots: number;
}

async function changeAllTheTime(context: TestContext, nested: boolean): Promise<void> {
  const seed = seedOf();
  context.diagnostic(`SEED=${seed}`);
  const random = randomFrom(seed);
  const below = (most: number) => Math.floor(random() * most);
  const dict = SharedDict<string, unknown>();
  const list = SharedList<unknown>(new Array(KEYS).fill(null));
  const queue = new Queue<unknown>();
  const id = dict.handle.split(':')[2]!;
  const heap = Heap.join(id, false)!;
  /** Most are small. */
  const plain = () => {
    const bytes = below(4) === 0 ? below(MOST_BYTES) : below(200);
    if (below(4) === 0) return new Uint8Array(bytes);
    if (below(4) === 0) return { text: 'x'.repeat(bytes), deep: [bytes, { bytes }] };
    return 'x'.repeat(bytes);
  };
  const value = () => {
    if (!nested || below(4) > 0) return plain();
    if (below(2) === 0) return SharedList<unknown>([plain(), SharedDict<string, unknown>([['inner', plain()]])]);
    return { in: SharedDict<string, unknown>([['inner', plain()]]), twice: [SharedList<unknown>([plain()])] };
  };
  let changes = 0;
  const change = () => {
    changes += 1;
    const key = `key ${below(KEYS)}`;
    if (below(5) === 0) dict.delete(key);
    else dict.set(key, value());
    list.set(below(KEYS), value());
    if (queue.qsize() < 100 + below(100)) queue.putSync(value());
    else queue.tryGet();
    if (below(50) === 0) list.splice(below(KEYS), 1, value());
    if (changes % 20_000 === 0) dict.clear();
  };
  const workFor = async (ms: number) => {
    for (const until = performance.now() + ms; performance.now() < until; ) {
      for (let i = 0; i < 200; i++) change();
      // This process has made and read those objects, so it holds them until its garbage is collected; V8 would do that
      // when its own heap has grown, whatever there is in the shared one.
      if (nested) await collectGarbage();
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await collectGarbage();
    heap.bury();
    const { blocks, blockWords, roots, problems } = checkHeap(heap);
    assert.deepEqual(problems, []);
    return { files: bytesInFiles(id), used: blockWords * 4, blocks, roots };
  };
  try {
    const samples: Sample[] = [];
    for (let part = 0; part < 10; part++) samples.push(await workFor(SECONDS * 100));
    const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    context.diagnostic(
      `${changes} rounds of changes; MiB in files: ${samples.map(({ files }) => mebibytes(files)).join(' ')}; in use: ` +
        `${samples.map(({ used }) => mebibytes(used)).join(' ')}; roots: ${samples.map(({ roots }) => roots).join(' ')}`,
    );
    const [warm, later] = [samples.slice(0, 4), samples.slice(4)];
    const most = (what: keyof Sample, of: readonly Sample[]) => Math.max(...of.map((sample) => sample[what]));
    // What is in use depends on what happened to be put last. Files never shrink, and grow by whole extents: as sizes are random,
    // one may be needed late, but not one after the other.
    const [used, files] = [most('used', later), most('files', later)];
    assert.ok(used <= most('used', warm) * 1.5, `${most('used', warm)} bytes in use have become ${used}`);
    assert.ok(files <= most('files', warm) + 2 * EXTENT_BYTES, `${most('files', warm)} bytes of files are ${files}`);
    const roots = most('roots', later);
    assert.ok(roots <= most('roots', warm) * 1.5, `${most('roots', warm)} objects have become ${roots}`);
  } finally {
    heap.leave();
    dict.dispose();
    list.dispose();
    queue.dispose();
  }
}

test(`values of random sizes for ${SECONDS} s`, { timeout: (SECONDS + 60) * 1000 }, (context) =>
  changeAllTheTime(context, false),
);

test(`and shared objects among them, for ${SECONDS} s`, { timeout: (SECONDS + 120) * 1000 }, (context) =>
  changeAllTheTime(context, true),
);

test('a million entries, each timed as it is set', { timeout: 120_000 }, (context) => {
  const dict = SharedDict<number, number>();
  let [worst, at, over] = [0, 0, 0];
  const start = performance.now();
  for (let i = 0; i < ENTRIES; i++) {
    const before = performance.now();
    dict.set(i, i);
    const took = performance.now() - before;
    if (took > 10) over += 1;
    if (took <= worst) continue;
    worst = took;
    at = i;
  }
  const took = performance.now() - start;
  context.diagnostic(
    `${took.toFixed(0)} ms for all; the worst took ${worst.toFixed(1)} ms, entry ${at}; ${over} more than 10 ms`,
  );
  assert.equal(dict.size, ENTRIES);
  for (let i = 0; i < ENTRIES; i += 9973) assert.equal(dict.get(i), i);
  dict.dispose();
});
