import {
  addHold,
  allocate,
  atomicAdd,
  atomicLoad,
  belonging,
  belongingKind,
  belongingsOf,
  EXTENT_MASK,
  enlisted,
  type Heap,
  isWrapped,
  type Place,
  registerBelonging,
  removeHold,
  root,
  stale,
  type Transaction,
} from '../heap/internal.js';

// A barrier's rounds. Each is a block of its own, which lives as long as somebody is in it: so whoever is slow to wake finds
// what became of its own round, however many others there have been since.
//
//   root    a  the round that fills, or whose action runs   b  parties   c  whether it is broken   d  where the action is
//   round   state | arrived | left | users | futex
//
//   filling → (acting →) done      all have come
//   filling or acting → broken     one gave up or died, or somebody broke or reset the barrier
//
// All of it changes in transactions under the root's internal lock. So with any process killed at any instant: whoever is in
// a round has a node among its belongings that says so, and `users` counts these nodes; a round with such a node of a dead
// one, or whose barrier has a dead member, is broken by the reaper in the transaction that removes the node.

const round = { state: 0, arrived: 1, left: 2, users: 3, futex: 4, words: 5 } as const;
export const roundState = { filling: 0, acting: 1, done: 2, broken: 3 } as const;
/** A party's node says which round it is in. */
const roundOfParty = belonging.words;
/** No two parties of an environment have the same. */
const numberOfParty = belonging.words + 1;
const PARTY_WORDS = belonging.words + 2;
let parties = 0;

/** One who waits in a round. */
export interface Party {
  readonly node: number;
  readonly round: number;
  readonly number: number;
  /** Whether it was the last to come. */
  readonly last: boolean;
}

/** Barriers at which this environment counts as a member, by heap. */
const memberships = new WeakMap<Heap, Map<number, { node: number; serial: number }>>();

/**
 * Comes to the barrier.
 *
 * @param acts whether an action is to run when all have come.
 * @param note told of the party before it has happened.
 * @returns undefined while the last round's action runs; `'broken'`.
 * @throws StaleHandleError.
 */
export function arrive(
  { heap, at }: Place,
  acts: boolean,
  note: (party: Party) => void = () => {},
): Party | 'broken' | undefined {
  const { slot } = heap.participant;
  const members = membersOf(heap);
  const known = members.get(at.address)?.serial === at.serial;
  const { party, member } = heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    if (tx.read(at.address + root.serial) !== at.serial) throw stale();
    if (tx.read(at.address + root.c) !== 0) return { party: 'broken' as const };
    const current = tx.read(at.address + root.a);
    if (current !== 0 && tx.read(current + round.state) !== roundState.filling) return {};
    tx.lockRoots(); // before the allocator's, which a new round takes
    const member = known ? undefined : addHold(tx, at.address, belongingsOf(slot), belongingKind.member);
    const filling = current === 0 ? newRound(tx, at.address) : current;
    const node = addHold(tx, at.address, belongingsOf(slot), belongingKind.party, PARTY_WORDS);
    parties = (parties + 1) | 0;
    tx.fill(node + roundOfParty, filling, parties);
    const arrived = tx.read(filling + round.arrived) + 1;
    tx.write(filling + round.arrived, arrived);
    tx.write(filling + round.users, tx.read(filling + round.users) + 1);
    const last = arrived >= tx.read(at.address + root.b);
    if (last && acts) tx.write(filling + round.state, roundState.acting);
    else if (last) end(tx, at.address, filling, roundState.done);
    const party = { node, round: filling, number: parties, last };
    note(party);
    return { party, member };
  });
  if (member !== undefined) members.set(at.address, { node: member, serial: at.serial });
  return party;
}

/** What has become of the party's round, as far as can be seen without the lock. */
export function seenState({ memory }: Heap, party: Party): number {
  return memory.load(party.round + round.state);
}

export function futexOf(party: Party): number {
  return party.round + round.futex;
}

export function loadWord({ memory }: Heap, address: number): number {
  return atomicLoad(memory.at(address), address & EXTENT_MASK);
}

/** The action has run: the round is over, unless it has been broken meanwhile. */
export function completeRound({ heap, at }: Place, party: Party): void {
  heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    if (tx.read(party.round + round.state) === roundState.acting) end(tx, at.address, party.round, roundState.done);
  });
}

/**
 * Leaves a round that is over.
 *
 * @returns which of them this party is, from 0, the last to come being the last; `'broken'`; undefined when it is not over,
 * and the party stays: what was seen may have been undone since, with the transaction of one who died.
 */
export function leaveRound({ heap, at }: Place, party: Party): number | 'broken' | undefined {
  return heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    const state = tx.read(party.round + round.state);
    if (state !== roundState.done && state !== roundState.broken) return undefined;
    const left = tx.read(party.round + round.left);
    if (!party.last) tx.write(party.round + round.left, left + 1);
    leave(tx, at.address, party, belongingsOf(heap.participant.slot));
    if (state === roundState.broken) return 'broken' as const;
    return party.last ? tx.read(at.address + root.b) - 1 : left;
  });
}

/**
 * Leaves without a trace where that is possible: as long as not all have come.
 *
 * @param onlyThen whether to stay otherwise, because the others count on this party.
 * @returns whether it has left.
 */
export function withdraw({ heap, at }: Place, party: Party, onlyThen = false): boolean {
  return heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    const state = tx.read(party.round + round.state);
    if (onlyThen && (state === roundState.acting || state === roundState.done)) return false;
    if (state === roundState.filling) {
      tx.write(party.round + round.arrived, tx.read(party.round + round.arrived) - 1);
    }
    leave(tx, at.address, party, belongingsOf(heap.participant.slot));
    return true;
  });
}

/** Breaks the barrier for a party that will not go on, unless its round is over, and leaves; if the party is there still. */
export function abandonRound({ heap, at }: Place, party: Party): void {
  const headAt = belongingsOf(heap.participant.slot);
  heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    for (const standing of enlisted(tx, headAt)) {
      if (standing !== party.node || tx.read(standing + belonging.kind) !== belongingKind.party) continue;
      if (tx.read(standing + numberOfParty) !== party.number) return;
      if (isOpen(tx, party.round)) breakNow(tx, at.address);
      leave(tx, at.address, party, headAt);
      return;
    }
  });
}

/** Breaks the barrier for good; of a party that gives up, only if its round is not over. */
export function breakBarrier({ heap, at }: Place, party?: Party): void {
  heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    if (party === undefined) breakNow(tx, at.address);
    else if (isOpen(tx, party.round)) breakNow(tx, at.address);
  });
}

/** Breaks the round that fills, if there is one; the barrier itself is as new. */
export function resetBarrier({ heap, at }: Place): void {
  heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    const current = tx.read(at.address + root.a);
    if (current !== 0) end(tx, at.address, current, roundState.broken);
    tx.write(at.address + root.c, 0);
  });
}

/** How many wait. */
export function waitingParties(tx: Transaction, address: number): number {
  const current = tx.read(address + root.a);
  return current === 0 ? 0 : tx.read(current + round.arrived);
}

/** This environment cannot come to the barrier any more, if nobody in it has it now. Never throws. */
export function endMembership(place: Place): void {
  // It may have been opened again before the garbage collector told of the wrapper before.
  if (isWrapped(place)) return;
  const { heap, at } = place;
  const members = membersOf(heap);
  const known = members.get(at.address);
  if (known?.serial !== at.serial) return;
  members.delete(at.address);
  try {
    heap.transaction.run((tx) => removeHold(tx, known.node, belongingsOf(heap.participant.slot)));
  } catch {
    // Declared dead, or leaving: its belongings are settled without us.
  }
}

function membersOf(heap: Heap): Map<number, { node: number; serial: number }> {
  let members = memberships.get(heap);
  if (members === undefined) {
    members = new Map();
    memberships.set(heap, members);
  }
  return members;
}

function newRound(tx: Transaction, address: number): number {
  const made = allocate(tx, round.words);
  tx.fill(made, 0, 0, 0, 0, 0);
  tx.write(address + root.a, made);
  return made;
}

function isOpen(tx: Transaction, address: number): boolean {
  return tx.read(address + round.state) < roundState.done;
}

function end(tx: Transaction, address: number, ended: number, state: number): void {
  tx.write(ended + round.state, state);
  if (tx.read(address + root.a) === ended) tx.write(address + root.a, 0);
  // While the block is certainly there. Those who wait for the action of the round before sleep on the root's word.
  for (const word of [ended + round.futex, address + root.futex]) {
    atomicAdd(tx.memory.at(word), word & EXTENT_MASK, 1);
    tx.wakeAfterwards(word);
  }
}

function breakNow(tx: Transaction, address: number): void {
  tx.write(address + root.c, 1);
  const current = tx.read(address + root.a);
  if (current !== 0) end(tx, address, current, roundState.broken);
}

function leave(
  tx: Transaction,
  address: number,
  { node, round: left }: Pick<Party, 'node' | 'round'>,
  headAt: number,
): void {
  const users = tx.read(left + round.users) - 1;
  tx.write(left + round.users, users);
  if (users === 0) {
    if (tx.read(address + root.a) === left) tx.write(address + root.a, 0);
    tx.free(left);
  }
  removeHold(tx, node, headAt);
}

registerBelonging(belongingKind.member, (tx, node, headAt, died) => {
  if (died) breakNow(tx, tx.read(node + belonging.root));
  removeHold(tx, node, headAt);
});

// One who leaves in an orderly way while it waits has come all the same, and will not go on: the others cannot count on it.
registerBelonging(belongingKind.party, (tx, node, headAt) => {
  const address = tx.read(node + belonging.root);
  const entered = tx.read(node + roundOfParty);
  if (isOpen(tx, entered)) breakNow(tx, address);
  leave(tx, address, { node, round: entered }, headAt);
});
