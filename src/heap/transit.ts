import { closeSync, constants, openSync } from 'node:fs';
import { fileFacts, openFileFacts, sameFile } from '../os/index.js';
import { settleEstate } from './estate.js';
import type { Heap } from './heap.js';
import { belonging, root, slotOfToken, tokenOf } from './layout.js';
import { addHold, arrivalsOf, enlisted, removeHold } from './lifetimes.js';
import { takeSlot } from './participants.js';
import { type RootAddress, stale } from './roots.js';
import { type HeapId, segmentPath } from './segment.js';

// Objects on their way to another process: in the arguments of a child, or in what it returns. Their sender may end before
// they have arrived, so it enters a hold for the receiver, among the receiver's arrivals. The receiver lets go of it when it
// has opened the object; if it dies before, it is part of its estate.
//
// A child has no slot yet when it is sent its arguments. So its parent takes one for it, on an open file of its own that the
// child inherits: the slot's byte is held until the last descriptor of that file is closed, whoever of the two dies.

/** A slot that has been taken for somebody else. */
export interface TakenSlot {
  readonly heap: HeapId;
  readonly nonce: number;
  readonly index: number;
  readonly generation: number;
  /** Whoever has this open is the participant. */
  readonly fd: number;
}

/**
 * Takes a slot for another process, which is to inherit `fd`. The caller closes its own copy: should no other have been
 * made, that is the participant's death.
 *
 * @throws TooManyParticipantsError; StaleHandleError when the heap's file has been removed from outside; system errors.
 */
export function takeSlotForOther(heap: Heap): TakenSlot {
  const path = segmentPath(heap.id);
  const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!sameFile(openFileFacts(fd), fileFacts(path)) || openFileFacts(fd).inode !== heap.participant.inode)
      throw stale();
    const { index, generation, inheritsEstate } = takeSlot(heap.memory, fd);
    if (inheritsEstate) settleEstate(heap.transaction, index, true);
    return { heap: heap.id, nonce: heap.nonce, index, generation, fd };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

export function tokenOfSlot({ index, generation }: TakenSlot): number {
  return tokenOf(index, generation);
}

/**
 * Holds an object for another participant until it has taken it. The caller holds the object itself. One that has been
 * disposed of is not held; a receiver that is gone needs nothing.
 *
 * @param label what the receiver finds its arrivals by.
 */
export function handOver(heap: Heap, at: RootAddress, token: number, label: number): void {
  const { participant, transaction } = heap;
  transaction.run((tx) => {
    tx.lockRoots();
    // Under the roots lock: who settles the receiver's estate closes it first, and then takes this lock.
    if (!participant.takesArrivals(token) || tx.read(at.address + root.serial) !== at.serial) return;
    addHold(tx, at.address, arrivalsOf(slotOfToken(token)), label);
  });
}

/** Lets go of what has arrived here under that label. */
export function letGoOfArrivals(heap: Heap, label: number): void {
  const headAt = arrivalsOf(heap.participant.slot);
  const next = () =>
    heap.transaction.run((tx) => {
      for (const node of enlisted(tx, headAt)) {
        if (tx.read(node + belonging.kind) !== label) continue;
        removeHold(tx, node, headAt);
        return true;
      }
      return false;
    });
  while (next());
  heap.buryAny();
}
