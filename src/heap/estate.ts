import { CorruptSegmentError } from '../errors/index.js';
import { belonging, belongingKind } from './layout.js';
import { arrivalsOf, belongingsOf, removeHold } from './lifetimes.js';
import { isRoot } from './roots.js';
import type { Transaction } from './transaction.js';

// What a participant leaves: its belongings, and holds that are on their way to it. Each is taken out of its list in the
// transaction that also undoes what it stood for, so settling may stop after any of them, and another goes on.

/**
 * Settles one belonging, in a transaction that has the object's lock and then the roots lock.
 *
 * @param headAt the list that it must be taken out of.
 * @param died whether its owner was killed, or left in an orderly way.
 */
export type Settle = (tx: Transaction, node: number, headAt: number, died: boolean) => void;

const kinds = new Map<number, Settle>();

/** Introduces a kind of belonging; holds are known without. */
export function registerBelonging(kind: number, settle: Settle): void {
  kinds.set(kind, settle);
}

/**
 * Gives back what the slot's participant has. Its generation must be closed, or nobody may know of it yet: then nothing is
 * added meanwhile.
 *
 * @param most after how many to stop.
 * @returns whether all of it is done.
 */
export function settleEstate(
  tx: Transaction,
  slotIndex: number,
  died: boolean,
  most = Number.POSITIVE_INFINITY,
): boolean {
  const lists = [arrivalsOf(slotIndex), belongingsOf(slotIndex)];
  for (let i = 0; ; ) {
    for (const headAt of lists) {
      for (; tx.memory.load(headAt) !== 0; i++) {
        if (i >= most || !settleFirst(tx, slotIndex, headAt, died)) return false;
      }
    }
    // Looked at once more under the roots lock. Whoever adds an arrival had it when it saw that the generation was not closed;
    // and another reaper may have died in the middle of giving the last belonging back, which is then in the list again.
    const isEmpty = tx.run(() => {
      tx.lockRoots();
      return lists.every((headAt) => tx.read(headAt) === 0);
    }, slotIndex);
    if (isEmpty) return true;
  }
}

/** @returns false for a kind that this program does not know: another one does. */
function settleFirst(tx: Transaction, slotIndex: number, headAt: number, died: boolean): boolean {
  try {
    return tx.run(() => {
      const arrivals = headAt === arrivalsOf(slotIndex);
      // Others add to these, up to now: what is read of them without the lock may be half-made, or undone and used again.
      if (arrivals) tx.lockRoots();
      const head = tx.read(headAt);
      if (head === 0) return true;
      const kind = arrivals ? belongingKind.hold : tx.read(head + belonging.kind);
      const settle = kind === belongingKind.hold ? settleHold : kinds.get(kind);
      if (settle === undefined) return false;
      const address = tx.read(head + belonging.root);
      if (!isRoot(tx, address)) throw new CorruptSegmentError('A belonging is of no object.');
      if (settle !== settleHold) tx.lockObject(address);
      tx.lockRoots();
      // Looked at without the lock before: it may have been settled meanwhile, or reaped by another.
      if (tx.read(headAt) !== head) return true;
      settle(tx, head, headAt, died);
      if (tx.read(headAt) === head) throw new CorruptSegmentError('A list of belongings leads nowhere.');
      return true;
    }, slotIndex);
  } catch (error) {
    if (!(error instanceof CorruptSegmentError)) throw error;
    // A list with impossible content is given up: what it held stays, which is better than whom it would hit.
    tx.run(() => {
      tx.lockRoots();
      tx.write(headAt, 0);
    }, slotIndex);
    return true;
  }
}

const settleHold: Settle = (tx, node, headAt) => removeHold(tx, node, headAt);
