import { closeSync } from 'node:fs';
import {
  type Heap,
  handOver,
  joinedHeaps,
  letGoOfArrivals,
  type Place,
  type TakenSlot,
  takeSlotForOther,
  tokenOfSlot,
  treeHeap,
} from '../heap/internal.js';
import type { Receipt } from './spawn-record.js';

// Shared objects in the arguments and results of child processes: held from when they are sent until they have been opened,
// whichever of the two processes ends first, and however.

/** Arguments are all taken at once. */
const ARGUMENTS = 0;
let lastLabel = ARGUMENTS;

/**
 * Takes a place in each heap in which an argument lies, for a child that is about to be started, and has the arguments held
 * there. The caller closes the descriptors.
 */
export function sendArguments(places: Iterable<Place>): TakenSlot[] {
  const slots = new Map<Heap, TakenSlot>();
  try {
    for (const { heap, at } of places) {
      let slot = slots.get(heap);
      if (slot === undefined) {
        slot = takeSlotForOther(heap);
        slots.set(heap, slot);
      }
      handOver(heap, at, tokenOfSlot(slot), ARGUMENTS);
    }
    return [...slots.values()];
  } catch (error) {
    for (const { fd } of slots.values()) closeSync(fd);
    throw error;
  }
}

/** The child has opened its arguments. */
export function argumentsArrived(): void {
  for (const heap of joinedHeaps()) letGoOfArrivals(heap, ARGUMENTS);
}

/** What a child needs to know so that what it returns is held for this environment. */
export function expectResult(): Receipt {
  treeHeap(); // joined before, so that a child may make an object there and return it
  lastLabel += 1;
  const receivers = joinedHeaps().map(({ id, nonce, participant: { token } }) => ({ heap: id, nonce, token }));
  return { label: lastLabel, receivers };
}

/** Has what the child returns held for its parent, if that still lives. */
export function sendResult(places: Iterable<Place>, { label, receivers }: Receipt): void {
  for (const { heap, at } of places) {
    const receiver = receivers.find((known) => known.heap === heap.id && known.nonce === heap.nonce);
    if (receiver !== undefined) handOver(heap, at, receiver.token, label);
  }
}

/** The result has been opened, or nobody will. Never throws: what cannot be let go of now is part of the estate. */
export function resultArrived({ label }: Receipt): void {
  for (const heap of joinedHeaps()) {
    try {
      letGoOfArrivals(heap, label);
    } catch {}
  }
}
