// Scenes that are broken on purpose: the scheduler has to find out, or it would find nothing else either.
import assert from 'node:assert/strict';
import { step } from '../../src/heap/doors.js';
import type { Heap } from '../../src/heap/heap.js';
import { EXTENT_MASK, header, root } from '../../src/heap/layout.js';
import type { Facts, Part, Scene } from '../support/lockstep/scene.js';
import { createCell, readCell, writeCell } from './heap-operations.js';
import { givesUp } from './synchronize-scenes.js';

function cell(survivor: Heap): Facts {
  const { address, serial } = createCell(survivor);
  writeCell(survivor, address, 0);
  return { address, serial };
}

/** The address of a cell's contents. */
const contentsOf = (heap: Heap, { address }: Facts) => heap.memory.load(address! + root.a);

/** Adds one, without a lock. */
const counts: Part = {
  act: (heap, facts) => {
    const at = contentsOf(heap, facts);
    const words = heap.memory.at(at);
    step();
    const before = words[at & EXTENT_MASK]!;
    step();
    words[at & EXTENT_MASK] = before + 1;
  },
};

/** Writes under the lock, and past the journal. */
const writes: Part = {
  act: (heap, facts) =>
    heap.transaction.run((tx) => {
      tx.lockObject(facts['address']!);
      tx.fill(contentsOf(heap, facts), ...new Array<number>(10).fill(1));
    }),
};

/** Writes with the journal, and without the lock. */
const writesWithoutLock = (value: number): Part => ({
  act: (heap, facts) =>
    heap.transaction.run((tx) => {
      for (let i = 0; i < 10; i++) tx.write(contentsOf(heap, facts) + i, value);
    }),
});

const locks = (first: number, second: number): Part => ({
  act: (heap) =>
    heap.transaction.run((tx) => {
      tx.locks.acquire(first);
      tx.locks.acquire(second);
    }),
});

const reads: Part = { act: (heap, facts) => readCell(heap, facts['address']!) };
const whole: Scene['verify'] = (survivor, facts) => void readCell(survivor, facts['address']!);

export const scenes: readonly Scene[] = [
  {
    name: 'counting without a lock',
    atLeast: 2,
    prepare: cell,
    threads: [counts, counts],
    verify: (survivor, facts, endings) => {
      const least = endings.filter(({ died }) => !died).length;
      assert.ok(survivor.memory.load(contentsOf(survivor, facts)) >= least, 'one has counted for nothing');
    },
  },
  {
    name: 'a writer without journal that dies',
    atLeast: 10,
    everyDeath: true, // of few steps, a seed may draw all outside of those that matter
    prepare: cell,
    threads: [writes, reads],
    verify: whole,
  },
  {
    name: 'two writers without a lock',
    atLeast: 40,
    prepare: cell,
    threads: [writesWithoutLock(1), writesWithoutLock(2)],
    verify: whole,
  },
  {
    name: 'two locks in two orders',
    atLeast: 4,
    threads: [locks(header.rootsLock, header.allocatorLock), locks(header.allocatorLock, header.rootsLock)],
  },
  { ...givesUp('overdue'), name: 'who gives up swallows a notification' },
];
