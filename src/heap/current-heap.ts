import { StaleHandleError } from '../errors/index.js';
import { lastAtExit } from '../os/index.js';
import { alsoSweep, ensureMembership, randomHex } from '../shared-memory/internal.js';
import { Heap } from './heap.js';
import { sweepHeaps } from './heap-sweep.js';
import type { HeapId } from './segment.js';
import type { TakenSlot } from './transit.js';

// Which heaps this environment takes part in. One is the process tree's: its name is the tree's, so all processes of a tree
// meet in it, and children learn of it by the environment. Others are joined when a handle leads there.

const heaps = new Map<HeapId, Heap>();
/** Places in heaps that the parent has taken for this process, and that it has not entered yet. */
const given = new Map<HeapId, TakenSlot>();
let leaving = false;

let home: Heap | undefined;
/** Who takes part instead of this environment, for the time of one call (deputy.ts). */
let instead: ((heap: Heap) => Heap) | undefined;

/** Where new objects are made: the heap of this process's tree, made on first need, unless `makeIn` says otherwise. */
export function treeHeap(): Heap {
  const { id } = ensureMembership().tree;
  if (home !== undefined) return home;
  return known(id) ?? joined(entered(id) ?? Heap.join(id, true)!);
}

/**
 * The heap that a handle means.
 *
 * @throws StaleHandleError when it is gone.
 */
export function heapOf(id: HeapId, nonce: number): Heap {
  ensureMembership();
  let heap = known(id);
  if (heap === undefined) {
    const found = entered(id) ?? Heap.join(id, false);
    if (found !== undefined) heap = joined(found);
  }
  if (heap === undefined || heap.nonce !== nonce) {
    throw new StaleHandleError('The shared object that was meant here exists no more: its processes have all ended.');
  }
  return instead === undefined ? heap : instead(heap);
}

/** What `open` opens while it runs is opened for somebody else, who takes part in those heaps in a place of his own. */
export function openInstead<T>(participant: ((heap: Heap) => Heap) | undefined, open: () => T): T {
  const before = instead;
  instead = participant;
  try {
    return open();
  } finally {
    instead = before;
  }
}

/**
 * A heap of its own, of a name that nobody knows, in which this environment takes part until it ends.
 *
 * @param maxBytes the most that it may take of /dev/shm. Default: no limit.
 */
export function makeHeap(maxBytes?: number): Heap {
  ensureMembership();
  return joined(Heap.join(randomHex(16), true, maxBytes)!);
}

/** What `make` makes while it runs lies in that heap. */
export function makeIn<T>(heap: Heap, make: () => T): T {
  const before = home;
  home = heap;
  try {
    return make();
  } finally {
    home = before;
  }
}

/** The heaps that this environment takes part in. */
export function joinedHeaps(): Heap[] {
  return [...heaps.values()].filter((heap) => !heap.left);
}

/** Tells that this process has been given places in heaps. It enters a heap when it first needs it. */
export function giveSlots(slots: readonly TakenSlot[]): void {
  for (const slot of slots) given.set(slot.heap, slot);
}

/** What `open` opens while it runs is this environment's own, whoever it is opened for: what has no owner, and no end. */
export function openAsOwn<T>(open: () => T): T {
  return instead === undefined ? open() : openInstead(undefined, open);
}

function entered(id: HeapId): Heap | undefined {
  const slot = given.get(id);
  given.delete(id);
  return slot && Heap.takeOver(id, slot, slot.fd);
}

function known(id: HeapId): Heap | undefined {
  const heap = heaps.get(id);
  return heap?.left ? undefined : heap;
}

function joined(heap: Heap): Heap {
  heaps.set(heap.id, heap);
  if (!leaving) {
    leaving = true;
    lastAtExit(leaveAll);
  }
  return heap;
}

/** An environment that ends must end, so nothing is thrown: what cannot be done is left to reapers and sweepers. */
function leaveAll(): void {
  for (const heap of heaps.values()) {
    try {
      heap.leave();
    } catch {}
  }
  heaps.clear();
  try {
    sweepHeaps();
  } catch {}
}

alsoSweep(sweepHeaps);
