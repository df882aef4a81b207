import { CorruptSegmentError } from '../errors/index.js';
import { atomicLoad, atomicStore } from './doors.js';
import { Journal } from './journal.js';
import { GENERATION_SHIFT, slot, slotBase, slotState } from './layout.js';
import { removeHold } from './lifetimes.js';
import { nextGeneration, type Participant } from './participants.js';
import type { Transaction } from './transaction.js';

// What is done for the dead, by whoever wins the byte of their slot and still finds their generation there. Two stages:
//
//   1. Roll-back. Their unfinished transaction is undone by plain stores, and the slot is marked: rolled back. Needs no lock,
//      so it may be done by somebody in the middle of a transaction, who waits for a lock of the dead.
//   2. Estate. Their holds are given back one by one, each in a small transaction of the reaper's own: so never by somebody
//      who is in a transaction or has a lock. It may stop after any of them; the next reaper goes on.
//
// Then one store frees the slot, with the next generation. Both stages can be done twice without harm, so a reaper may be
// killed anywhere. In one stage it would not do: two reapers, each in a transaction, could wait for locks of each other's
// dead, and a reaper would commit half of its own transaction along with an estate.

const STATE_MASK = (1 << GENERATION_SHIFT) - 1;
const MOST_AT_ONCE = 4096;

/** Reaps a slot as far as that is possible now. Does nothing when its owner lives, or another reaps it. */
export function reap(tx: Transaction, participant: Participant, index: number): void {
  const { memory } = tx;
  const { segment } = memory;
  const base = slotBase(index);
  if (index === participant.slot || !participant.tryLock(index)) return;
  try {
    // Read under the byte: nobody else changes the word now.
    const state = atomicLoad(segment, base + slot.state);
    if ((state & STATE_MASK) !== slotState.live) return;
    const generation = state >>> GENERATION_SHIFT;
    new Journal(memory, index).rollBack();
    atomicStore(segment, base + slot.rolledBack, generation);
    if (tx.open || tx.locks.anyHeld) return;
    if (!settleEstate(tx, index)) return;
    atomicStore(segment, base + slot.state, (nextGeneration(generation) << GENERATION_SHIFT) | slotState.free);
  } finally {
    participant.unlock(index);
  }
}

/** Gives back what a slot holds. @returns whether all of it is done. */
export function settleEstate(tx: Transaction, index: number): boolean {
  const headAt = slotBase(index) + slot.holds;
  for (let i = 0; i < MOST_AT_ONCE; i++) {
    if (tx.memory.load(headAt) === 0) return true;
    try {
      tx.run(() => {
        tx.lockRoots();
        const head = tx.read(headAt);
        if (head === 0) return;
        removeHold(tx, head, index);
        if (tx.read(headAt) === head) throw new CorruptSegmentError('A list of holds leads nowhere.');
      }, index);
    } catch (error) {
      if (!(error instanceof CorruptSegmentError)) throw error;
      // A list with impossible content is given up: what it held stays, which is better than whom it would hit.
      tx.run(() => {
        tx.lockRoots();
        tx.write(headAt, 0);
      }, index);
    }
  }
  return tx.memory.load(headAt) === 0;
}
