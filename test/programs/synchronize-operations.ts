// Operations of semaphores, events, conditions and barriers, each to be killed at every one of its steps, and what must hold
// afterwards: as those of the heap in heap-operations.ts.
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { StaleHandleError } from '../../src/errors/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { EXTENT_MASK, header, MAX_SLOTS, root, rootKind, WAITERS } from '../../src/heap/layout.js';
import { addReference } from '../../src/heap/lifetimes.js';
import { Place } from '../../src/heap/place.js';
import type { RootAddress } from '../../src/heap/roots.js';
import { loadText, storeText } from '../../src/synchronize/barrier-action.js';
import {
  arrive,
  breakBarrier,
  completeRound,
  endMembership,
  leaveRound,
  type Party,
  resetBarrier,
  roundState,
  seenState,
  withdraw,
} from '../../src/synchronize/barrier-rounds.js';
import { Event } from '../../src/synchronize/index.js';
import { LockWord } from '../../src/synchronize/lock-word.js';
import { PermitWord } from '../../src/synchronize/permit-word.js';
import { SemaphoreWord } from '../../src/synchronize/semaphore-word.js';
import {
  alertAll,
  grant,
  leaveLine,
  seemsGranted,
  standInLine,
  type Waiter,
} from '../../src/synchronize/waiting-list.js';
import { emptyPlaces, type Facts, fillPlaces, type Operation } from './heap-operations.js';

const at = ({ address, serial }: Facts): RootAddress => ({ address: address!, serial: serial! });
const placeIn = (heap: Heap, facts: Facts) => new Place(heap, at(facts));
const factsOf = ({ address, serial }: RootAddress): Facts => ({ address, serial });
const wordOf = (heap: Heap, { address }: Facts, word: number) => heap.memory.load(address! + word);
const ALL = 0x7fff_ffff;

/** Nothing is left of what the operation and its others had. */
function isEmpty(survivor: Heap): void {
  const { problems, roots, holds, blocks } = checkHeap(survivor);
  assert.deepEqual({ problems, roots, holds, blocks }, { problems: [], roots: 0, holds: 0, blocks: 0 });
}

function dies(heap: Heap): void {
  heap.stopTicking();
  closeSync(heap.participant.fd);
}

/** Participants that live through it, besides the survivor. */
interface Companion {
  readonly place: Place;
  readonly waiter?: Waiter;
  readonly party?: Party;
}
const companions = new WeakMap<Heap, Companion[]>();
const companionsOf = (survivor: Heap) => companions.get(survivor) ?? [];

function join(survivor: Heap, facts: Facts): Place {
  const heap = Heap.join(survivor.id, false)!;
  heap.stopTicking();
  heap.open(at(facts));
  return placeIn(heap, facts);
}

function accompany(survivor: Heap, companion: Companion): void {
  companions.set(survivor, [...companionsOf(survivor), companion]);
}

function part(survivor: Heap): void {
  for (const { place } of companionsOf(survivor)) place.heap.leave();
}

// Semaphores.

function semaphore(survivor: Heap, value: number): Facts {
  const facts = factsOf(survivor.create(rootKind.semaphore));
  if (value > 0) new SemaphoreWord(survivor, at(facts)).release(value);
  return facts;
}

/** It is worth one of these values, serves, and goes. */
function isWorth(survivor: Heap, facts: Facts, values: readonly number[]): void {
  const word = new SemaphoreWord(survivor, at(facts));
  assert.ok(values.includes(word.value), `${word.value} is none of ${values}`);
  const { value } = word;
  for (let i = 0; i < value; i++) assert.equal(word.takeSync(900), true);
  assert.equal(word.takeSync(0), false);
  word.release(2);
  assert.equal(word.takeSync(900), true);
  survivor.release(facts['address']!);
  isEmpty(survivor);
}

const PERMITS = 3;
const permits = (survivor: Heap): Facts => factsOf(survivor.createWithBlock(rootKind.boundedSemaphore, PERMITS));

/** All permits are there: those of the victim, who has died or left, too. */
function hasAllPermits(survivor: Heap, facts: Facts): void {
  const word = new PermitWord(survivor, at(facts));
  assert.equal(word.value, PERMITS);
  for (let i = 0; i < PERMITS; i++) assert.equal(word.takeSync(900), true);
  assert.equal(word.takeSync(0), false);
  assert.equal(word.held, PERMITS);
  word.release(PERMITS);
  assert.equal(word.value, PERMITS);
  survivor.release(facts['address']!);
  isEmpty(survivor);
}

const takePermits = (heap: Heap, facts: Facts, count: number): PermitWord => {
  const word = new PermitWord(heap, at(facts));
  for (let i = 0; i < count; i++) assert.equal(word.attempt(0, true), 'taken');
  return word;
};

const words = new WeakMap<Heap, PermitWord>();

const semaphores: readonly Operation[] = [
  {
    name: 'Semaphore: acquire',
    atLeast: 2,
    prepare: (survivor) => semaphore(survivor, 2),
    act: (victim, facts) => assert.equal(new SemaphoreWord(victim, at(facts)).attempt(0, false), 'taken'),
    verify: (survivor, facts, died) => isWorth(survivor, facts, died ? [1, 2] : [1]),
  },
  {
    name: 'Semaphore: acquire after a sleep, with more to take',
    atLeast: 2,
    prepare: (survivor) => semaphore(survivor, 2),
    act: (victim, facts) => assert.equal(new SemaphoreWord(victim, at(facts)).attempt(WAITERS, true), 'taken'),
    verify: (survivor, facts, died) => isWorth(survivor, facts, died ? [1, 2] : [1]),
  },
  {
    name: 'Semaphore: release two, which others wait for',
    atLeast: 3,
    prepare: (survivor) => {
      const facts = semaphore(survivor, 0);
      assert.notEqual(new SemaphoreWord(survivor, at(facts)).prepareSleep(true), undefined);
      return facts;
    },
    act: (victim, facts) => assert.equal(new SemaphoreWord(victim, at(facts)).release(2), true),
    verify: (survivor, facts, died) => isWorth(survivor, facts, died ? [0, 2] : [2]),
  },
  {
    name: 'Semaphore: begin to wait',
    atLeast: 2,
    prepare: (survivor) => semaphore(survivor, 0),
    act: (victim, facts) => assert.notEqual(new SemaphoreWord(victim, at(facts)).prepareSleep(true), undefined),
    verify: (survivor, facts) => isWorth(survivor, facts, [0]),
  },
  {
    name: 'BoundedSemaphore: create',
    atLeast: 128,
    act: (victim) => void victim.createWithBlock(rootKind.boundedSemaphore, PERMITS),
    verify: isEmpty,
  },
  {
    name: 'BoundedSemaphore: acquire all',
    atLeast: 11,
    prepare: permits,
    act: (victim, facts) => void takePermits(victim, facts, PERMITS),
    verify: hasAllPermits,
  },
  {
    name: 'BoundedSemaphore: acquire what was reserved',
    atLeast: 4,
    prepare: (survivor) => {
      const facts = permits(survivor);
      const word = takePermits(survivor, facts, PERMITS);
      assert.notEqual(word.prepareSleep(true), undefined);
      word.release(PERMITS);
      return facts;
    },
    act: (victim, facts) => assert.equal(new PermitWord(victim, at(facts)).attempt(WAITERS, true), 'taken'),
    verify: hasAllPermits,
  },
  {
    name: 'BoundedSemaphore: release two, which others wait for',
    atLeast: 5,
    prepare: permits,
    arm: (victim, facts) => {
      const word = takePermits(victim, facts, PERMITS);
      assert.notEqual(word.prepareSleep(true), undefined);
      words.set(victim, word);
    },
    act: (victim) => words.get(victim)!.release(2),
    verify: hasAllPermits,
  },
  {
    name: 'BoundedSemaphore: acquire from the dead',
    atLeast: 26,
    prepare: (survivor) => {
      const facts = permits(survivor);
      const dead = Heap.join(survivor.id, false)!;
      takePermits(dead, facts, PERMITS);
      dies(dead);
      return facts;
    },
    act: (victim, facts) => {
      const word = new PermitWord(victim, at(facts));
      assert.equal(word.attempt(0, true), 'busy');
      word.lookAround();
      assert.equal(word.attempt(0, true), 'taken');
      assert.equal(word.value, PERMITS - 1);
    },
    verify: hasAllPermits,
  },
];

// Events.

const eventAt = (heap: Heap, facts: Facts): Event =>
  new (Event as unknown as new (place: Place) => Event)(placeIn(heap, facts));

/** An event that somebody sleeps on. */
function event(survivor: Heap): Facts {
  const facts = factsOf(survivor.create(rootKind.event));
  const address = facts['address']! + root.lock;
  survivor.memory.at(address)[address & EXTENT_MASK]! |= WAITERS;
  return facts;
}

function isSet(survivor: Heap, facts: Facts, states: readonly boolean[]): void {
  const found = eventAt(survivor, facts);
  assert.ok(states.includes(found.isSet()), `it is ${found.isSet()}`);
  found.set();
  assert.equal(found.waitSync({ timeout: 900 }), true);
  found.clear();
  assert.equal(found.waitSync({ timeout: 0 }), false);
  survivor.release(facts['address']!);
  isEmpty(survivor);
}

const events: readonly Operation[] = [
  {
    name: 'Event: set, with sleepers',
    atLeast: 3,
    prepare: event,
    act: (victim, facts) => eventAt(victim, facts).set(),
    verify: (survivor, facts, died) => isSet(survivor, facts, died ? [false, true] : [true]),
  },
  {
    name: 'Event: clear',
    atLeast: 2,
    prepare: (survivor) => {
      const facts = event(survivor);
      const setting = eventAt(survivor, facts);
      setting.set();
      kept.add(setting); // collected, it would give the hold back
      return facts;
    },
    act: (victim, facts) => eventAt(victim, facts).clear(),
    verify: (survivor, facts, died) => isSet(survivor, facts, died ? [false, true] : [false]),
  },
  {
    name: 'Event: wait in vain',
    atLeast: 4,
    prepare: (survivor) => factsOf(survivor.create(rootKind.event)),
    act: (victim, facts) => assert.equal(eventAt(victim, facts).waitSync({ timeout: 0 }), false),
    verify: (survivor, facts) => isSet(survivor, facts, [false]),
  },
];

// Conditions.

/** A condition with a lock of its own, which nothing else keeps. */
function condition(heap: Heap): Facts {
  const lock = heap.create(rootKind.lock);
  const made = heap.create(rootKind.condition, [0, 0, lock.address], (tx) => addReference(tx, lock.address));
  heap.release(lock.address);
  return { ...factsOf(made), lock: lock.address };
}

/** So many others stand in line. */
function stand(survivor: Heap, facts: Facts, count: number): void {
  for (let i = 0; i < count; i++) {
    const place = join(survivor, facts);
    accompany(survivor, { place, waiter: standInLine(place) });
  }
}

const conditionWith =
  (count: number) =>
  (survivor: Heap): Facts => {
    const facts = condition(survivor);
    stand(survivor, facts, count);
    return facts;
  };

/** So many of the others have been let go, the first ones; then the rest is, one after the other, and the line is empty. */
function goOn(survivor: Heap, facts: Facts, counts: readonly number[]): void {
  const line = companionsOf(survivor);
  const place = placeIn(survivor, facts);
  const granted = () => line.map(({ place, waiter }) => seemsGranted(place, waiter!));
  const count = granted().filter(Boolean).length;
  assert.ok(counts.includes(count), `${count} have been let go, not ${counts}`);
  for (let i = count; i < line.length; i++) {
    assert.deepEqual(
      granted(),
      line.map((_, at) => at < i),
    );
    grant(place, 1);
  }
  grant(place, ALL);
  assert.deepEqual(checkHeap(survivor).problems, []);
  for (const { place, waiter } of line) assert.equal(leaveLine(place, waiter!, 'granted'), true);
  assert.deepEqual([wordOf(survivor, facts, root.a), wordOf(survivor, facts, root.b)], [0, 0], 'the line is not empty');
  // Its lock was kept by it, and works.
  assert.equal(wordOf(survivor, { address: facts['lock']! }, root.references), 1);
  const lock = new LockWord(survivor, {
    address: facts['lock']!,
    serial: survivor.memory.load(facts['lock']! + root.serial),
  });
  assert.equal(lock.takeSync(900), true);
  assert.equal(lock.release(), true);
  // Who comes now is not taken for one who has been let go.
  const late = standInLine(place);
  assert.equal(seemsGranted(place, late), false);
  assert.equal(leaveLine(place, late, 'granted'), undefined);
  assert.equal(leaveLine(place, late, 'overdue'), false);
  part(survivor);
  survivor.release(facts['address']!);
  isEmpty(survivor);
}

const waiters = new WeakMap<Heap, Waiter>();
const standsInLine = (victim: Heap, facts: Facts) => {
  waiters.set(victim, standInLine(placeIn(victim, facts)));
};
const leaves = (victim: Heap, facts: Facts, why: 'granted' | 'overdue' | 'unfit') =>
  leaveLine(placeIn(victim, facts), waiters.get(victim)!, why);

/** One who is dead stands in line between others, and the first so many have been let go. */
const withDeadWaiter =
  (before: number, behind: number, granted: number) =>
  (survivor: Heap): Facts => {
    const facts = condition(survivor);
    stand(survivor, facts, before);
    const dead = join(survivor, facts);
    standInLine(dead);
    stand(survivor, facts, behind);
    grant(placeIn(survivor, facts), granted);
    dies(dead.heap);
    return { ...facts, dead: dead.heap.participant.slot };
  };
const looksAround = (victim: Heap) => victim.lookAround(MAX_SLOTS);

const conditions: readonly Operation[] = [
  { name: 'Condition: create, with its lock', atLeast: 181, act: (victim) => void condition(victim), verify: isEmpty },
  {
    name: 'Condition: drop, and its lock with it',
    atLeast: 61,
    arm: (victim, facts) => void Object.assign(facts, condition(victim)),
    act: (victim, facts) => victim.release(facts['address']!),
    verify: isEmpty,
  },
  {
    name: 'Condition: stand in line, as the first',
    atLeast: 86,
    prepare: condition,
    act: (victim, facts) => void standInLine(placeIn(victim, facts)),
    verify: (survivor, facts) => goOn(survivor, facts, [0]),
  },
  {
    // Half of all tickets further on than when somebody was last let go: all the others have not waited long enough.
    name: 'Condition: stand in line, as the first, after very many',
    atLeast: 86,
    prepare: (survivor) => {
      const facts = condition(survivor);
      const address = facts['address']! + root.d;
      survivor.memory.at(address)[address & EXTENT_MASK] = -5;
      return facts;
    },
    act: (victim, facts) => {
      const place = placeIn(victim, facts);
      assert.equal(seemsGranted(place, standInLine(place)), false);
    },
    verify: (survivor, facts) => goOn(survivor, facts, [0]),
  },
  {
    name: 'Condition: stand in line, behind others',
    atLeast: 46,
    prepare: conditionWith(2),
    act: (victim, facts) => void standInLine(placeIn(victim, facts)),
    verify: (survivor, facts) => goOn(survivor, facts, [0]),
  },
  {
    name: 'Condition: let one of three go',
    atLeast: 11,
    prepare: conditionWith(3),
    act: (victim, facts) => grant(placeIn(victim, facts), 1),
    verify: (survivor, facts, died) => goOn(survivor, facts, died ? [0, 1] : [1]),
  },
  {
    name: 'Condition: let two more of four go',
    atLeast: 12,
    prepare: (survivor) => {
      const facts = conditionWith(4)(survivor);
      grant(placeIn(survivor, facts), 1);
      return facts;
    },
    act: (victim, facts) => grant(placeIn(victim, facts), 2),
    verify: (survivor, facts, died) => goOn(survivor, facts, died ? [1, 3] : [3]),
  },
  {
    name: 'Condition: let all of three go',
    atLeast: 13,
    prepare: conditionWith(3),
    act: (victim, facts) => grant(placeIn(victim, facts), ALL),
    verify: (survivor, facts, died) => goOn(survivor, facts, died ? [0, 3] : [3]),
  },
  {
    name: 'Condition: leave the line, let go, with others behind',
    atLeast: 34,
    prepare: condition,
    arm: standsInLine,
    follow: (survivor, facts) => {
      stand(survivor, facts, 2);
      grant(placeIn(survivor, facts), 1);
    },
    act: (victim, facts) => assert.equal(leaves(victim, facts, 'granted'), true),
    // Used by the victim, or by the next: never by nobody, never by two.
    verify: (survivor, facts, died) => goOn(survivor, facts, died ? [0, 1] : [0]),
  },
  {
    name: 'Condition: leave the line, though not let go: stays',
    atLeast: 6,
    prepare: conditionWith(1),
    arm: standsInLine,
    act: (victim, facts) => assert.equal(leaves(victim, facts, 'granted'), undefined),
    verify: (survivor, facts) => goOn(survivor, facts, [0]),
  },
  {
    name: 'Condition: leave the line, too late',
    atLeast: 34,
    prepare: conditionWith(1),
    arm: standsInLine,
    follow: (survivor, facts) => stand(survivor, facts, 1),
    act: (victim, facts) => assert.equal(leaves(victim, facts, 'overdue'), false),
    verify: (survivor, facts) => goOn(survivor, facts, [0]),
  },
  {
    name: 'Condition: leave the line, too late and let go',
    atLeast: 34,
    prepare: condition,
    arm: standsInLine,
    follow: (survivor, facts) => {
      stand(survivor, facts, 2);
      grant(placeIn(survivor, facts), 2);
    },
    act: (victim, facts) => assert.equal(leaves(victim, facts, 'overdue'), true),
    verify: (survivor, facts, died) => goOn(survivor, facts, died ? [1, 2] : [1]),
  },
  {
    name: 'Condition: leave the line, aborted and let go, with others behind',
    atLeast: 39,
    prepare: condition,
    arm: standsInLine,
    follow: (survivor, facts) => {
      stand(survivor, facts, 2);
      grant(placeIn(survivor, facts), 1);
    },
    act: (victim, facts) => assert.equal(leaves(victim, facts, 'unfit'), true),
    verify: (survivor, facts) => goOn(survivor, facts, [1]),
  },
  {
    name: 'Condition: leave the line, aborted and let go, the last of them',
    atLeast: 34,
    prepare: conditionWith(2),
    arm: standsInLine,
    follow: (survivor, facts) => grant(placeIn(survivor, facts), 3),
    act: (victim, facts) => assert.equal(leaves(victim, facts, 'unfit'), true),
    verify: (survivor, facts) => goOn(survivor, facts, [2]),
  },
  {
    name: 'Condition: leave the line, aborted',
    atLeast: 34,
    prepare: conditionWith(1),
    arm: standsInLine,
    follow: (survivor, facts) => stand(survivor, facts, 1),
    act: (victim, facts) => assert.equal(leaves(victim, facts, 'unfit'), false),
    verify: (survivor, facts) => goOn(survivor, facts, [0]),
  },
  {
    name: 'Condition: leave in an orderly way, let go, with others behind',
    atLeast: 47,
    prepare: condition,
    arm: standsInLine,
    follow: (survivor, facts) => {
      stand(survivor, facts, 2);
      grant(placeIn(survivor, facts), 1);
    },
    act: (victim) => victim.leave(),
    verify: (survivor, facts) => goOn(survivor, facts, [1]),
  },
  {
    name: 'Condition: reap one that had been let go, with others behind',
    atLeast: 71,
    prepare: withDeadWaiter(0, 2, 1),
    act: looksAround,
    verify: (survivor, facts) => goOn(survivor, facts, [1]),
  },
  {
    name: 'Condition: reap one that had been let go, between others',
    atLeast: 71,
    prepare: withDeadWaiter(1, 2, 3),
    act: looksAround,
    verify: (survivor, facts) => goOn(survivor, facts, [3]),
  },
  {
    name: 'Condition: reap one that had been let go, the last of them',
    atLeast: 66,
    prepare: withDeadWaiter(1, 0, 2),
    act: looksAround,
    verify: (survivor, facts) => goOn(survivor, facts, [1]),
  },
  {
    name: 'Condition: reap one that had not been let go',
    atLeast: 66,
    prepare: withDeadWaiter(1, 1, 1),
    act: looksAround,
    verify: (survivor, facts) => goOn(survivor, facts, [1]),
  },
  {
    name: 'Condition: join, in the place of one that had been let go',
    atLeast: 19,
    prepare: (survivor) => {
      const facts = withDeadWaiter(0, 2, 1)(survivor);
      fillPlaces(survivor);
      return facts;
    },
    arm: (victim, facts) => {
      victim.memory.segment[header.nextSlot] = facts['dead']!;
    },
    act: (victim, facts) => {
      const joined = Heap.join(victim.id, false)!;
      assert.equal(joined.participant.slot, facts['dead']);
      joined.leave();
    },
    verify: (survivor, facts) => {
      emptyPlaces(survivor);
      goOn(survivor, facts, [1]);
    },
  },
  {
    name: 'Condition: dispose, with others in line',
    atLeast: 19,
    prepare: conditionWith(2),
    act: (victim, facts) => {
      victim.dispose(at(facts));
      alertAll(placeIn(victim, facts));
    },
    verify: (survivor, facts, died) => {
      if (survivor.exists(at(facts))) {
        assert.equal(died, true);
        return goOn(survivor, facts, [0]);
      }
      for (const { place, waiter } of companionsOf(survivor)) {
        assert.throws(() => seemsGranted(place, waiter!), StaleHandleError);
        assert.equal(leaveLine(place, waiter!, 'unfit'), false);
      }
      part(survivor);
      survivor.release(facts['address']!);
      isEmpty(survivor);
    },
  },
];

// Barriers.

const PARTIES = 3;

const barrier = (heap: Heap): Facts => factsOf(heap.create(rootKind.barrier, [0, PARTIES]));

/** So many others have come and wait. */
const barrierWith =
  (count: number) =>
  (survivor: Heap): Facts => {
    const facts = barrier(survivor);
    for (let i = 0; i < count; i++) {
      const place = join(survivor, facts);
      accompany(survivor, { place, party: come(place) });
    }
    return facts;
  };

function come(place: Place, acts = false): Party {
  const party = arrive(place, acts);
  if (party === undefined || party === 'broken') throw new Error(`It is ${party}.`);
  return party;
}

const outcome = { waits: 'waits', over: 'over', broken: 'broken' } as const;

/** What has become of those who wait, all alike; they leave, the barrier is reset, works again, and goes. */
function fares(
  survivor: Heap,
  facts: Facts,
  allowed: readonly { readonly barrier: 'whole' | 'broken'; readonly others: keyof typeof outcome }[],
): void {
  const place = placeIn(survivor, facts);
  const others = companionsOf(survivor);
  const isBroken = wordOf(survivor, facts, root.c) !== 0 ? 'broken' : 'whole';
  const states = new Set(
    others.map(({ place: { heap }, party }) => {
      const state = seenState(heap, party!);
      return state === roundState.done ? 'over' : state === roundState.broken ? 'broken' : 'waits';
    }),
  );
  assert.ok(states.size <= 1, `they do not agree: ${[...states]}`);
  const [state] = states;
  assert.ok(
    allowed.some((each) => each.barrier === isBroken && (state === undefined || each.others === state)),
    `the barrier is ${isBroken}, for the others it ${state}`,
  );
  // Whom nobody has told waits on, and hears of the reset.
  resetBarrier(place);
  const indices = others.map(({ place, party }) => leaveRound(place, party!));
  if (state !== 'over') assert.deepEqual(new Set(indices), new Set(others.length > 0 ? ['broken'] : []));
  else assert.equal(new Set(indices).size, others.length, `${indices}`);
  for (let round = 0; round < 2; round++) {
    const parties = Array.from({ length: PARTIES }, () => come(place));
    assert.deepEqual(
      parties.map((party) => leaveRound(place, party)),
      [0, 1, 2],
    );
  }
  part(survivor);
  endMembership(place);
  survivor.release(facts['address']!);
  isEmpty(survivor);
}

const nothing = { barrier: 'whole', others: 'waits' } as const;
const broke = { barrier: 'broken', others: 'broken' } as const;
/** The round was over; then a member died. */
const overThenBroke = { barrier: 'broken', others: 'over' } as const;
const over = { barrier: 'whole', others: 'over' } as const;

const parties = new WeakMap<Heap, Party>();
const comes =
  (acts = false) =>
  (victim: Heap, facts: Facts) => {
    parties.set(victim, come(placeIn(victim, facts), acts));
  };
const ofParty =
  (act: (place: Place, party: Party) => void): NonNullable<Operation['act']> =>
  (victim, facts) =>
    act(placeIn(victim, facts), parties.get(victim)!);

/** One who is dead has been through a round with two others, who wait in the next one, it too if `again`. */
const withDeadMember =
  (again: boolean) =>
  (survivor: Heap): Facts => {
    const facts = barrier(survivor);
    const dead = join(survivor, facts);
    const others = [join(survivor, facts), join(survivor, facts)];
    const round = [dead, ...others].map((place) => ({ place, party: come(place) }));
    for (const { place, party } of round) assert.notEqual(leaveRound(place, party), undefined);
    const [first, second] = others as [Place, Place];
    accompany(survivor, { place: first, party: come(first) });
    if (again) {
      come(dead);
      second.heap.leave();
    } else accompany(survivor, { place: second, party: come(second) });
    dies(dead.heap);
    return facts;
  };

const TEXT = { timeout: 5, action: { url: 'file:///somewhere/else.js', name: 'act' } } as never;

const barriers: readonly Operation[] = [
  { name: 'Barrier: create', atLeast: 115, act: (victim) => void barrier(victim), verify: isEmpty },
  {
    name: 'Barrier: come, as the first',
    atLeast: 116,
    prepare: barrier,
    act: comes(),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [nothing, broke] : [broke]),
  },
  {
    name: 'Barrier: come, in the middle',
    atLeast: 63,
    prepare: barrierWith(1),
    act: comes(),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [nothing, broke] : [broke]),
  },
  {
    name: 'Barrier: come, as the last',
    atLeast: 73,
    prepare: barrierWith(2),
    act: comes(),
    // Who has left in an orderly way breaks nothing that is over.
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [nothing, overThenBroke] : [over]),
  },
  {
    name: 'Barrier: come, as the last, with an action',
    atLeast: 67,
    prepare: barrierWith(2),
    act: comes(true),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [nothing, broke] : [broke]),
  },
  {
    name: 'Barrier: come once more',
    atLeast: 60,
    prepare: barrier,
    arm: (victim, facts) => {
      const place = placeIn(victim, facts);
      for (const party of Array.from({ length: PARTIES }, () => come(place))) leaveRound(place, party);
    },
    act: comes(),
    // A member that dies breaks it, also before it has come again.
    verify: (survivor, facts) => fares(survivor, facts, [broke]),
  },
  {
    name: 'Barrier: the action has run',
    atLeast: 16,
    prepare: barrierWith(2),
    arm: comes(true),
    act: ofParty(completeRound),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [broke, overThenBroke] : [over]),
  },
  {
    name: 'Barrier: leave a round that is over',
    atLeast: 34,
    prepare: barrierWith(2),
    arm: comes(),
    act: ofParty((place, party) => assert.equal(leaveRound(place, party), 2)),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [overThenBroke] : [over]),
  },
  {
    name: 'Barrier: leave a round, as the last to leave',
    atLeast: 42,
    prepare: barrierWith(2),
    arm: comes(),
    follow: (survivor) => {
      for (const [i, { place, party }] of companionsOf(survivor).entries())
        assert.equal(leaveRound(place, party!), i, 'which of them it is');
      part(survivor);
      companions.delete(survivor);
    },
    act: ofParty((place, party) => assert.equal(leaveRound(place, party), 2)),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [overThenBroke] : [over]),
  },
  {
    name: 'Barrier: leave a round that is not over: stays',
    atLeast: 6,
    prepare: barrierWith(1),
    arm: comes(),
    act: ofParty((place, party) => assert.equal(leaveRound(place, party), undefined)),
    verify: (survivor, facts) => fares(survivor, facts, [broke]),
  },
  {
    name: 'Barrier: give up without a trace',
    atLeast: 38,
    prepare: barrierWith(1),
    arm: comes(),
    act: ofParty(withdraw),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [broke] : [nothing]),
  },
  {
    name: 'Barrier: give up without a trace, alone',
    atLeast: 50,
    prepare: barrier,
    arm: comes(),
    act: ofParty(withdraw),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [broke] : [nothing]),
  },
  {
    name: 'Barrier: give up, and break it',
    atLeast: 58,
    prepare: barrierWith(1),
    arm: comes(),
    act: ofParty((place, party) => {
      breakBarrier(place, party);
      assert.equal(leaveRound(place, party), 'broken');
    }),
    verify: (survivor, facts) => fares(survivor, facts, [broke]),
  },
  {
    name: 'Barrier: break it',
    atLeast: 20,
    prepare: barrierWith(2),
    act: (victim, facts) => breakBarrier(placeIn(victim, facts)),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [nothing, broke] : [broke]),
  },
  {
    name: 'Barrier: reset, with others waiting',
    atLeast: 20,
    prepare: barrierWith(2),
    act: (victim, facts) => resetBarrier(placeIn(victim, facts)),
    verify: (survivor, facts, died) => {
      const reset = { barrier: 'whole', others: 'broken' } as const;
      fares(survivor, facts, died ? [nothing, reset] : [reset]);
    },
  },
  {
    name: 'Barrier: reset one that is broken',
    atLeast: 10,
    prepare: (survivor) => {
      const facts = barrier(survivor);
      breakBarrier(placeIn(survivor, facts));
      return facts;
    },
    act: (victim, facts) => resetBarrier(placeIn(victim, facts)),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [broke, nothing] : [nothing]),
  },
  {
    name: 'Barrier: reap a member that others wait for',
    atLeast: 72,
    prepare: withDeadMember(false),
    act: looksAround,
    verify: (survivor, facts) => fares(survivor, facts, [broke]),
  },
  {
    name: 'Barrier: reap one who waits',
    atLeast: 110,
    prepare: withDeadMember(true),
    act: looksAround,
    verify: (survivor, facts) => fares(survivor, facts, [broke]),
  },
  {
    name: 'Barrier: reap one whose action runs',
    atLeast: 110,
    prepare: (survivor) => {
      const facts = barrierWith(2)(survivor);
      const dead = join(survivor, facts);
      come(dead, true);
      dies(dead.heap);
      return facts;
    },
    act: looksAround,
    verify: (survivor, facts) => fares(survivor, facts, [broke]),
  },
  {
    name: 'Barrier: leave in an orderly way, as a member',
    atLeast: 34,
    prepare: barrierWith(2),
    arm: (victim, facts) => {
      const place = placeIn(victim, facts);
      leaveRound(place, come(place));
    },
    act: (victim) => victim.leave(),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [over, overThenBroke] : [over]),
  },
  {
    name: 'Barrier: be a member no more',
    atLeast: 21,
    prepare: barrierWith(2),
    arm: (victim, facts) => {
      const place = placeIn(victim, facts);
      leaveRound(place, come(place));
    },
    act: (victim, facts) => endMembership(placeIn(victim, facts)),
    verify: (survivor, facts, died) => fares(survivor, facts, died ? [over, overThenBroke] : [over]),
  },
  {
    name: 'Barrier: store the action',
    atLeast: 75,
    prepare: barrier,
    act: (victim, facts) => storeText(placeIn(victim, facts), TEXT),
    verify: (survivor, facts, died) => {
      const place = placeIn(survivor, facts);
      const found = loadText(place);
      if (!died || found !== undefined) assert.deepEqual(found, TEXT);
      storeText(place, TEXT);
      assert.deepEqual(loadText(place), TEXT);
      fares(survivor, facts, [nothing]);
    },
  },
  {
    name: 'Barrier: drop, and its action with it',
    atLeast: 78,
    arm: (victim, facts) => {
      Object.assign(facts, barrier(victim));
      const place = placeIn(victim, facts);
      storeText(place, TEXT);
      for (const party of Array.from({ length: PARTIES }, () => come(place))) leaveRound(place, party);
    },
    act: (victim, facts) => {
      endMembership(placeIn(victim, facts));
      victim.release(facts['address']!);
    },
    verify: isEmpty,
  },
  {
    name: 'Barrier: dispose, with others waiting',
    atLeast: 31,
    prepare: barrierWith(2),
    act: (victim, facts) => {
      victim.dispose(at(facts));
      breakBarrier(placeIn(victim, facts));
    },
    verify: (survivor, facts, died) => {
      if (survivor.exists(at(facts))) {
        assert.equal(died, true);
        return fares(survivor, facts, [nothing]);
      }
      assert.throws(() => come(placeIn(survivor, facts)), StaleHandleError);
      for (const { place, party } of companionsOf(survivor)) withdraw(place, party!);
      part(survivor);
      survivor.release(facts['address']!);
      isEmpty(survivor);
    },
  },
];

const kept = new Set<object>();

export const synchronizeOperations: readonly Operation[] = [...semaphores, ...events, ...conditions, ...barriers];
