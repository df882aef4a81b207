// What two or three threads do at the same time with one lock, for test/heap/lockstep.test.ts.
import assert from 'node:assert/strict';
import { StaleHandleError } from '../../src/errors/index.js';
import { step } from '../../src/heap/doors.js';
import type { Heap } from '../../src/heap/heap.js';
import { EXTENT_MASK, root, rootKind } from '../../src/heap/layout.js';
import { Place } from '../../src/heap/place.js';
import type { RootAddress } from '../../src/heap/roots.js';
import { RLock } from '../../src/synchronize/index.js';
import { LockWord } from '../../src/synchronize/lock-word.js';
import type { Ending, Facts, Part, Scene } from '../support/lockstep/scene.js';

const at = ({ address, serial }: Facts): RootAddress => ({ address: address!, serial: serial! });
const FOREVER = Number.POSITIVE_INFINITY;

const prepared =
  (kind: number) =>
  (survivor: Heap): Facts => {
    const { address, serial } = survivor.create(kind);
    return { address, serial };
  };

/** Words of the lock's own root that a lock does not use: who is inside, and how often somebody was. */
function wordsOf(heap: Heap, address: number): { words: Int32Array; inside: number; count: number } {
  const index = address & EXTENT_MASK;
  return { words: heap.memory.at(address), inside: index + root.b, count: index + root.c };
}

/** What the lock guards, without any atomic operation. */
function section(heap: Heap, { address }: Facts, ownerDied: boolean): void {
  const { words, inside, count } = wordsOf(heap, address!);
  step();
  // Who dies inside leaves his mark; who comes next is told.
  if (words[inside] !== 0) assert.ok(ownerDied, 'two are inside');
  step();
  words[inside] = heap.participant.token;
  step();
  const before = words[count]!;
  step();
  words[count] = before + 1;
  step();
  assert.equal(words[inside], heap.participant.token, 'another came inside');
  words[inside] = 0;
}

/** Enters so many times. @returns how often that was possible within `timeout`. */
const enters = (times: number, timeout = FOREVER): Part => ({
  act: (heap, facts) => {
    const lock = new LockWord(heap, at(facts));
    let entered = 0;
    for (let i = 0; i < times; i++) {
      if (!lock.takeSync(timeout)) continue;
      section(heap, facts, lock.ownerDied);
      entered += 1;
      assert.equal(lock.release(), true, 'the lock is not his who took it');
    }
    return entered;
  },
});

/** Has the lock from the start. */
const holds: Part = {
  arm: (heap, facts) => void assert.equal(new LockWord(heap, at(facts)).takeFree(), true),
  act: (heap, facts) => {
    section(heap, facts, false);
    assert.equal(new LockWord(heap, at(facts)).release(), true);
    return 1;
  },
};

/** Enters a recursive lock, and again. */
const entersTwice: Part = {
  act: (heap, facts) => {
    const lock = new (RLock as unknown as new (place: Place) => RLock)(new Place(heap, at(facts)));
    lock.acquireSync();
    const { ownerDied } = lock;
    assert.equal(lock.acquireSync(), true);
    lock.release();
    section(heap, facts, ownerDied);
    lock.release();
    assert.throws(() => lock.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
    return 1;
  },
};

/** The section was entered as often as the living say, and by the dead perhaps once more each; the lock goes on. */
function counted(survivor: Heap, facts: Facts, endings: readonly Ending[], mostOfTheDead = 1): void {
  const lock = new LockWord(survivor, at(facts));
  assert.equal(lock.attempt(0, true), 'taken', 'the lock is not handed on');
  const { words, count } = wordsOf(survivor, facts['address']!);
  const least = endings.reduce((sum, { result }) => sum + (result ?? 0), 0);
  const most = least + mostOfTheDead * endings.filter(({ died }) => died).length;
  assert.ok(words[count]! >= least && words[count]! <= most, `entered ${words[count]} times, not ${least} to ${most}`);
  assert.equal(lock.release(), true);
}
const countedTwice: Scene['verify'] = (survivor, facts, endings) => counted(survivor, facts, endings, 2);

/** Enters, or finds that the lock has been disposed of. */
const entersUnlessStale: Part = {
  act: (heap, facts) => {
    const lock = new LockWord(heap, at(facts));
    try {
      lock.takeSync(FOREVER);
    } catch (error) {
      if (!(error instanceof StaleHandleError)) throw error;
      return 0;
    }
    section(heap, facts, lock.ownerDied);
    lock.release();
    return 1;
  },
};
const disposes: Part = { act: (heap, facts) => heap.dispose(at(facts)) };
const disposed: Scene['verify'] = (survivor, facts, endings) => {
  const disposer = endings.at(-1)!;
  if (!disposer.died) assert.throws(() => new LockWord(survivor, at(facts)).takeFree(), StaleHandleError);
};

const lock = { atLeast: 8, prepare: prepared(rootKind.lock) };
const rlock = { atLeast: 8, prepare: prepared(rootKind.rlock) };

export const scenes: readonly Scene[] = [
  { ...lock, name: 'Lock: enter twice ‖ enter twice', threads: [enters(2), enters(2)], verify: countedTwice },
  { ...lock, name: 'Lock: enter ‖ enter ‖ enter', threads: [enters(1), enters(1), enters(1)], verify: counted },
  { ...lock, name: 'Lock: holder ‖ enter', threads: [holds, enters(1)], verify: counted },
  { ...lock, name: 'Lock: holder ‖ enter ‖ enter', threads: [holds, enters(1), enters(1)], verify: counted },
  { ...lock, name: 'Lock: holder ‖ enter in time', threads: [holds, enters(2, 5)], verify: countedTwice },
  {
    ...lock,
    name: 'Lock: holder ‖ enter in time ‖ enter',
    threads: [holds, enters(1, 5), enters(1)],
    verify: counted,
  },
  { ...lock, name: 'Lock: enter ‖ dispose', threads: [entersUnlessStale, disposes], verify: disposed },
  {
    ...lock,
    name: 'Lock: enter ‖ enter ‖ dispose',
    threads: [entersUnlessStale, entersUnlessStale, disposes],
    verify: disposed,
  },
  { ...rlock, name: 'RLock: enter twice ‖ enter twice', threads: [entersTwice, entersTwice], verify: counted },
  {
    ...rlock,
    name: 'RLock: enter twice, three times',
    threads: [entersTwice, entersTwice, entersTwice],
    verify: counted,
  },
];
