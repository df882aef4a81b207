// What two or three threads do at the same time with one heap, for test/heap/lockstep.test.ts.
import assert from 'node:assert/strict';
import { StaleHandleError } from '../../src/errors/index.js';
import { Heap } from '../../src/heap/heap.js';
import { header, root, rootKind } from '../../src/heap/layout.js';
import { pagesTaken } from '../../src/heap/limit.js';
import type { RootAddress } from '../../src/heap/roots.js';
import { errorCode } from '../../src/os/index.js';
import { dieAt } from '../support/dying.js';
import type { Ending, Facts, Part, Scene } from '../support/lockstep/scene.js';
import { FIRST_BYSTANDER } from '../support/lockstep/stage.js';
import { createCell, limitTo, readCell, writeCell } from './heap-operations.js';

const at = ({ address, serial }: Facts): RootAddress => ({ address: address!, serial: serial! });
const factsOf = ({ address, serial }: RootAddress): Facts => ({ address, serial });
const made = (heap: Heap, kind: number = rootKind.lock): Facts => factsOf(heap.create(kind));

const OPENED = 1;
const STALE = 0;

/** What must not happen to an object that is open: that its root is another's, or free. */
function confirm(heap: Heap, facts: Facts): void {
  assert.equal(heap.open(at(facts)), rootKind.lock);
  heap.release(facts['address']!);
}

/** Opens what may be gone by then. */
function tryOpen(heap: Heap, facts: Facts): number {
  try {
    assert.equal(heap.open(at(facts)), rootKind.lock);
    return OPENED;
  } catch (error) {
    if (!(error instanceof StaleHandleError)) throw error;
    return STALE;
  }
}

const create: Part = { act: (heap) => heap.create(rootKind.lock).address };
const createInArm = (heap: Heap) => made(heap);
const releaseOwn: Part['act'] = (heap, { address }) => heap.release(address!);
const opens: Part = {
  act: (heap, facts) => {
    const opened = tryOpen(heap, facts);
    if (opened === OPENED) confirm(heap, facts);
    return opened;
  },
};

const different = (_: Heap, __: Facts, endings: readonly Ending[]) => {
  const addresses = endings.filter(({ died }) => !died).map(({ result }) => result);
  assert.equal(new Set(addresses).size, addresses.length, 'two objects at one place');
};

/** Whether it was done, and not beyond the heap's limit. */
function unlessRefused(act: () => unknown): number {
  try {
    act();
    return 1;
  } catch (error) {
    if (errorCode(error) !== 'ENOSPC') throw error;
    return 0;
  }
}

const rawInExtent: Part = {
  act: (heap, { address }) => {
    const raw = heap.createRaw(64);
    const place = heap.raw(raw).pooled!;
    const words = new Int32Array(place.map.buffer, place.offset, 16);
    assert.ok(
      words.every((word) => word === 0),
      'raw memory does not begin with zeros',
    );
    words.fill(raw.address);
    if (address !== undefined) assert.notEqual(raw.address, address);
    heap.lookAround(1);
    assert.ok(
      words.every((word) => word === raw.address),
      'raw memory is written by another',
    );
    heap.release(raw.address);
  },
};

function cell(survivor: Heap): Facts {
  const facts = factsOf(createCell(survivor));
  writeCell(survivor, facts['address']!, 0);
  return facts;
}
const writes = (value: number): Part => ({ act: (heap, { address }) => writeCell(heap, address!, value) });

/** Adds one to all words of a cell, in one transaction. */
const counts: Part = {
  act: (heap, { address }) =>
    heap.transaction.run((tx) => {
      tx.lockObject(address!);
      const contents = tx.read(address! + root.a);
      for (let i = 0; i < 10; i++) tx.write(contents + i, tx.read(contents + i) + 1);
    }),
};

/** A participant that has died in a transaction of ten words, with an estate. */
function withDead(survivor: Heap, step: number): Facts {
  const facts = cell(survivor);
  const { segment } = survivor.memory;
  const next = segment[header.nextSlot]!;
  segment[header.nextSlot] = DEAD_SLOT;
  const dead = Heap.join(survivor.id, false)!;
  dead.stopTicking();
  dead.create(rootKind.lock);
  dead.createRaw(100_000);
  dieAt(
    step,
    () => writeCell(dead, facts['address']!, 9),
    () => [dead.participant.fd],
  );
  segment[header.nextSlot] = next;
  return facts;
}
/** Beyond those of the others, so that who looks around comes to it soon. */
const DEAD_SLOT = FIRST_BYSTANDER - 1;

/** Looks at so many others. */
const reaps = (count: number): Part => ({ act: (heap) => heap.lookAround(count) });
const untouched = (survivor: Heap, facts: Facts) => {
  assert.equal(readCell(survivor, facts['address']!), 0, 'what the dead had begun is not undone');
};

const joins: Part = {
  act: (heap) => {
    const second = Heap.join(heap.id, false)!;
    const kept = second.create(rootKind.lock);
    assert.equal(second.exists(kept), true);
    second.leave();
  },
};

export const scenes: readonly Scene[] = [
  {
    name: 'create ‖ create, in an empty heap',
    atLeast: 60,
    inEmptyHeap: true,
    threads: [create, create],
    verify: different,
  },
  {
    name: 'create ‖ create',
    atLeast: 30,
    prepare: (survivor) => made(survivor),
    threads: [create, create],
    verify: different,
  },
  {
    name: 'create ‖ create ‖ release',
    atLeast: 30,
    threads: [create, create, { arm: createInArm, act: releaseOwn }],
  },
  {
    name: 'create ‖ release, ending the object',
    atLeast: 30,
    threads: [create, { arm: createInArm, act: releaseOwn }],
  },
  {
    name: 'open ‖ release of the last hold',
    atLeast: 20,
    threads: [opens, { arm: createInArm, act: releaseOwn }],
  },
  {
    name: 'open ‖ release of the last hold, and its root used again',
    atLeast: 20,
    threads: [
      opens,
      {
        arm: createInArm,
        act: (heap, { address }) => {
          heap.release(address!);
          heap.create(rootKind.rlock);
        },
      },
    ],
  },
  {
    name: 'open ‖ open ‖ release of the last hold',
    atLeast: 20,
    threads: [opens, opens, { arm: createInArm, act: releaseOwn }],
  },
  {
    name: 'open ‖ dispose',
    atLeast: 8,
    prepare: (survivor) => made(survivor),
    threads: [{ act: tryOpen }, { act: (heap, facts) => heap.dispose(at(facts)) }],
    verify: (survivor, facts, [, disposer]) => {
      if (!disposer!.died) assert.equal(survivor.exists(at(facts)), false);
    },
  },
  {
    name: 'dispose ‖ dispose',
    atLeast: 8,
    prepare: (survivor) => made(survivor),
    threads: [disposes(), disposes()],
    verify: (survivor, facts, endings) => {
      const ended = endings.filter(({ result }) => result === 1).length;
      assert.ok(ended <= 1, 'disposed of twice');
      if (endings.every(({ died }) => !died)) assert.equal(ended, 1);
      if (ended === 1) assert.equal(survivor.exists(at(facts)), false);
    },
  },
  {
    name: 'open ‖ leave of the last holder',
    atLeast: 30,
    threads: [
      opens,
      {
        arm: (heap) => {
          const facts = made(heap);
          heap.createRaw(100_000);
          return facts;
        },
        act: (heap) => heap.leave(),
      },
    ],
  },
  { name: 'raw memory in an extent, made and ended, twice', atLeast: 100, threads: [rawInExtent, rawInExtent] },
  {
    name: 'raw memory in a file ended ‖ made',
    atLeast: 40,
    threads: [
      { arm: (heap) => ({ own: heap.createRaw(100_000).address }), act: (heap, { own }) => heap.release(own!) },
      {
        act: (heap) => {
          const raw = heap.createRaw(70_000);
          heap.mapRaw(raw, heap.raw(raw).bytes, () => {});
        },
      },
    ],
  },
  {
    name: 'raw memory in files ended ‖ ended',
    atLeast: 40,
    threads: [
      { arm: (heap) => ({ a: heap.createRaw(100_000).address }), act: (heap, { a }) => heap.release(a!) },
      { arm: (heap) => ({ b: heap.createRaw(70_000).address }), act: (heap, { b }) => heap.release(b!) },
    ],
  },
  {
    name: 'raw memory in a file ‖ an extent, and the limit leaves room for one',
    atLeast: 30,
    prepare: (survivor) => {
      limitTo(survivor, 130);
      return {};
    },
    threads: [
      { act: (heap) => unlessRefused(() => heap.createRaw(2_050_000)) },
      { act: (heap) => unlessRefused(() => createCell(heap, 500_000)) },
    ],
    verify: (survivor, _, endings) => {
      const taken = pagesTaken(survivor.memory);
      assert.ok(taken <= survivor.memory.segment[header.maxPages]!, `${taken} pages`);
      const made = endings.filter(({ died, result }) => !died && result === 1).length;
      assert.ok(made <= 1, 'more than there is room for');
      if (endings.every(({ died }) => !died)) assert.equal(made, 1, 'less than there is room for');
    },
  },
  {
    name: 'large blocks: two extents needed at once',
    atLeast: 60,
    threads: [
      { act: (heap) => createCell(heap, 300_000).address },
      { act: (heap) => createCell(heap, 200_000).address },
    ],
    verify: different,
  },
  {
    name: 'writeCell ‖ readCell',
    atLeast: 40,
    prepare: cell,
    threads: [writes(1), { act: (heap, { address }) => readCell(heap, address!) }],
    verify: (survivor, { address }, [writer, reader]) => {
      const value = readCell(survivor, address!);
      assert.ok(writer!.died ? value === 0 || value === 1 : value === 1);
      if (!reader!.died && reader!.result === 1) assert.equal(value, 1, 'read what was undone afterwards');
    },
  },
  {
    name: 'writeCell ‖ writeCell ‖ readCell twice',
    atLeast: 40,
    prepare: cell,
    threads: [
      counts,
      counts,
      {
        act: (heap, { address }) => {
          const first = readCell(heap, address!);
          const second = readCell(heap, address!);
          assert.ok(second >= first, 'what was read is gone again');
          return second;
        },
      },
    ],
    verify: (survivor, { address }, endings) => {
      const value = readCell(survivor, address!);
      const lived = endings.slice(0, 2).filter(({ died }) => !died).length;
      assert.ok(value >= lived && value <= 2, `${value} of ${lived} to 2`);
      if (!endings[2]!.died) assert.ok(value >= endings[2]!.result!);
    },
  },
  {
    name: 'counting ‖ counting',
    atLeast: 40,
    prepare: cell,
    threads: [counts, counts],
    verify: (survivor, { address }, endings) => {
      const value = readCell(survivor, address!);
      assert.ok(value >= endings.filter(({ died }) => !died).length && value <= 2, `counted ${value}`);
    },
  },
  {
    name: 'reap ‖ reap',
    everyDeath: true,
    atLeast: 60,
    prepare: (survivor) => withDead(survivor, 25),
    threads: [reaps(2), reaps(1)],
    verify: untouched,
  },
  {
    name: 'reap ‖ writeCell, where the dead had locks',
    atLeast: 60,
    prepare: (survivor) => withDead(survivor, 25),
    threads: [reaps(2), writes(3)],
    verify: (survivor, { address }, [, writer]) => {
      const value = readCell(survivor, address!);
      assert.ok(writer!.died ? value === 0 || value === 3 : value === 3, `${value}`);
    },
  },
  {
    name: 'reap ‖ join and leave',
    atLeast: 60,
    prepare: (survivor) => withDead(survivor, 25),
    threads: [reaps(2), joins],
    verify: untouched,
  },
  { name: 'join and leave ‖ join and leave', atLeast: 60, threads: [joins, joins] },
];

/** @returns 1 when this was who ended it, 0 when it had ended. */
function disposes(): Part {
  return {
    act: (heap, facts) => {
      try {
        heap.dispose(at(facts));
        return 1;
      } catch (error) {
        if (!(error instanceof StaleHandleError)) throw error;
        return 0;
      }
    },
  };
}
