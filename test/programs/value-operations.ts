// Operations on values that are too much for one transaction, each to be killed at every one of its steps.
import assert from 'node:assert/strict';
import { type Heap, Place, rootKind } from '../../src/heap/internal.js';
import { root } from '../../src/heap/layout.js';
import { makeParcel, parcelBytes } from '../../src/values/parcel.js';
import type { Facts, Operation } from './heap-operations.js';

const BYTES = 1000;
const FILE_BYTES = 8 * 1024 * 1024 + 1;

/** Two objects of the survivor's, which parcels refer to. */
function twoLocks(survivor: Heap): Facts {
  const [one, other] = [survivor.create(rootKind.lock), survivor.create(rootKind.lock)];
  return { one: one.address, oneSerial: one.serial, other: other.address, otherSerial: other.serial };
}

const places = (heap: Heap, facts: Facts, count = 2): Place[] =>
  Array.from({ length: count }, (_, i) =>
    i % 2 === 0
      ? new Place(heap, { address: facts['one']!, serial: facts['oneSerial']! })
      : new Place(heap, { address: facts['other']!, serial: facts['otherSerial']! }),
  );

function holdBoth(victim: Heap, facts: Facts): void {
  for (const { at } of places(victim, facts)) victim.open(at);
}

/** Nothing refers to the two any more. */
function unreferred(survivor: Heap, facts: Facts): void {
  survivor.bury();
  for (const { at } of places(survivor, facts)) {
    assert.equal(survivor.memory.load(at.address + root.references), 0);
    survivor.release(at.address);
  }
}

const make = (heap: Heap, facts: Facts, bytes: number, count = 2) =>
  makeParcel(heap, bytes, places(heap, facts, count), (memory) => void memory.fill(7));

export const valueOperations: readonly Operation[] = [
  {
    name: 'a parcel made and let go of',
    atLeast: 283,
    prepare: twoLocks,
    arm: holdBoth,
    act: (victim, facts) => {
      const { address } = make(victim, facts, BYTES);
      victim.release(address);
    },
    verify: unreferred,
  },
  {
    name: 'a parcel in a file made and let go of',
    atLeast: 211,
    act: (victim, facts) => {
      const parcel = makeParcel(victim, FILE_BYTES, [], (memory) => void memory.fill(7, 0, 10));
      assert.equal(parcelBytes(victim, parcel)[9], 7);
      victim.release(parcel.address);
      facts['made'] = 1;
    },
    verify: (survivor) => survivor.bury(),
  },
  {
    name: 'a parcel with many references, buried in parts',
    atLeast: 397,
    prepare: twoLocks,
    arm: (victim, facts) => {
      holdBoth(victim, facts);
      facts['parcel'] = make(victim, facts, 0, 40).address;
    },
    act: (victim, facts) => {
      victim.release(facts['parcel']!);
      victim.bury();
    },
    verify: unreferred,
  },
];
