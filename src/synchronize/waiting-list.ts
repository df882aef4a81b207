import { CorruptSegmentError } from '../errors/index.js';
import {
  addHold,
  atomicAdd,
  atomicLoad,
  belonging,
  belongingKind,
  belongingsOf,
  EXTENT_MASK,
  type Heap,
  type Place,
  type RootAddress,
  registerBelonging,
  removeHold,
  root,
  stale,
  type Transaction,
} from '../heap/internal.js';

// Who waits for a condition: a queue of nodes, first come first served, at the condition's root.
//
//   a  first node   b  last node   c  the condition's lock   d  the last ticket handed out   e  granted: the last ticket let go
//
// Each node has a ticket, one more than that of the node before. To notify n is to move `granted` to the ticket of the nth
// node behind it, and to notify all is to move it to the last ticket: one word either way. Granted are always the first in
// the queue, so that one word says of every node whether it is.
//
// All of it changes in transactions under the root's internal lock. So with any process killed at any instant:
//
//   - A waiter is in the queue, or it is not, and its belongings say the same.
//   - It leaves the queue only when it has the user's lock again, or is dead; that transaction decides whether it was granted.
//   - A grant to one who cannot use it (it died, or was aborted) moves on to the next in the very transaction that removes it:
//     `granted` moves by one node. None is lost, and none is used twice.
//
// A waiter sleeps on a futex word of its own in its node. It is bumped once the grant can be seen: who reads the word bumped
// and then looks finds the grant, and does not sleep; who read it before does not sleep on it, or is asleep when the wake-up
// comes. And it is bumped before the commit, while the node is certainly there; the sleepers are woken after it.

const node = {
  next: belonging.words,
  previous: belonging.words + 1,
  ticket: belonging.words + 2,
  futex: belonging.words + 3,
};
const NODE_WORDS = belonging.words + 4;
/** How many are woken in one transaction. Those behind them are granted all the same, and wake at their next look. */
const MOST_WOKEN = 4096;

/** A waiter's place in the queue. */
export interface Waiter {
  readonly node: number;
  readonly ticket: number;
}

/**
 * Stands in line. The caller has the user's lock. Logs at most 40 words.
 *
 * @param note told of the waiter before it has happened.
 */
export function standInLine({ heap, at }: Place, note: (waiter: Waiter) => void = () => {}): Waiter {
  return heap.transaction.run((tx) => {
    lock(tx, at);
    const added = addHold(tx, at.address, belongingsOf(heap.participant.slot), belongingKind.waiter, NODE_WORDS);
    const ticket = (tx.read(at.address + root.d) + 1) | 0;
    const last = tx.read(at.address + root.b);
    tx.fill(added + node.next, 0, last, ticket, 0);
    if (last === 0) {
      tx.write(at.address + root.a, added);
      // Nobody waits, so all tickets so far are done with: none in the queue is ever compared with one from long ago.
      tx.write(at.address + root.e, (ticket - 1) | 0);
    } else {
      tx.write(last + node.next, added);
    }
    tx.write(at.address + root.b, added);
    tx.write(at.address + root.d, ticket);
    const waiter = { node: added, ticket };
    note(waiter);
    return waiter;
  });
}

/** A look without the lock; `leaveLine` has the last word. @throws StaleHandleError when the condition has been disposed of; ClosedError. */
export function seemsGranted({ heap, at }: Place, { ticket }: Waiter): boolean {
  if (!heap.exists(at)) throw stale();
  heap.participant.check();
  return isAtMost(ticket, heap.memory.load(at.address + root.e));
}

export function futexOf(waiter: Waiter): number {
  return waiter.node + node.futex;
}

export function loadFutex({ memory }: Heap, waiter: Waiter): number {
  return atomicLoad(memory.at(futexOf(waiter)), futexOf(waiter) & EXTENT_MASK);
}

/**
 * Leaves the queue. The caller has the user's lock.
 *
 * @param why `granted`, as it seemed: only this transaction knows, because what was seen may have been undone since, with the
 * transaction of one who died. `overdue`: granted or not. `unfit`: a grant is of no use to this waiter any more.
 * @returns whether it had been granted; undefined when it stays in the queue, because it was not.
 */
export function leaveLine(
  { heap, at }: Place,
  waiter: Waiter,
  why: 'granted' | 'overdue' | 'unfit',
): boolean | undefined {
  return heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    const granted = isAtMost(waiter.ticket, tx.read(at.address + root.e));
    if (why === 'granted' && !granted) return undefined;
    remove(tx, at.address, waiter.node, granted && why === 'unfit');
    removeHold(tx, waiter.node, belongingsOf(heap.participant.slot));
    return granted;
  });
}

/** Leaves the queue, if it stands there still, without the user's lock: nobody waits there any more. */
export function abandonLine({ heap, at }: Place, waiter: Waiter): void {
  heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    for (const standing of nodes(tx, at.address)) {
      if (standing !== waiter.node || tx.read(standing + node.ticket) !== waiter.ticket) continue;
      remove(tx, at.address, standing, isAtMost(waiter.ticket, tx.read(at.address + root.e)));
      removeHold(tx, standing, belongingsOf(heap.participant.slot));
      return;
    }
  });
}

/** Lets the first `count` go of those who have not been let go yet. Logs 1 word. */
export function grant({ heap, at }: Place, count: number): void {
  heap.transaction.run((tx) => {
    lock(tx, at);
    const granted = tx.read(at.address + root.e);
    let last = granted;
    let left = count;
    const woken: number[] = [];
    for (const waiter of nodes(tx, at.address)) {
      const ticket = tx.read(waiter + node.ticket);
      if (isAtMost(ticket, granted)) continue;
      if (left === 0) break;
      last = ticket;
      left -= 1;
      if (woken.length < MOST_WOKEN) woken.push(waiter);
    }
    if (last !== granted) tx.write(at.address + root.e, last);
    for (const waiter of woken) alert(tx, waiter);
  });
}

/** Wakes all who wait for a condition that has been disposed of; they find that out by themselves. */
export function alertAll({ heap, at }: Place): void {
  heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    for (const waiter of nodes(tx, at.address)) alert(tx, waiter);
  });
}

function lock(tx: Transaction, at: RootAddress): void {
  tx.lockObject(at.address);
  if (tx.read(at.address + root.serial) !== at.serial) throw stale();
}

/** Takes a node out of the queue; a grant that it had and cannot use goes to the next who has none. Logs at most 5 words. */
function remove(tx: Transaction, address: number, removed: number, passOn: boolean): void {
  const next = tx.read(removed + node.next);
  const previous = tx.read(removed + node.previous);
  if (passOn) {
    const granted = tx.read(address + root.e);
    for (const follower of nodes(tx, address, next, removed)) {
      const ticket = tx.read(follower + node.ticket);
      if (isAtMost(ticket, granted)) continue;
      tx.write(address + root.e, ticket);
      alert(tx, follower);
      break;
    }
  }
  if (previous === 0) tx.write(address + root.a, next);
  else tx.write(previous + node.next, next);
  if (next === 0) tx.write(address + root.b, previous);
  else tx.write(next + node.previous, previous);
}

function alert(tx: Transaction, waiter: number): void {
  atomicAdd(tx.memory.at(waiter + node.futex), (waiter + node.futex) & EXTENT_MASK, 1);
  tx.wakeAfterwards(waiter + node.futex);
}

/** @throws CorruptSegmentError for a queue that is broken, or leads into itself. */
function* nodes(tx: Transaction, address: number, first = tx.read(address + root.a), before = 0): Generator<number> {
  let previous = before;
  for (let at = first; at !== 0; at = tx.read(at + node.next)) {
    if (tx.read(at + node.previous) !== previous) throw new CorruptSegmentError('Those who wait stand in no line.');
    yield at;
    previous = at;
  }
}

/** Tickets are used again after four thousand million, so only their distance counts. */
function isAtMost(ticket: number, bound: number): boolean {
  return ((ticket - bound) | 0) <= 0;
}

registerBelonging(belongingKind.waiter, (tx, settled, headAt) => {
  const address = tx.read(settled + belonging.root);
  const granted = isAtMost(tx.read(settled + node.ticket), tx.read(address + root.e));
  remove(tx, address, settled, granted);
  removeHold(tx, settled, headAt);
});
