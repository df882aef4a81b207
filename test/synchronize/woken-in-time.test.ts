// Who looks, finds nothing, and sleeps on what it read before, must not sleep through the wake-up that comes for it. So a word
// that waiters sleep on is bumped only when what they wait for can be seen: here that is looked at before each step.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { onStep } from '../../src/heap/doors.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import { EXTENT_MASK, root, rootKind } from '../../src/heap/layout.js';
import { addReference } from '../../src/heap/lifetimes.js';
import { Place } from '../../src/heap/place.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import * as barrier from '../../src/synchronize/barrier-rounds.js';
import * as line from '../../src/synchronize/waiting-list.js';

const heap = Heap.join(randomHex(16), true)!;
after(() => {
  heap.leave();
  sweepHeap(heap.id);
});

const wordAt = (address: number) => heap.memory.at(address)[address & EXTENT_MASK]!;

interface Awaited {
  readonly futex: number;
  isThere(): boolean;
}

/** Runs `change`, and looks before each of its steps at all that somebody may wait for. */
function watched(awaited: readonly Awaited[], change: () => void): void {
  const before = awaited.map(({ futex }) => wordAt(futex));
  let steps = 0;
  const look = () => {
    onStep(undefined);
    steps += 1;
    for (const [i, { futex, isThere }] of awaited.entries()) {
      assert.ok(wordAt(futex) === before[i] || isThere(), `at step ${steps} waiter ${i} would sleep on`);
    }
    onStep(look);
  };
  onStep(look);
  try {
    change();
  } finally {
    onStep(undefined);
  }
  assert.ok(steps > 5, 'the hook has come off');
  for (const { futex, isThere } of awaited) assert.ok(isThere() && futex > 0, 'it has not come');
}

function conditionWith(count: number) {
  const lock = heap.create(rootKind.lock);
  const made = heap.create(rootKind.condition, [0, 0, lock.address], (tx) => addReference(tx, lock.address));
  const place = new Place(heap, made);
  const waiters = Array.from({ length: count }, () => line.standInLine(place));
  const awaited = waiters.map((waiter) => ({
    futex: line.futexOf(waiter),
    isThere: () => line.seemsGranted(place, waiter),
  }));
  return { place, waiters, awaited };
}

for (const count of [1, 3]) {
  test(`Condition: notify ${count} of four`, () => {
    const { place, awaited } = conditionWith(4);
    watched(awaited.slice(0, count), () => line.grant(place, count));
    for (const { isThere } of awaited.slice(count)) assert.equal(isThere(), false);
  });
}

test('Condition: a notification is passed on by one who cannot use it', () => {
  const { place, waiters, awaited } = conditionWith(3);
  line.grant(place, 1);
  watched(awaited.slice(1, 2), () => assert.equal(line.leaveLine(place, waiters[0]!, 'unfit'), true));
});

for (const how of ['all have come', 'it is broken', 'it is reset'] as const) {
  test(`Barrier: ${how}`, () => {
    const made = heap.create(rootKind.barrier, [0, 2]);
    const place = new Place(heap, made);
    const party = barrier.arrive(place, false);
    assert.ok(typeof party === 'object');
    const round = {
      futex: barrier.futexOf(party),
      isThere: () => barrier.seenState(heap, party) >= barrier.roundState.done,
    };
    const next = { futex: made.address + root.futex, isThere: () => wordAt(made.address + root.a) === 0 };
    watched([round, next], () => {
      if (how === 'all have come') barrier.arrive(place, false);
      else if (how === 'it is broken') barrier.breakBarrier(place);
      else barrier.resetBarrier(place);
    });
  });
}
