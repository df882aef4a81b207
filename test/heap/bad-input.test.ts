import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { Lock } from 'multiprocess';
import { MultiprocessError } from '../../src/errors/index.js';
import { onStep } from '../../src/heap/doors.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import {
  EXTENT_MASK,
  EXTENT_TABLE,
  header,
  logBase,
  MAX_SLOTS,
  root,
  rootKind,
  SEGMENT_WORDS,
  slotBase,
} from '../../src/heap/layout.js';
import { addReference, arrivalsOf } from '../../src/heap/lifetimes.js';
import { Place } from '../../src/heap/place.js';
import { segmentPath } from '../../src/heap/segment.js';
import { handOver, letGoOfArrivals } from '../../src/heap/transit.js';
import { removeFile } from '../../src/os/index.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { loadText } from '../../src/synchronize/barrier-action.js';
import {
  abandonRound,
  arrive,
  breakBarrier,
  completeRound,
  leaveRound,
  type Party,
  resetBarrier,
  withdraw,
} from '../../src/synchronize/barrier-rounds.js';
import { LockWord } from '../../src/synchronize/lock-word.js';
import { PermitWord } from '../../src/synchronize/permit-word.js';
import {
  abandonLine,
  alertAll,
  grant,
  leaveLine,
  seemsGranted,
  standInLine,
  type Waiter,
} from '../../src/synchronize/waiting-list.js';
import { createCell, readCell, writeCell } from '../programs/heap-operations.js';
import { hasCode, osError } from '../support/errors.js';
import { collectGarbage } from '../support/gc.js';
import { randomFrom, seedOf } from '../support/random.js';

const filesOf = (id: string) => readdirSync('/dev/shm').filter((file) => file.startsWith(`mp-heap-${id}`));

describe('something else in the place of a heap', () => {
  const corrupt = hasCode('ERR_MULTIPROCESS_CORRUPT_SEGMENT');
  const inPlace = (
    make: (path: string) => void,
    clear: (path: string) => void,
    expected: (error: unknown) => boolean,
  ) => {
    const id = randomHex(16);
    make(segmentPath(id));
    try {
      assert.throws(() => Heap.join(id, true), expected);
      assert.throws(() => Heap.join(id, false), expected);
    } finally {
      clear(segmentPath(id));
    }
  };
  test('an empty file', () => inPlace((path) => writeFileSync(path, ''), unlinkSync, corrupt));
  test('a shorter one', () => inPlace((path) => writeFileSync(path, Buffer.alloc(5000)), unlinkSync, corrupt));
  test('zeros', () => inPlace((path) => writeFileSync(path, Buffer.alloc(SEGMENT_WORDS * 4)), unlinkSync, corrupt));
  test('another version', () =>
    inPlace(
      (path) => {
        const bytes = Buffer.alloc(SEGMENT_WORDS * 4);
        bytes.writeInt32LE(0x6870_6d30, 0);
        writeFileSync(path, bytes);
      },
      unlinkSync,
      corrupt,
    ));
  test('a directory', () => inPlace((path) => mkdirSync(path), rmdirSync, osError('EISDIR')));
  test('a symbolic link', () => inPlace((path) => symlinkSync('/dev/shm/nowhere', path), unlinkSync, osError('ELOOP')));
});

test('512 participants, and one more', () => {
  const id = randomHex(16);
  const all: Heap[] = [];
  for (let i = 0; i < MAX_SLOTS; i++) all.push(Heap.join(id, true)!);
  assert.throws(() => Heap.join(id, true), hasCode('ERR_MULTIPROCESS_TOO_MANY_PARTICIPANTS'));
  all.pop()!.leave();
  const again = Heap.join(id, false)!;
  assert.deepEqual(checkHeap(again).problems, []);
  again.leave();
  for (const heap of all) heap.leave();
  sweepHeap(id);
  assert.deepEqual(filesOf(id), []);
});

test('a descriptor closed under our feet: fenced, and nothing more is written', () => {
  const id = randomHex(16);
  const other = Heap.join(id, true)!;
  const fenced = Heap.join(id, false)!;
  const at = other.create(rootKind.lock);
  const lock = new LockWord(fenced, at);
  assert.equal(lock.takeFree(), true);
  closeSync(fenced.participant.fd);
  other.lookAround(512);
  const mine = new LockWord(other, at);
  assert.equal(mine.takeSync(900), true);
  assert.equal(mine.ownerDied, true);
  assert.throws(() => fenced.create(rootKind.lock), hasCode('ERR_MULTIPROCESS_CLOSED'));
  assert.throws(() => lock.takeFree(), hasCode('ERR_MULTIPROCESS_CLOSED'));
  assert.equal(lock.release(), false);
  assert.equal(mine.release(), true);
  fenced.stopTicking();
  other.release(at.address);
  assert.deepEqual(checkHeap(other).problems, []);
  other.leave();
  sweepHeap(id);
});

test('its number given to another file: nobody is declared dead by it', () => {
  const id = randomHex(16);
  const other = Heap.join(id, true)!;
  const confused = Heap.join(id, false)!;
  const at = other.create(rootKind.lock);
  const lock = new LockWord(other, at);
  assert.equal(lock.takeFree(), true);
  closeSync(confused.participant.fd);
  const taken = openSync('/dev/null', 'r+');
  assert.equal(taken, confused.participant.fd);
  assert.throws(() => confused.participant.isAlive(other.participant.slot), hasCode('ERR_MULTIPROCESS_CLOSED'));
  assert.throws(() => new LockWord(confused, at).takeSync(200), hasCode('ERR_MULTIPROCESS_CLOSED'));
  assert.equal(lock.release(), true);
  confused.stopTicking();
  closeSync(taken);
  other.leave();
  sweepHeap(id);
});

test('a vm timeout in a loop of operations leaves nothing half done', { timeout: 60_000 }, async () => {
  const id = randomHex(16);
  const heap = Heap.join(id, true)!;
  const other = Heap.join(id, false)!;
  const cell = createCell(heap);
  let value = 0;
  const context = createContext({
    work: () => {
      value += 1;
      writeCell(heap, cell.address, value);
      const { address } = heap.create(rootKind.lock);
      heap.release(address);
    },
  });
  for (let round = 0; round < 100; round++) {
    assert.throws(() => runInContext('for (;;) work()', context, { timeout: 1 + (round % 5) }), /timed out/);
    // Either finishes what was left: the next operation, or the timer.
    if (round % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 150));
    else heap.transaction.settle();
    assert.ok(readCell(other, cell.address) >= value - 1);
    writeCell(other, cell.address, value);
    assert.deepEqual(
      checkHeap(other).problems.filter((problem) => !problem.includes('nobody')),
      [],
    );
  }
  heap.leave();
  other.leave();
  sweepHeap(id);
});

test('a reaper whose JavaScript is cut short, at each of its steps, leaves the dead to others', {
  timeout: 60_000,
}, () => {
  for (let step = 1, cut = true; cut; step++) {
    const id = randomHex(16);
    const [reaper, other, dead] = [Heap.join(id, true)!, Heap.join(id, false)!, Heap.join(id, false)!];
    for (const heap of [reaper, other, dead]) heap.stopTicking();
    dead.create(rootKind.lock);
    closeSync(dead.participant.fd);
    let steps = 0;
    const reap = () => {
      onStep(() => {
        steps += 1;
        if (steps === step) for (;;);
      });
      reaper.lookAround(MAX_SLOTS);
    };
    try {
      runInContext('reap()', createContext({ reap }), { timeout: 20 });
      cut = false;
    } catch (error) {
      assert.match(String(error), /timed out/);
    } finally {
      onStep(undefined);
    }
    reaper.transaction.settle();
    other.lookAround(MAX_SLOTS);
    assert.equal(dead.participant.valid, false, `cut short at step ${step}, it keeps others from reaping`);
    assert.deepEqual(checkHeap(other).problems, []);
    reaper.leave();
    other.leave();
    sweepHeap(id);
  }
});

test('a vm timeout in runSync, and in raw memory, leaves no lock held and nothing behind', {
  timeout: 60_000,
}, async () => {
  const lock = new Lock();
  const tree = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  const before = checkHeap(tree);
  let sections = 0;
  const context = createContext({
    work: () => {
      lock.runSync(() => {
        sections += 1;
        for (let i = 0; i < 1000; i++) Math.sqrt(i);
      });
      const { address } = tree.createRaw(1 + (sections % 300));
      tree.release(address);
    },
  });
  for (let round = 0; round < 60; round++) {
    assert.throws(() => runInContext('for (;;) work()', context, { timeout: 1 + (round % 5) }), /timed out/);
    // In a later turn it is free again, and so is what the heap's own work has left.
    assert.equal(await lock.acquire({ timeout: 1000 }), true, `round ${round}`);
    lock.release();
    tree.transaction.settle();
  }
  assert.ok(sections > 60);
  const after = checkHeap(tree);
  // Raw memory that was made when its call was cut short has no owner to drop it: it goes when this thread leaves.
  assert.deepEqual(
    after.problems.filter((problem) => !problem.includes('nobody')),
    [],
  );
  assert.ok(after.roots - before.roots <= 60);
  tree.leave();
});

/** Waiters in line, parties in a round, members, permits and arrivals, of the living and of one who is dead. */
function crowd(heap: Heap, id: string): { addresses: number[]; operations: (() => unknown)[] } {
  const dead = Heap.join(id, false)!;
  dead.stopTicking();
  const lock = heap.create(rootKind.lock);
  const condition = heap.create(rootKind.condition, [0, 0, lock.address], (tx) => addReference(tx, lock.address));
  const barrier = heap.create(rootKind.barrier, [0, 4]);
  const permits = heap.createWithBlock(rootKind.boundedSemaphore, 3);
  const addresses = [lock, condition, barrier, permits].map(({ address }) => address);
  const waiters: Waiter[] = [];
  const come: Party[] = [];
  for (const each of [heap, dead, heap, dead]) {
    for (const at of [condition, barrier, permits]) each.open(at);
    const waiter = standInLine(new Place(each, condition), () => {});
    const party = arrive(new Place(each, barrier), false, () => {}) as Party;
    new PermitWord(each, permits).attempt(0, true);
    addresses.push(waiter.node, party.node, party.round);
    if (each === heap) {
      waiters.push(waiter);
      come.push(party);
    }
    handOver(heap, condition, each.participant.token, 0);
    addresses.push(slotBase(each.participant.slot), heap.memory.load(arrivalsOf(each.participant.slot)));
  }
  addresses.push(heap.memory.load(permits.address + root.a));
  closeSync(dead.participant.fd);
  const [queue, rounds] = [new Place(heap, condition), new Place(heap, barrier)];
  const permit = () => new PermitWord(heap, permits);
  return {
    addresses,
    operations: [
      () => grant(queue, 1),
      () => seemsGranted(queue, waiters[0]!),
      () => leaveLine(queue, waiters[0]!, 'unfit'),
      () => standInLine(queue, () => {}),
      () => abandonLine(queue, waiters[1]!),
      () => grant(queue, 0x7fff_ffff),
      () => alertAll(queue),
      () => withdraw(rounds, come[0]!),
      () => arrive(rounds, true, () => {}),
      () => completeRound(rounds, come[1]!),
      () => leaveRound(rounds, come[1]!),
      () => abandonRound(rounds, come[1]!),
      () => resetBarrier(rounds),
      () => breakBarrier(rounds),
      () => loadText(rounds),
      () => permit().value,
      () => permit().takeSync(5),
      () => permit().release(1),
      () => letGoOfArrivals(heap, 0),
      () => heap.release(condition.address),
    ],
  };
}

test('hostile bytes anywhere: a typed error at once, or none', { timeout: 120_000 }, async (context) => {
  const rounds = Number(process.env['ROUNDS'] ?? 300);
  const first = seedOf();
  context.diagnostic(`SEED=${first}`);
  for (let seed = first; seed < first + rounds; seed++) {
    const random = randomFrom(seed);
    const id = randomHex(16);
    const heap = Heap.join(id, true)!;
    heap.stopTicking();
    const cell = createCell(heap);
    const locks = Array.from({ length: 5 }, () => heap.create(rootKind.lock));
    const raw = heap.createRaw(100);
    const own = heap.participant.slot;
    const scene = crowd(heap, id);
    const parts = Array.from({ length: heap.memory.extentCount }, (_, i) => heap.memory.at(i << 22));
    for (let hit = 0; hit < 1 + random() * 20; hit++) {
      const target = random() < 0.5 ? scene.addresses[Math.floor(random() * scene.addresses.length)]! : 0;
      const words = target !== 0 ? heap.memory.at(target) : parts[Math.floor(random() * parts.length)]!;
      // Mostly where something is: the header, the slots in use, descriptors and roots.
      const near = [0, slotBase(own), logBase(own), EXTENT_TABLE, 0, 4096][Math.floor(random() * 6)]!;
      const at =
        target !== 0
          ? (target & EXTENT_MASK) + Math.floor(random() * 16)
          : random() < 0.8
            ? near + Math.floor(random() * 600)
            : Math.floor(random() * words.length);
      if (at >= words.length) continue;
      const values = [
        0,
        1,
        -1,
        0x7fff_ffff,
        words[at]! ^ (1 << Math.floor(random() * 32)),
        Math.floor(random() * 2 ** 32) | 0,
        // Addresses that are some, but not the right ones: lists that lead into themselves.
        scene.addresses[Math.floor(random() * scene.addresses.length)]!,
        scene.addresses[Math.floor(random() * scene.addresses.length)]!,
      ];
      words[at] = values[Math.floor(random() * values.length)]!;
    }
    const start = performance.now();
    const attempt = (what: () => unknown) => {
      try {
        what();
      } catch (error) {
        const typed = error instanceof MultiprocessError || error instanceof RangeError;
        assert.ok(
          typed || typeof (error as { errno?: number }).errno === 'number',
          `seed ${seed}: ${(error as Error).stack}`,
        );
      }
      assert.ok(performance.now() - start < 3000, `seed ${seed}: too late, at ${what}`);
    };
    attempt(() => heap.create(rootKind.rlock));
    attempt(() => heap.createRaw(300));
    attempt(() => writeCell(heap, cell.address, 5));
    attempt(() => heap.transaction.run((tx) => tx.read(cell.address)));
    attempt(() => new LockWord(heap, locks[0]!).takeSync(20));
    attempt(() => heap.open(locks[1]!));
    attempt(() => heap.release(locks[2]!.address));
    attempt(() => heap.dispose(locks[3]!));
    for (const what of scene.operations) attempt(what);
    attempt(() => heap.raw(raw));
    attempt(() => heap.release(raw.address));
    attempt(() => heap.lookAround(512));
    attempt(() => Heap.join(id, false)?.leave());
    attempt(() => checkHeap(heap));
    attempt(() => heap.leave());
    attempt(() => sweepHeap(id));
    for (const file of filesOf(id)) removeFile(`/dev/shm/${file}`);
    if (seed % 32 === 0) await collectGarbage();
  }
  assert.ok(header.magic === 0);
});
