import {
  atomicLoad,
  compareExchange,
  EXTENT_MASK,
  type Place,
  root,
  sleepWhile,
  step,
  TOKEN_MASK,
  WAITERS,
  wake,
} from '../heap/internal.js';

// The futex word of a container's root: a counter, and two bits which whoever changes something looks at after the commit,
// with one plain load. Read too early, it says nothing of who has come just now: that one looks again within a slice.
//
//   WAITERS   somebody may be asleep until something changes
//   STARVING  a `transact` has been overtaken by others again and again: they stand back for a while after each change
//
// The root's word `c` is the lock of those who `transact`.

export const TURN = root.c;
const STARVING = 0x4000_0000;
const COUNTER_MASK = 0x3fff_ffff;
const EVERYBODY = 0x7fff_ffff;
/** How long one change stands back at most. */
const STANDING_BACK_MS = 20;

/** Wakes those who wait for a change. To be called after each. */
export function tellWatchers(place: Place): void {
  const { heap, at } = place;
  const words = heap.memory.at(at.address);
  if (words[(at.address & EXTENT_MASK) + root.futex]! & (WAITERS | STARVING)) tell(place, words);
}

function tell(place: Place, words: Int32Array): void {
  if (change(place, (seen) => (seen & WAITERS ? ((seen + 1) & COUNTER_MASK) | (seen & STARVING) : undefined))) {
    wakeAll(place);
  }
  const { heap, at } = place;
  const seen = atomicLoad(words, (at.address & EXTENT_MASK) + root.futex);
  if (!(seen & STARVING)) return;
  const owner = atomicLoad(words, (at.address & EXTENT_MASK) + TURN) & TOKEN_MASK;
  if (owner === heap.participant.token) return;
  if (owner === 0 || heap.participant.isGone(owner, true)) setStarving(place, false);
  else standBack(place, seen);
}

/** In a function of its own: a thread that is being terminated gets out after it. */
function standBack({ heap, at }: Place, seen: number): void {
  sleepWhile(heap.memory, at.address + root.futex, seen, STANDING_BACK_MS, Number.POSITIVE_INFINITY);
}

/** For a `transact` that has been overtaken too often, and when it is over. */
export function setStarving(place: Place, starving: boolean): void {
  const next = (seen: number) => {
    if (((seen & STARVING) !== 0) === starving) return undefined;
    return starving ? seen | STARVING : (seen + 1) & COUNTER_MASK;
  };
  if (change(place, next) && !starving) wakeAll(place);
}

/** Notes that somebody is about to sleep. @returns the word's value to sleep on. */
export function prepareToWatch(place: Place): number {
  change(place, (seen) => (seen & WAITERS ? undefined : seen | WAITERS));
  const { heap, at } = place;
  return atomicLoad(heap.memory.at(at.address), (at.address & EXTENT_MASK) + root.futex) | WAITERS;
}

/** @returns whether the word has been changed; not if `next` says undefined. */
function change({ heap, at }: Place, next: (seen: number) => number | undefined): boolean {
  const words = heap.memory.at(at.address);
  const index = (at.address & EXTENT_MASK) + root.futex;
  for (;;) {
    const seen = atomicLoad(words, index);
    const wanted = next(seen);
    if (wanted === undefined) return false;
    if (compareExchange(words, index, seen, wanted) === seen) return true;
  }
}

function wakeAll({ heap, at }: Place): void {
  step();
  wake(heap.memory, at.address + root.futex, EVERYBODY);
}
