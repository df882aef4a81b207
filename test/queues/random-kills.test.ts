// Producers and consumers work on queues while one after the other is killed at random. Every item is unique, and marked when
// it has been taken. More: SECONDS=60 PROCESSES=8. Again: SEED=.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { JoinableQueue, Process, Queue, RawArray } from 'multiprocess';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/contents.js';
import { consume, flag, MOST_ITEMS, produce, QUEUES, type World } from '../programs/queue-stress.js';
import { collectGarbage } from '../support/gc.js';
import { makeRoom, usage } from '../support/heap-usage.js';
import { randomFrom, seedOf } from '../support/random.js';
import { eventually } from '../support/shm.js';

const SECONDS = Number(process.env['SECONDS'] ?? 12);
const PROCESSES = Number(process.env['PROCESSES'] ?? 4);
const MOST_PRODUCERS = 64 + 8 * SECONDS;

interface Producer {
  readonly begun: Int32Array;
  readonly put: Int32Array;
  killed: boolean;
}

test(`random kills for ${SECONDS} s`, { timeout: (SECONDS + 60) * 1000 }, async (context) => {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  RawArray('i', 1);
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  makeRoom(heap);
  await collectGarbage();
  const before = usage(heap);

  /** In a function of its own, so that nothing of it is held afterwards. */
  const killAtRandom = async () => {
    const world: World = {
      plain: new Queue(50),
      leased: new Queue(),
      joinable: new JoinableQueue(20),
      flags: RawArray('i', flag.works + PROCESSES),
    };
    const marks = QUEUES.map(() => RawArray('i', MOST_PRODUCERS * MOST_ITEMS));
    const producers: Producer[] = [];
    const roles: ('produce' | 'consume')[] = [];
    const start = (index: number) => {
      roles[index] = index % 2 === 0 ? 'produce' : 'consume';
      let child: Process;
      Atomics.store(world.flags, flag.works + index, 0);
      if (roles[index] === 'produce') {
        const producer = { begun: RawArray('i', QUEUES.length), put: RawArray('i', QUEUES.length), killed: false };
        producers.push(producer);
        assert.ok(producers.length <= MOST_PRODUCERS);
        const { begun, put } = producer;
        child = new Process({ target: produce, args: [world, index, producers.length - 1, begun, put] }) as Process;
        current[index] = producer;
      } else {
        child = new Process({ target: consume, args: [world, index, marks] }) as Process;
        current[index] = undefined;
      }
      child.start();
      return child;
    };
    const current: (Producer | undefined)[] = [];
    const children = Array.from({ length: PROCESSES }, (_, index) => start(index));
    const kills = { produce: 0, consume: 0 };
    const until = performance.now() + SECONDS * 1000;
    while (performance.now() < until) {
      const index = Math.floor(random() * children.length);
      const victim = children[index]!;
      await eventually('it works', () => Atomics.load(world.flags, flag.works + index) === 1 || !victim.isAlive());
      await delay(10 + random() * 150);
      if (!victim.isAlive()) assert.equal(await victim.result(), 'well');
      victim.kill();
      await victim.join();
      kills[roles[index]!] += 1;
      if (current[index] !== undefined) current[index].killed = true;
      children[index] = start(index);
    }
    Atomics.store(world.flags, flag.stop, 1);
    for (const child of children) assert.equal(await child.result(), 'well');
    await eventually('the dead are reaped', () => {
      heap.lookAround(512);
      return [...heap.participant.others(512)].length === 1; // this test's own, by the published package
    });
    // What is left.
    for (const [at, name] of QUEUES.entries()) {
      for (let found = world[name].tryGet(); found !== undefined; found = world[name].tryGet()) {
        const [who, number] = found.value as [number, number];
        const seen = Atomics.add(marks[at]!, who * MOST_ITEMS + number, 1);
        if (name === 'plain') assert.equal(seen, 0, `${name}: ${[who, number]} is still there and was taken`);
        if (name === 'joinable') world.joinable.taskDone();
      }
    }
    assert.equal(await world.joinable.join({ timeout: 0 }), true, 'join would hang');
    let items = 0;
    const lost = QUEUES.map(() => 0);
    for (const [who, { begun, put, killed }] of producers.entries()) {
      for (const at of QUEUES.keys()) {
        // Put may have happened where it was not noted any more; what was not begun is not there.
        assert.ok(begun[at]! - put[at]! <= 1, 'a producer has begun more than one item');
        assert.ok(killed || begun[at]! - put[at]! <= 1);
        for (let number = 0; number <= begun[at]!; number++) {
          const seen = marks[at]![who * MOST_ITEMS + number]!;
          if (number >= begun[at]!) assert.equal(seen, 0, 'an item that was never put');
          else if (number < put[at]! && seen === 0) lost[at]! += 1;
          items += 1;
        }
      }
    }
    // A consumer that is killed has lost one item at most, and with a lease none.
    assert.ok(lost[0]! + lost[2]! <= kills.consume, `${lost} items are lost by ${kills.consume} deaths`);
    assert.equal(lost[1], 0, 'leased items are lost');
    context.diagnostic(`${kills.produce} and ${kills.consume} kills, ${items} items, lost: ${lost}`);
    assert.ok(kills.produce + kills.consume > SECONDS / 4 && items > 1000);
  };
  try {
    await killAtRandom();
    await eventually('what was made is dropped', async () => {
      await collectGarbage();
      heap.bury();
      return usage(heap).roots <= before.roots;
    });
    assert.deepEqual(usage(heap), before);
  } finally {
    heap.leave();
  }
});
