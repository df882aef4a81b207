// Operations of the heap, each to be killed at every one of its steps, and what must hold afterwards. Used within one
// process (where a death is an exception that closes the doors) and with real processes and SIGKILL.
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { allocate, free } from '../../src/heap/allocator.js';
import { addForeignReference, dropForeignReference } from '../../src/heap/foreign.js';
import { Heap } from '../../src/heap/heap.js';
import { header, MAX_SLOTS, PAGE_WORDS, root, rootKind, slot, slotBase, slotState } from '../../src/heap/layout.js';
import { addHold, addReference, belongingsOf, dropReference } from '../../src/heap/lifetimes.js';
import { pagesTaken } from '../../src/heap/limit.js';
import { createRoot, type RootAddress } from '../../src/heap/roots.js';
import { SLOT_BYTES, segmentPath } from '../../src/heap/segment.js';
import { readConsistently, type Transaction } from '../../src/heap/transaction.js';
import { handOver, letGoOfArrivals, takeSlotForOther, tokenOfSlot } from '../../src/heap/transit.js';
import { errorCode, tryLockFile } from '../../src/os/index.js';
import { LockWord } from '../../src/synchronize/lock-word.js';
import { dieAt } from '../support/dying.js';

/** What an operation works on, as numbers that can be told to another process. */
export type Facts = Record<string, number>;

export interface Operation {
  readonly name: string;
  /** Fewer steps than this would mean that the hook has come off. */
  readonly atLeast: number;
  /** Done by a participant that survives. */
  readonly prepare?: (survivor: Heap) => Facts;
  /** Done by the victim, before the steps count. */
  readonly arm?: (victim: Heap, facts: Facts) => void;
  /** Done by the survivor, when the victim is ready. */
  readonly follow?: (survivor: Heap, facts: Facts) => void;
  /** Dies somewhere in here. */
  readonly act: (victim: Heap, facts: Facts) => void;
  /** By the survivor, when the victim has been reaped. Lets go of all that `prepare` has taken. */
  readonly verify?: (survivor: Heap, facts: Facts, died: boolean) => void;
}

const CELL_WORDS = 20;

/** An object for tests: contents of so many words behind a lock and a sequence. */
export function createCell(heap: Heap, words = CELL_WORDS): RootAddress {
  return heap.transaction.run((tx) => {
    const at = createRoot(tx, rootKind.cell);
    addHold(tx, at.address, belongingsOf(heap.participant.slot));
    const contents = allocate(tx, words);
    tx.fill(contents, ...new Array<number>(Math.min(words, CELL_WORDS)).fill(0));
    tx.write(at.address + root.a, contents);
    return at;
  });
}

/** Sets all words of a cell in one transaction. */
export function writeCell(heap: Heap, address: number, value: number): void {
  heap.transaction.run((tx) => {
    tx.lockObject(address);
    const contents = tx.read(address + root.a);
    for (let i = 0; i < 10; i++) tx.write(contents + i, value);
  });
}

/** The words of a cell, which must be alike. */
export function readCell(heap: Heap, address: number): number {
  const words = readConsistently(heap.transaction, address, (tx) => {
    const contents = tx.read(address + root.a);
    return Array.from({ length: 10 }, (_, i) => tx.read(contents + i));
  });
  assert.equal(new Set(words).size, 1, `a torn read: ${words}`);
  return words[0]!;
}

const inTransaction = (heap: Heap, body: (tx: Transaction) => void) => heap.transaction.run(body);

/** An object of the survivor's, by its address and serial. */
const made = (heap: Heap, kind: number = rootKind.lock): Facts => {
  const { address, serial } = heap.create(kind);
  return { address, serial, receiver: heap.participant.token };
};
const letGo = (heap: Heap, { address }: Facts) => heap.release(address!);
const at = ({ address, serial }: Facts): RootAddress => ({ address: address!, serial: serial! });

/** From here on, the heap may take so many more pages. */
export function limitTo(heap: Heap, pages: number): void {
  heap.memory.segment[header.maxPages] = pagesTaken(heap.memory) + pages;
}

function refused(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (errorCode(error) === 'ENOSPC') return;
    throw error;
  }
  assert.fail('There was room beyond the limit.');
}

const fillers = new WeakMap<Heap, number[]>();

/** Takes all free pages, but for those that are kept back. */
function fillUp(heap: Heap): void {
  const made: number[] = [];
  fillers.set(heap, made);
  for (let pages = 512; pages >= 1; ) {
    try {
      made.push(heap.createWithBlock(rootKind.cell, pages * PAGE_WORDS).address);
    } catch (error) {
      if (errorCode(error) !== 'ENOSPC') throw error;
      pages >>= 1;
    }
  }
}

function emptyAgain(heap: Heap): void {
  for (const address of fillers.get(heap)!) heap.release(address);
}

function takes(survivor: Heap, facts: Facts, died: boolean | undefined): void {
  const lock = new LockWord(survivor, at(facts));
  assert.equal(lock.takeSync(900), true, 'the lock is not handed on');
  if (died !== undefined) assert.equal(lock.ownerDied, died);
  assert.equal(lock.release(), true);
  letGo(survivor, facts);
}

/** Somebody who took part, and died in the middle of a transaction with belongings of all kinds. */
function leaveADeadOne(survivor: Heap, facts: Facts): void {
  const dead = Heap.join(survivor.id, false)!;
  dead.open(at(facts));
  dead.createRaw(100);
  dead.createRaw(100_000);
  handOver(survivor, at(facts), dead.participant.token, 1);
  dieAt(
    30,
    () => writeCell(dead, facts['address']!, 9),
    () => [dead.participant.fd],
  );
  dead.stopTicking();
}

const filled = new WeakMap<Heap, { fd: number; places: number[] }>();

/** Takes all places but one, as living participants would: their bytes are held, by one descriptor. */
export function fillPlaces(survivor: Heap): void {
  const { segment } = survivor.memory;
  const fd = openSync(segmentPath(survivor.id), 'r+');
  const free = Array.from({ length: MAX_SLOTS }, (_, index) => index).filter(
    (index) => segment[slotBase(index) + slot.state] === slotState.free,
  );
  const places = free.slice(1);
  for (const index of places) {
    assert.ok(tryLockFile(fd, 'exclusive', SLOT_BYTES + BigInt(index)));
    segment[slotBase(index) + slot.state] = slotState.live;
  }
  filled.set(survivor, { fd, places });
}

/** Those leave. */
export function emptyPlaces(survivor: Heap): void {
  const { fd, places } = filled.get(survivor)!;
  for (const index of places) survivor.memory.segment[slotBase(index) + slot.state] = slotState.free;
  closeSync(fd);
}

/** A cell of the survivor's, as a place. */
function cellOf(survivor: Heap): Facts {
  const { address, serial } = createCell(survivor);
  return { address, serial };
}

const OTHER_HEAP = { id: '00000000deadbeef', nonce: 7 };

export const heapOperations: readonly Operation[] = [
  { name: 'create, in an empty heap', atLeast: 107, act: (victim) => void victim.create(rootKind.lock) },
  {
    name: 'create',
    atLeast: 33,
    prepare: (survivor) => made(survivor),
    act: (victim) => void victim.create(rootKind.lock),
    verify: letGo,
  },
  {
    name: 'release, ending the object',
    atLeast: 37,
    prepare: (survivor) => made(survivor),
    arm: (victim, facts) => {
      facts['own'] = victim.create(rootKind.lock).address;
    },
    act: (victim, facts) => victim.release(facts['own']!),
    verify: letGo,
  },
  {
    name: 'open',
    atLeast: 25,
    prepare: (survivor) => made(survivor),
    act: (victim, facts) => void victim.open(at(facts)),
    verify: letGo,
  },
  {
    name: 'release, held by another too',
    atLeast: 21,
    prepare: (survivor) => made(survivor),
    arm: (victim, facts) => void victim.open(at(facts)),
    act: (victim, facts) => victim.release(facts['address']!),
    verify: letGo,
  },
  {
    name: 'dispose',
    atLeast: 11,
    prepare: (survivor) => made(survivor),
    act: (victim, facts) => victim.dispose(at(facts)),
    verify: letGo,
  },
  { name: 'raw memory in an extent', atLeast: 283, act: (victim) => void victim.createRaw(64) },
  {
    name: 'raw memory in an extent, ended',
    atLeast: 53,
    arm: (victim, facts) => {
      facts['own'] = victim.createRaw(64).address;
    },
    act: (victim, facts) => victim.release(facts['own']!),
  },
  { name: 'raw memory in a file', atLeast: 131, act: (victim) => void victim.createRaw(100_000) },
  {
    name: 'raw memory in a file, ended',
    atLeast: 68,
    arm: (victim, facts) => {
      facts['own'] = victim.createRaw(100_000).address;
    },
    act: (victim, facts) => victim.release(facts['own']!),
  },
  {
    name: 'raw memory for whose file the limit leaves no room, nor for an extent',
    atLeast: 20,
    prepare: (survivor) => {
      const facts = made(survivor);
      limitTo(survivor, 5);
      return facts;
    },
    act: (victim) => refused(() => victim.createRaw(100_000)),
    verify: letGo,
  },
  {
    name: 'an extent for which the limit leaves no room',
    atLeast: 10,
    prepare: (survivor) => {
      const facts = made(survivor);
      limitTo(survivor, 20);
      return facts;
    },
    act: (victim) => refused(() => createCell(victim, 300_000)),
    verify: letGo,
  },
  {
    name: 'what is kept back is spent',
    atLeast: 20,
    prepare: (survivor) => {
      const facts = made(survivor);
      limitTo(survivor, 0);
      fillUp(survivor);
      return facts;
    },
    act: (victim) =>
      void victim.transaction.run(
        (tx) => {
          const block = allocate(tx, 2 * PAGE_WORDS);
          tx.free(block);
        },
        undefined,
        true,
      ),
    verify: (survivor, facts) => {
      emptyAgain(survivor);
      letGo(survivor, facts);
    },
  },
  { name: 'raw memory with a lock', atLeast: 60, act: (victim) => void victim.createRaw(8, rootKind.lockedRaw) },
  {
    name: 'raw memory with a lock, opened, ended and made again',
    atLeast: 80,
    prepare: (survivor) => made(survivor, rootKind.rlock),
    arm: (victim, facts) => {
      const { address, serial } = victim.createRaw(8, rootKind.lockedRaw);
      Object.assign(facts, { own: address, ownSerial: serial });
    },
    act: (victim, facts) => {
      // As a Value does whose lock is used: the wrapper of the lock has a hold of its own.
      const own = { address: facts['own']!, serial: facts['ownSerial']! };
      assert.equal(victim.open(own), rootKind.lockedRaw);
      const lock = new LockWord(victim, own);
      assert.equal(lock.takeFree(), true);
      lock.release();
      victim.release(own.address);
      victim.release(own.address);
      victim.createRaw(8, rootKind.lockedRaw);
    },
    verify: letGo,
  },
  {
    name: 'the lock of raw memory, taken and disposed of',
    atLeast: 8,
    prepare: (survivor) => {
      const { address, serial } = survivor.createRaw(8, rootKind.lockedRaw);
      return { address, serial };
    },
    arm: (victim, facts) => void victim.open(at(facts)),
    act: (victim, facts) => {
      assert.equal(new LockWord(victim, at(facts)).takeFree(), true);
      victim.dispose(at(facts));
    },
    verify: letGo,
  },
  {
    name: 'the lock of raw memory, held at death',
    atLeast: 1,
    prepare: (survivor) => {
      const { address, serial } = survivor.createRaw(8, rootKind.lockedRaw);
      return { address, serial };
    },
    arm: (victim, facts) => void victim.open(at(facts)),
    act: (victim, facts) => {
      const lock = new LockWord(victim, at(facts));
      assert.equal(lock.takeFree(), true);
      assert.equal(lock.release(), true);
    },
    verify: (survivor, facts) => takes(survivor, facts, undefined),
  },
  {
    name: 'raw memory with a lock in a file, ended',
    atLeast: 40,
    arm: (victim, facts) => {
      facts['own'] = victim.createRaw(100_000, rootKind.lockedRaw).address;
    },
    act: (victim, facts) => victim.release(facts['own']!),
  },
  {
    name: 'a large block, taken and given back between others',
    atLeast: 41,
    prepare: (survivor) => {
      const a = createCell(survivor, 9000);
      const b = createCell(survivor, 9000);
      const c = createCell(survivor, 9000);
      return { a: a.address, b: b.address, c: c.address };
    },
    arm: (victim, facts) => {
      facts['own'] = createCell(victim, 5000).address;
    },
    act: (victim, facts) =>
      inTransaction(victim, (tx) => {
        tx.lockRoots();
        const old = tx.read(facts['own']! + root.a);
        tx.write(facts['own']! + root.a, allocate(tx, 20_000));
        tx.free(old);
      }),
  },
  {
    name: 'blocks that fill a page, and empty it',
    atLeast: 124,
    prepare: (survivor) => made(survivor),
    arm: (victim, facts) => {
      // Four blocks fill a page of this class: one more begins the next, and giving it back empties that.
      for (let i = 0; i < 4; i++) facts[`own${i}`] = createCell(victim, 1000).address;
    },
    act: (victim) => {
      const fifth = victim.transaction.run((tx) => {
        const address = allocate(tx, 1000);
        free(tx, address);
        return address;
      });
      assert.ok(fifth > 0);
      createCell(victim, 1000);
    },
    verify: letGo,
  },
  {
    name: 'references of containers',
    atLeast: 11,
    prepare: (survivor) => made(survivor),
    act: (victim, facts) => {
      // Taken and dropped in one transaction, as a container does that is made and dies.
      inTransaction(victim, (tx) => {
        addReference(tx, facts['address']!);
        dropReference(tx, facts['address']!);
      });
    },
    verify: letGo,
  },
  {
    name: 'references from another heap',
    atLeast: 98,
    prepare: (survivor) => made(survivor),
    act: (victim, facts) => {
      inTransaction(victim, (tx) => addForeignReference(tx, facts['address']!, OTHER_HEAP));
      inTransaction(victim, (tx) => addForeignReference(tx, facts['address']!, OTHER_HEAP));
      inTransaction(victim, (tx) => void dropForeignReference(tx, facts['address']!, OTHER_HEAP));
    },
    verify: (survivor, facts) => {
      // The other heap is gone: it never was.
      survivor.dropGoneReferences(() => true);
      letGo(survivor, facts);
    },
  },
  {
    name: 'dropping references of a heap that is gone',
    atLeast: 61,
    prepare: (survivor) => {
      const facts = made(survivor);
      for (let i = 0; i < 3; i++)
        inTransaction(survivor, (tx) => addForeignReference(tx, facts['address']!, OTHER_HEAP));
      return facts;
    },
    act: (victim) => victim.dropGoneReferences(() => true),
    verify: (survivor, facts) => {
      survivor.dropGoneReferences(() => true);
      letGo(survivor, facts);
    },
  },
  {
    name: 'a transaction of ten words',
    atLeast: 46,
    prepare: (survivor) => {
      const cell = createCell(survivor);
      writeCell(survivor, cell.address, 1);
      return { address: cell.address, serial: cell.serial };
    },
    act: (victim, facts) => writeCell(victim, facts['address']!, 2),
    verify: (survivor, facts, died) => {
      const value = readCell(survivor, facts['address']!);
      assert.ok(died ? value === 1 || value === 2 : value === 2, `${value}`);
      writeCell(survivor, facts['address']!, 3);
      assert.equal(readCell(survivor, facts['address']!), 3);
    },
  },
  {
    name: 'an error within a transaction',
    atLeast: 88,
    prepare: (survivor) => {
      const cell = createCell(survivor);
      return { address: cell.address, serial: cell.serial };
    },
    act: (victim, facts) => {
      try {
        inTransaction(victim, (tx) => {
          tx.lockObject(facts['address']!);
          const contents = tx.read(facts['address']! + root.a);
          for (let i = 0; i < 5; i++) tx.write(contents + i, 9);
          allocate(tx, 100);
          throw new RangeError('on purpose');
        });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    },
    verify: (survivor, facts) => assert.equal(readCell(survivor, facts['address']!), 0),
  },
  {
    name: 'reading what changes',
    atLeast: 2,
    prepare: (survivor) => {
      const cell = createCell(survivor);
      return { address: cell.address, serial: cell.serial };
    },
    act: (victim, facts) => void readCell(victim, facts['address']!),
    verify: (survivor, facts) => assert.equal(readCell(survivor, facts['address']!), 0),
  },
  {
    name: 'leave, with a large estate',
    atLeast: 281,
    prepare: (survivor) => made(survivor),
    arm: (victim, facts) => {
      victim.open(at(facts));
      for (let i = 0; i < 3; i++) victim.create(rootKind.rlock);
      victim.createRaw(100_000);
      victim.createRaw(100);
    },
    act: (victim) => victim.leave(),
    verify: letGo,
  },
  {
    name: 'join, and leave',
    atLeast: 15,
    act: (victim) => Heap.join(victim.id, false)!.leave(),
  },
  {
    name: 'join, in the place and with the estate of the dead',
    atLeast: 197,
    prepare: (survivor) => {
      const facts = cellOf(survivor);
      leaveADeadOne(survivor, facts);
      fillPlaces(survivor);
      return facts;
    },
    arm: (victim, facts) => {
      // The next place that is tried is that of the dead one.
      const owners = Array.from({ length: MAX_SLOTS }, (_, index) => index);
      const { segment } = victim.memory;
      segment[header.nextSlot] = owners.find((index) => segment[slotBase(index) + slot.logLength] !== 0)!;
      facts['next'] = segment[header.nextSlot]!;
    },
    act: (victim, facts) => {
      const joined = Heap.join(victim.id, false)!;
      assert.equal(joined.participant.slot, facts['next']);
      joined.leave();
    },
    verify: (survivor, facts) => {
      emptyPlaces(survivor);
      assert.equal(readCell(survivor, facts['address']!), 0);
      letGo(survivor, facts);
    },
  },
  {
    name: 'reap one who died in a transaction',
    atLeast: 185,
    prepare: (survivor) => {
      const facts = cellOf(survivor);
      leaveADeadOne(survivor, facts);
      return facts;
    },
    act: (victim) => victim.lookAround(MAX_SLOTS),
    verify: (survivor, facts) => {
      assert.equal(readCell(survivor, facts['address']!), 0);
      letGo(survivor, facts);
    },
  },
  {
    name: 'an object handed over to another, and taken',
    atLeast: 78,
    prepare: (survivor) => made(survivor),
    arm: (victim, facts) => void victim.open(at(facts)),
    act: (victim, facts) => {
      handOver(victim, at(facts), facts['receiver']!, 7);
      handOver(victim, at(facts), victim.participant.token, 8);
      letGoOfArrivals(victim, 8);
    },
    verify: (survivor, facts) => {
      letGoOfArrivals(survivor, 7);
      letGo(survivor, facts);
    },
  },
  {
    name: 'a place taken for a child that is never started, with arguments',
    atLeast: 31,
    prepare: (survivor) => made(survivor),
    arm: (victim, facts) => void victim.open(at(facts)),
    act: (victim, facts) => {
      const taken = takeSlotForOther(victim);
      handOver(victim, at(facts), tokenOfSlot(taken), 0);
      closeSync(taken.fd);
    },
    verify: (survivor, facts) => {
      survivor.lookAround(MAX_SLOTS);
      letGo(survivor, facts);
    },
  },
  {
    name: 'acquire and release',
    atLeast: 2,
    prepare: (survivor) => made(survivor),
    act: (victim, facts) => {
      const lock = new LockWord(victim, at(facts));
      assert.equal(lock.takeFree(), true);
      lock.release();
    },
    verify: (survivor, facts) => takes(survivor, facts, undefined),
  },
  {
    name: 'release of a lock that others wait for',
    atLeast: 3,
    prepare: (survivor) => made(survivor),
    arm: (victim, facts) => {
      const lock = new LockWord(victim, at(facts));
      assert.equal(lock.takeFree(), true);
      assert.notEqual(lock.prepareSleep(true), undefined); // as a starved waiter does
    },
    act: (victim, facts) => void new LockWord(victim, at(facts)).release(),
    verify: (survivor, facts) => takes(survivor, facts, undefined),
  },
  {
    name: 'acquire from the dead',
    atLeast: 3,
    prepare: (survivor) => {
      const facts = made(survivor);
      // The word as somebody leaves it who died long ago: an old generation of the survivor's own slot.
      const words = survivor.memory.at(facts['address']!);
      const index = (facts['address']! & ((1 << 22) - 1)) + root.lock;
      words[index] = (0 << 9) | survivor.participant.slot | 0x3ffffe00;
      return facts;
    },
    act: (victim, facts) => {
      const lock = new LockWord(victim, at(facts));
      assert.equal(lock.attempt(0, true), 'taken');
      assert.equal(lock.ownerDied, true);
    },
    verify: (survivor, facts) => takes(survivor, facts, true),
  },
];
