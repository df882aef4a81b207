// Processes do random operations on dicts, lists, a namespace and queues while one after the other is killed at random and replaced.
// Nothing that was acknowledged is lost, and nothing half done is ever seen. More: SECONDS=600 PROCESSES=8. Again: SEED=.
// That this would be found is seen with containers that are broken on purpose.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Process, Queue, RawArray, SharedDict, SharedList, SharedNamespace } from 'multiprocess';
import '../../src/collections/index.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/contents.js';
import { brokenStress, faults } from '../programs/broken-stress.js';
import {
  CACHE_SIZE,
  cellsOf,
  type Item,
  MAY_LOSE,
  mayBe,
  numberOf,
  OPERATIONS,
  stress,
  type World,
} from '../programs/mixed-stress.js';
import { Book, cells, counters } from '../support/book.js';
import { collectGarbage } from '../support/gc.js';
import { usage } from '../support/heap-usage.js';
import { randomFrom, seedOf } from '../support/random.js';
import { eventually } from '../support/shm.js';

const SECONDS = Number(process.env['SECONDS'] ?? 60);
const PROCESSES = Number(process.env['PROCESSES'] ?? 4);
const HANGS_MS = 20_000;
/** At least, of all together. */
const OPERATIONS_PER_KILL = 20;

function makeWorld(): World {
  return {
    dict: SharedDict<string, unknown>(),
    namespace: SharedNamespace<Record<string, unknown>>(),
    list: SharedList<unknown>(new Array(PROCESSES * cells.list).fill(null)),
    counts: SharedDict<string, number>(),
    cache: SharedDict<number, unknown>(null, { ttl: 200, maxEntries: CACHE_SIZE }),
    bag: SharedList<Item>(),
    plain: new Queue<Item>(50),
    leased: new Queue<Item>(50),
  };
}

function takeAll(queue: Queue<Item>, take: (item: Item) => void): void {
  for (let found = queue.tryGet(); found !== undefined; found = queue.tryGet()) take(found.value);
}

/**
 * What is there must be what the book says. In a function that ends before usage is counted: one that awaits keeps alive what it
 * last had in its hands, and that may be an item with shared objects.
 */
function lookAtAll(world: World, book: Book): void {
  for (let place = 0; place < PROCESSES; place++) {
    const own = cellsOf(world, place);
    book.settle(place, (cell, version) => mayBe(own[cell]!.read(), version, version));
  }
  for (const [which, name] of counters.entries()) {
    const [least, most] = book.counted(which);
    const count = world.counts.get(name, 0);
    assert.ok(count >= least && count <= most, `${name}: ${count}, and from ${least} to ${most} are counted`);
  }
  for (const item of world.bag) book.taken(numberOf(item));
  assert.equal(world.bag.length, world.bag.copy().length);
  takeAll(world.plain, (item) => book.taken(numberOf(item)));
}

interface Run {
  /** For so long, and on a slow machine for longer, so that as much happens there. */
  readonly seconds: number;
  readonly operations: number;
  readonly mostSeconds: number;
  /** What is broken on purpose. */
  readonly fault?: string;
  readonly pauseMs?: number;
}

async function run(
  context: TestContext,
  { seconds, operations: enough, mostSeconds, fault, pauseMs = 150 }: Run,
): Promise<void> {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  RawArray('i', 1);
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  await collectGarbage();
  const before = usage(heap);
  const book = Book.make(PROCESSES, 200_000 * (mostSeconds + 5)); // more than they manage to put
  using memory = book.memory;

  /** Awaits that all is as before. */
  const isAgain = async (what: string, wanted: object) => {
    let found: object = {};
    await eventually(what, async () => {
      await collectGarbage();
      heap.lookAround(512);
      heap.bury();
      found = usage(heap);
      return JSON.stringify(found) === JSON.stringify(wanted);
    }).catch(() => assert.deepEqual(found, wanted, what));
  };

  let children: Process<never, string>[] = [];
  const endAll = async () => {
    for (const child of children) {
      child.kill();
      await child.join();
    }
    children = []; // their arguments
  };
  /** In a function of its own, so that nothing of it is held afterwards. */
  const killAtRandom = async () => {
    const world = makeWorld();
    const empty = usage(heap);
    let lives = 0;
    const start = (place: number) => {
      book.isStarted(place);
      lives += 1;
      const args = [world, memory, place, lives, seed + lives, ...(fault === undefined ? [] : [fault])];
      const target = fault === undefined ? stress : brokenStress;
      const child = new Process({ target, args, daemon: true } as never) as unknown as Process<never, string>;
      child.start();
      return child;
    };
    for (let place = 0; place < PROCESSES; place++) children.push(start(place));
    const moved = children.map(() => ({ operations: -1, at: performance.now() }));
    const killed = new Map<string, number>();
    /** Fails when one has failed, or does not get on. */
    const look = async () => {
      for (const [place, child] of children.entries()) {
        if (!child.isAlive()) assert.equal(await child.result(), 'still at work');
        const operations = book.operations(place);
        const last = moved[place]!;
        if (operations !== last.operations) moved[place] = { operations, at: performance.now() };
        const name = OPERATIONS[book.underWay(place) - 1] ?? 'its start';
        assert.ok(performance.now() - last.at < HANGS_MS, `Place ${place} hangs in ${name}`);
      }
    };
    const began = performance.now();
    const operations = () => children.reduce((sum, _, place) => sum + book.operations(place), 0);
    const goesOn = () => {
      const took = (performance.now() - began) / 1000;
      return took < seconds || (took < mostSeconds && operations() < enough);
    };
    let doneBefore = 0;
    while (goesOn()) {
      const working = () => children.flatMap((_, place) => (book.works(place) ? [place] : []));
      await delay(10 + random() * pauseMs);
      // Where processes take long to start, they would else be killed before they have done anything.
      const isTime = () => working().length > 0 && operations() >= doneBefore + OPERATIONS_PER_KILL;
      await eventually('they work', async () => isTime() || look().then(() => false), HANGS_MS);
      doneBefore = operations();
      await look();
      const place = working()[Math.floor(random() * working().length)]!;
      const victim = children[place]!;
      victim.kill();
      await victim.join();
      const name = OPERATIONS[book.underWay(place) - 1] ?? 'nothing';
      killed.set(name, (killed.get(name) ?? 0) + 1);
      children[place] = start(place);
    }
    await eventually(
      'all work',
      async () => children.every((_, place) => book.works(place)) || look().then(() => false),
      HANGS_MS,
    );
    book.stop();
    for (const child of children) assert.equal(await child.result(), 'well');

    lookAtAll(world, book);
    await eventually('leases of the dead are back', () => {
      heap.lookAround(512);
      return [...heap.participant.others(512)].length === 1; // this test's own, by the published package
    });
    takeAll(world.leased, (item) => book.taken(numberOf(item), Number.POSITIVE_INFINITY));
    const { put, lost, lostLeased } = book.account();
    const mayBeLost = MAY_LOSE.reduce((sum, name) => sum + (killed.get(name) ?? 0), 0);
    const kills = [...killed.values()].reduce((a, b) => a + b, 0);
    const longest = children.map((_, place) => book.longest(place)).sort(([a], [b]) => b - a)[0]!;
    context.diagnostic(
      `${kills} kills, ${operations()} operations, ${put} items put, ${lost} lost of at most ${mayBeLost}; longest: ` +
        `${OPERATIONS[longest[1] - 1]} ${longest[0]} ms; killed in ${JSON.stringify(Object.fromEntries(killed))}`,
    );
    assert.ok(lost <= mayBeLost, `${lost} items are lost, and ${mayBeLost} deaths may have lost one`);
    assert.equal(lostLeased, 0, 'leased items are lost');
    assert.ok(kills > seconds / 5 && put > 20 * seconds);

    // Emptied, they are as they were.
    for (const container of [world.dict, world.counts, world.cache, world.bag]) container.clear();
    for (const name of Object.keys(world.namespace)) delete world.namespace[name];
    for (let index = 0; index < world.list.length; index++) world.list.set(index, null);
    const { roots, holds } = empty;
    await eventually('they are empty', async () => {
      await collectGarbage();
      heap.bury();
      const now = usage(heap);
      return now.roots === roots && now.holds === holds;
    }).catch(() => assert.deepEqual(usage(heap), empty));
    for (const container of [world.dict, world.list, world.plain]) container.dispose();
  };
  try {
    if (fault === undefined) {
      await killAtRandom();
      await endAll();
      await isAgain('nothing is left', before);
    } else await assert.rejects(killAtRandom(), faults[fault]!.found);
  } finally {
    await endAll();
    heap.leave();
    memory.unlink();
  }
}

test(`random kills for ${SECONDS} s`, { timeout: (4 * SECONDS + 90) * 1000 }, (context) =>
  run(context, { seconds: SECONDS, operations: 100 * SECONDS, mostSeconds: 4 * SECONDS }),
);

describe('it is found when', { timeout: 300_000 }, () => {
  for (const fault of Object.keys(faults)) {
    test(fault, (context) => run(context, { seconds: 1, operations: 2000, mostSeconds: 60, fault, pauseMs: 3000 }));
  }
});
