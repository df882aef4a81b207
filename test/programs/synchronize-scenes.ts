// What two or three threads do at the same time with a condition, a barrier, a semaphore, or an event, for
// test/synchronize/lockstep.test.ts.
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { step } from '../../src/heap/doors.js';
import { Heap } from '../../src/heap/heap.js';
import { EXTENT_MASK, header, root, rootKind, WAITERS } from '../../src/heap/layout.js';
import { addReference } from '../../src/heap/lifetimes.js';
import { Place } from '../../src/heap/place.js';
import {
  arrive,
  breakBarrier,
  completeRound,
  futexOf as futexOfParty,
  leaveRound,
  loadWord,
  type Party,
  resetBarrier,
  roundState,
  seenState,
} from '../../src/synchronize/barrier-rounds.js';
import { Event } from '../../src/synchronize/index.js';
import { LockWord } from '../../src/synchronize/lock-word.js';
import { PermitWord } from '../../src/synchronize/permit-word.js';
import { SemaphoreWord } from '../../src/synchronize/semaphore-word.js';
import { waitForSync } from '../../src/synchronize/wait-for.js';
import {
  futexOf,
  grant,
  leaveLine,
  loadFutex,
  seemsGranted,
  standInLine,
  type Waiter,
} from '../../src/synchronize/waiting-list.js';
import type { Ending, Facts, Part, Scene } from '../support/lockstep/scene.js';
import { FIRST_BYSTANDER } from '../support/lockstep/stage.js';

const FOREVER = Number.POSITIVE_INFINITY;
/** Longer than it takes until anybody's death is noticed. */
const LONG = 1000;

const placeOf = (heap: Heap, { address, serial }: Facts) => new Place(heap, { address: address!, serial: serial! });
const factsOf = ({ address, serial }: { address: number; serial: number }): Facts => ({ address, serial });
const everybodyLives = (endings: readonly Ending[]) => endings.every(({ died }) => !died);
const sum = (endings: readonly Ending[]) => endings.reduce((total, { result }) => total + (result ?? 0), 0);

/** A word of an object's root, without any atomic operation. */
function wordAt(heap: Heap, address: number): { get(): number; set(value: number): void } {
  const words = heap.memory.at(address);
  const index = address & EXTENT_MASK;
  return {
    get() {
      step();
      return words[index]!;
    },
    set(value) {
      step();
      words[index] = value;
    },
  };
}

// Conditions. What the lock guards lies in its own root.

function condition(survivor: Heap): Facts {
  const lock = survivor.create(rootKind.lock);
  const made = survivor.create(rootKind.condition, [0, 0, lock.address], (tx) => addReference(tx, lock.address));
  return { ...factsOf(made), lock: lock.address, lockSerial: lock.serial };
}

const lockOf = (heap: Heap, { lock, lockSerial }: Facts) => new LockWord(heap, { address: lock!, serial: lockSerial! });
const guardedIn = (heap: Heap, { lock }: Facts) => wordAt(heap, lock! + root.d);

type Why = Parameters<typeof leaveLine>[2];

/**
 * As the waitSync of Condition, from when it stands in line.
 *
 * @param gives how it leaves if it gives up, whether it is let go meanwhile or not.
 * @returns whether it was let go; it has the lock.
 */
function awaitGrant(heap: Heap, facts: Facts, waiter: Waiter, timeout: number, gives?: Why): boolean {
  const place = placeOf(heap, facts);
  const lock = lockOf(heap, facts);
  for (;;) {
    const awaited = {
      heap,
      address: futexOf(waiter),
      look: () => seemsGranted(place, waiter) || undefined,
      prepareSleep: () => loadFutex(heap, waiter),
    };
    const seen = waitForSync(awaited, timeout);
    assert.equal(lock.takeSync(FOREVER), true);
    const outcome = leaveLine(place, waiter, gives ?? (seen ? 'granted' : 'overdue'));
    if (outcome !== undefined) return outcome;
    assert.equal(lock.release(), true);
  }
}

/** Waits until the value is not 0 any more. @returns the value in the end. */
const waitsForValue: Part = {
  act: (heap, facts) => {
    const lock = lockOf(heap, facts);
    assert.equal(lock.takeSync(FOREVER), true);
    while (guardedIn(heap, facts).get() === 0) {
      const waiter = standInLine(placeOf(heap, facts));
      assert.equal(lock.release(), true);
      if (!awaitGrant(heap, facts, waiter, LONG)) break;
    }
    const value = guardedIn(heap, facts).get();
    assert.equal(lock.release(), true);
    return value;
  },
};

const notifies = (count: number, value = 0): Part => ({
  act: (heap, facts) => {
    const lock = lockOf(heap, facts);
    assert.equal(lock.takeSync(FOREVER), true);
    guardedIn(heap, facts).set(value);
    grant(placeOf(heap, facts), count);
    assert.equal(lock.release(), true);
  },
});

/** In line from the start. @returns 1 if it was let go. */
function waits(timeout: number, gives?: Why): Part {
  const lines = new WeakMap<Heap, Waiter>();
  return {
    arm: (heap, facts) => void lines.set(heap, standInLine(placeOf(heap, facts))),
    act: (heap, facts) => {
      const granted = awaitGrant(heap, facts, lines.get(heap)!, timeout, gives);
      assert.equal(lockOf(heap, facts).release(), true);
      return Number(granted);
    },
  };
}

/** The same, and from the start so many have been let go. */
function waitsWithGrant(timeout: number, count: number): Part {
  const part = waits(timeout);
  return {
    arm: (heap, facts) => {
      part.arm!(heap, facts);
      grant(placeOf(heap, facts), count);
    },
    act: part.act,
  };
}

/** In line from the start and to the end, besides what it does. */
const inLine = ({ act }: Part): Part => ({
  arm: (heap, facts) => ({ ticket: standInLine(placeOf(heap, facts)).ticket }),
  act,
});

/** With so many waiters of the survivor in line. */
const lines = new WeakMap<Heap, readonly Waiter[]>();
const conditionWith =
  (count: number) =>
  (survivor: Heap): Facts => {
    const facts = condition(survivor);
    const waiters = Array.from({ length: count }, () => standInLine(placeOf(survivor, facts)));
    lines.set(survivor, waiters);
    return facts;
  };

/** How many of the survivor's waiters have been let go, which are the first ones. They leave. */
function countGranted(survivor: Heap, facts: Facts): number {
  const place = placeOf(survivor, facts);
  const granted = lines.get(survivor)!.map((waiter) => {
    const seen = seemsGranted(place, waiter);
    assert.equal(leaveLine(place, waiter, 'overdue'), seen);
    return seen;
  });
  const count = granted.filter(Boolean).length;
  assert.equal(granted.lastIndexOf(true) + 1, count, `not the first: ${granted}`);
  return count;
}

/** The ticket of the last who was let go. */
const lastGranted = (heap: Heap, { address }: Facts) => heap.memory.load(address! + root.e);

/**
 * One gives up while another notifies, and somebody stands in line behind.
 *
 * @param gives how it leaves; `unfit`, or a grant is lost.
 */
export function givesUp(gives: Why): Omit<Scene, 'name'> {
  return {
    atLeast: 8,
    everyDeath: true,
    prepare: condition,
    threads: [waits(1, gives), inLine(notifies(1))],
    // However the first one fares, the other one gets what it could not use.
    verify: (survivor, facts, [, notifier]) => {
      if (!notifier!.died) assert.equal(lastGranted(survivor, facts), facts['ticket'], 'a notification is lost');
    },
  };
}

const aCondition = { atLeast: 8, prepare: condition };

const conditions: readonly Scene[] = [
  {
    ...aCondition,
    name: 'Condition: wait for a value ‖ set it and notify',
    threads: [waitsForValue, notifies(1, 1)],
    verify: (_, __, [waiter, setter]) => {
      if (!waiter!.died && !setter!.died) assert.equal(waiter!.result, 1, 'it has waited in vain');
    },
  },
  {
    ...aCondition,
    name: 'Condition: wait for a value ‖ wait for a value ‖ set it and notify all',
    threads: [waitsForValue, waitsForValue, notifies(3, 1)],
    verify: (_, __, endings) => {
      if (everybodyLives(endings)) assert.equal(sum(endings), 2, 'one has waited in vain');
    },
  },
  {
    ...aCondition,
    name: 'Condition: notify ‖ notify, with three in line',
    prepare: conditionWith(3),
    threads: [notifies(1), notifies(1)],
    verify: (survivor, facts, endings) => {
      const granted = countGranted(survivor, facts);
      const least = endings.filter(({ died }) => !died).length;
      assert.ok(granted >= least && granted <= 2, `${granted} have been let go`);
    },
  },
  {
    ...aCondition,
    name: 'Condition: notify ‖ stand in line',
    prepare: conditionWith(1),
    threads: [notifies(1), { act: (heap, facts) => void standInLine(placeOf(heap, facts)) }],
    verify: (survivor, facts, [notifier]) => {
      const granted = countGranted(survivor, facts);
      assert.ok(notifier!.died ? granted <= 1 : granted === 1, `${granted} have been let go`);
    },
  },
  {
    ...aCondition,
    name: 'Condition: one who was let go ‖ the next in line',
    everyDeath: true,
    threads: [waits(LONG), waitsWithGrant(LONG, 1)],
    verify: (survivor, facts, [first, next]) => {
      // Used by the first; or by the second, because the first had died.
      if (lastGranted(survivor, facts) === 1) {
        assert.ok(next!.died || next!.result === 0, 'two were let go');
        assert.ok(first!.died || first!.result === 1, 'nobody was let go');
      } else {
        assert.ok(first!.died, 'two were let go');
        assert.ok(next!.died || next!.result === 1, 'nobody was let go');
      }
    },
  },
  {
    ...aCondition,
    name: 'Condition: wait in time ‖ notify',
    threads: [waits(1), notifies(1)],
    verify: (survivor, facts, [waiter]) => {
      if (!waiter!.died) assert.equal(lastGranted(survivor, facts), waiter!.result, 'it does not know');
    },
  },
  { ...givesUp('unfit'), name: 'Condition: give up ‖ notify, with another in line' },
  {
    ...aCondition,
    name: 'Condition: wait ‖ wait ‖ notify one',
    threads: [waits(LONG), waits(LONG), notifies(1)],
    verify: (_, __, endings) => {
      const granted = sum(endings);
      assert.ok(granted <= 1, 'one notification has let two go');
      if (everybodyLives(endings)) assert.equal(granted, 1, 'a notification is lost');
    },
  },
];

// Barriers.

const BROKEN = -1;
const LATE = -2;

const barrier =
  (parties: number) =>
  (survivor: Heap): Facts =>
    factsOf(survivor.create(rootKind.barrier, [0, parties]));
/** A word of the root that barriers do not use: how often the action has run. */
const actionsOf = (heap: Heap, { address }: Facts) => wordAt(heap, address! + root.e);

/** As the waitSync of Barrier. @returns which party it is; or how it has ended. */
function waitAt(heap: Heap, facts: Facts, acts: boolean): number {
  const place = placeOf(heap, facts);
  const address = facts['address']! + root.futex;
  const arriving = {
    heap,
    address,
    look: () => arrive(place, acts),
    prepareSleep: () => loadWord(heap, address),
  };
  const party = waitForSync<Party | 'broken'>(arriving, LONG);
  if (party === undefined) {
    breakBarrier(place);
    return LATE;
  }
  if (party === 'broken') return BROKEN;
  if (party.last && acts) {
    const actions = actionsOf(heap, facts);
    actions.set(actions.get() + 1);
    completeRound(place, party);
  }
  const ending = {
    heap,
    address: futexOfParty(party),
    look: () => seenState(heap, party) >= roundState.done || undefined,
    prepareSleep: () => loadWord(heap, futexOfParty(party)),
  };
  for (let late = false; ; ) {
    if (waitForSync(ending, LONG) === undefined) {
      late = true;
      breakBarrier(place, party);
    }
    const index = leaveRound(place, party);
    if (index === 'broken') return late ? LATE : BROKEN;
    if (index !== undefined) return index;
  }
}

/** @returns the parties that it was, as digits; or how the last round ended. */
const comes = (times: number, acts = false): Part => ({
  act: (heap, facts) => {
    let all = 0;
    for (let round = 1; round <= times; round++) {
      const outcome = waitAt(heap, facts, acts);
      if (outcome < 0) return outcome;
      if (acts) assert.ok(actionsOf(heap, facts).get() >= round, 'the action has not run');
      all = all * 10 + outcome;
    }
    return all;
  },
});

/** Has come from the start, so that the others count on it. */
function comesAgain(): Part {
  const parties = new WeakMap<Heap, Party>();
  return {
    arm: (heap, facts) => void parties.set(heap, arrive(placeOf(heap, facts), false) as Party),
    act: (heap, facts) => {
      assert.equal(typeof leaveRound(placeOf(heap, facts), parties.get(heap)!), 'number');
      return waitAt(heap, facts, false);
    },
  };
}

const breaks: Part = { act: (heap, facts) => breakBarrier(placeOf(heap, facts)) };
const resets: Part = { act: (heap, facts) => resetBarrier(placeOf(heap, facts)) };

/** They were different parties of each round, and nobody waits for ever: not even for one who has died before it came. */
const different =
  (rounds: number): NonNullable<Scene['verify']> =>
  (_, __, endings) => {
    const results = endings.filter(({ died }) => !died).map(({ result }) => result!);
    if (!everybodyLives(endings)) return;
    for (let round = 0; round < rounds; round++) {
      const parties = results.map((result) => Math.floor(result / 10 ** round) % 10);
      assert.deepEqual(parties.sort(), [...endings.keys()], `${results}`);
    }
  };

const barriers: readonly Scene[] = [
  {
    name: 'Barrier: come twice ‖ come twice',
    atLeast: 60,
    prepare: barrier(2),
    threads: [comes(2), comes(2)],
    verify: different(2),
  },
  {
    name: 'Barrier: come ‖ come ‖ come',
    atLeast: 60,
    prepare: barrier(3),
    threads: [comes(1), comes(1), comes(1)],
    verify: different(1),
  },
  {
    name: 'Barrier: come twice ‖ come twice, with an action',
    atLeast: 60,
    prepare: barrier(2),
    threads: [comes(2, true), comes(2, true)],
    verify: (survivor, facts, endings) => {
      different(2)(survivor, facts, endings);
      if (everybodyLives(endings)) assert.equal(actionsOf(survivor, facts).get(), 2, 'how often the action has run');
    },
  },
  {
    name: 'Barrier: come again ‖ come again',
    atLeast: 60,
    prepare: barrier(2),
    threads: [comesAgain(), comesAgain()],
    verify: (survivor, facts, endings) => {
      different(1)(survivor, facts, endings);
      // Whoever has come once is missed when it dies.
      for (const { result } of endings) assert.notEqual(result, LATE, 'one has not heard of a death');
    },
  },
  {
    name: 'Barrier: come ‖ break',
    atLeast: 20,
    prepare: barrier(2),
    threads: [comes(1), breaks],
    verify: (_, __, [party, breaker]) => {
      if (!party!.died && !breaker!.died) assert.equal(party!.result, BROKEN);
    },
  },
  {
    name: 'Barrier: come ‖ come ‖ break',
    atLeast: 60,
    prepare: barrier(2),
    threads: [comes(1), comes(1), breaks],
    verify: (_, __, endings) => {
      if (!everybodyLives(endings)) return;
      const results = endings.slice(0, 2).map(({ result }) => result!);
      if (results.includes(BROKEN)) assert.deepEqual(results, [BROKEN, BROKEN]);
      else assert.deepEqual(results.sort(), [0, 1]);
    },
  },
  {
    name: 'Barrier: come ‖ reset',
    atLeast: 20,
    prepare: barrier(2),
    threads: [comes(1), resets],
    verify: (survivor, facts, [party, resetter]) => {
      if (party!.died || resetter!.died) return;
      // Reset before it came, it has waited in vain.
      assert.ok(party!.result === BROKEN || party!.result === LATE);
      assert.equal(survivor.memory.load(facts['address']! + root.c), party!.result === LATE ? 1 : 0);
    },
  },
  {
    // Locks within a heap are taken in one order, or these two wait for each other.
    name: 'Barrier: come again ‖ create and drop',
    atLeast: 40,
    prepare: barrier(1),
    threads: [
      comesAgain(),
      {
        act: (heap) => {
          for (let i = 0; i < 2; i++) heap.release(heap.create(rootKind.lock).address);
        },
      },
    ],
  },
];

// Semaphores and events.

/** Beyond those of the others, so that who looks around comes to it soon. */
const DEAD_SLOT = FIRST_BYSTANDER - 1;

const takesPermit = (timeout: number): Part => ({
  act: (heap, facts) => Number(new PermitWord(heap, placeOf(heap, facts).at).takeSync(timeout)),
});

const semaphores: readonly Scene[] = [
  {
    name: 'Semaphore: release two ‖ acquire ‖ acquire',
    atLeast: 4,
    prepare: (survivor) => factsOf(survivor.create(rootKind.semaphore)),
    threads: [
      { act: (heap, facts) => void assert.equal(new SemaphoreWord(heap, placeOf(heap, facts).at).release(2), true) },
      { act: (heap, facts) => Number(new SemaphoreWord(heap, placeOf(heap, facts).at).takeSync(LONG)) },
      { act: (heap, facts) => Number(new SemaphoreWord(heap, placeOf(heap, facts).at).takeSync(LONG)) },
    ],
    verify: (survivor, facts, endings) => {
      const { value } = new SemaphoreWord(survivor, placeOf(survivor, facts).at);
      const [releaser, ...takers] = endings;
      const lost = 2 - value - sum(takers);
      const dead = takers.filter(({ died }) => died).length;
      if (releaser!.died && value + sum(takers) === 0) return;
      assert.ok(lost >= 0 && lost <= dead, `${lost} are lost, and ${dead} have died`);
      if (!releaser!.died)
        assert.ok(
          takers.every(({ result }) => result !== 0),
          'one has waited in vain',
        );
    },
  },
  {
    name: 'BoundedSemaphore: take the permit of the dead ‖ take the permit of the dead',
    atLeast: 10,
    everyDeath: true,
    prepare: (survivor) => {
      const facts = factsOf(survivor.createWithBlock(rootKind.boundedSemaphore, 1));
      const { segment } = survivor.memory;
      const next = segment[header.nextSlot]!;
      segment[header.nextSlot] = DEAD_SLOT;
      const dead = Heap.join(survivor.id, false)!;
      segment[header.nextSlot] = next;
      dead.stopTicking();
      assert.equal(new PermitWord(dead, placeOf(dead, facts).at).attempt(0, true), 'taken');
      closeSync(dead.participant.fd);
      return facts;
    },
    threads: [takesPermit(200), takesPermit(200)],
    verify: (survivor, facts, endings) => {
      const { value } = new PermitWord(survivor, placeOf(survivor, facts).at);
      assert.equal(value + sum(endings), 1, 'the permit is lost, or two have it');
      if (everybodyLives(endings)) assert.equal(value, 0, 'nobody has taken it');
    },
  },
  {
    name: 'BoundedSemaphore: enter ‖ enter ‖ enter, with two permits',
    atLeast: 10,
    prepare: (survivor) => factsOf(survivor.createWithBlock(rootKind.boundedSemaphore, 2)),
    threads: [entersBounded(), entersBounded(), entersBounded()],
    verify: (survivor, facts, endings) => {
      const { value } = new PermitWord(survivor, placeOf(survivor, facts).at);
      assert.equal(value, 2, 'a permit is lost');
      assert.equal(sum(endings), endings.filter(({ died }) => !died).length, 'one has waited in vain');
    },
  },
];

function entersBounded(): Part {
  return {
    act: (heap, facts) => {
      const word = new PermitWord(heap, placeOf(heap, facts).at);
      if (!word.takeSync(LONG)) return 0;
      assert.ok(word.value <= 1, 'it has no permit');
      word.release(1);
      return 1;
    },
  };
}

const eventOf = (heap: Heap, facts: Facts): Event =>
  new (Event as unknown as new (place: Place) => Event)(placeOf(heap, facts));

const waitsForEvent: Part = {
  act: (heap, facts) => Number(eventOf(heap, facts).waitSync({ timeout: LONG })),
};

/** @returns 1 if somebody had begun to wait before. */
const setsAndClears: Part = {
  act: (heap, facts) => {
    const address = facts['address']! + root.lock;
    const event = eventOf(heap, facts);
    const waited = wordAt(heap, address).get() & WAITERS;
    event.set();
    event.clear();
    return waited === 0 ? 0 : 1;
  },
};

const events: readonly Scene[] = [
  {
    name: 'Event: set and clear ‖ wait',
    atLeast: 4,
    everyDeath: true,
    prepare: (survivor) => factsOf(survivor.create(rootKind.event)),
    threads: [setsAndClears, waitsForEvent],
    verify: (_, __, [setter, waiter]) => {
      if (setter!.result === 1 && !waiter!.died) assert.equal(waiter!.result, 1, 'it has missed that it was set');
    },
  },
  {
    name: 'Event: set ‖ wait ‖ wait',
    atLeast: 4,
    prepare: (survivor) => factsOf(survivor.create(rootKind.event)),
    threads: [{ act: (heap, facts) => eventOf(heap, facts).set() }, waitsForEvent, waitsForEvent],
    verify: (_, __, [setter, ...waiters]) => {
      if (!setter!.died)
        assert.ok(
          waiters.every(({ result }) => result !== 0),
          'one has missed that it was set',
        );
    },
  },
];

export const scenes: readonly Scene[] = [...conditions, ...barriers, ...semaphores, ...events];
