import { CorruptSegmentError } from '../errors/index.js';
import { BODY, EXTENT_MASK, type Heap, type Place, type RootAddress, step } from '../heap/internal.js';
import { CELL_WORDS } from '../values/internal.js';
import { makeList } from './list-aside.js';
import { cellsBehind } from './list-ends.js';
import { BORROWED, body, bodyOf, countOf } from './list-layout.js';
import { everything, isUnchanged, type Snapshot, takeSnapshot, valuesOf } from './list-snapshot.js';
import { tellWatchers } from './watchers.js';

// A list in another order: its cells, not its values, are copied to another body, which then takes the place of the old one by
// a few words. Until then the new body only borrows what the cells have; from then on the old one does.

/**
 * Puts the elements in another order, decided without any lock: again, if the list has changed meanwhile.
 *
 * @param part whether the order depends on values, or is the same for all lists of one length.
 * @param order gives the old index of each element in the new order; undefined when nothing is to be done.
 */
export function reorder(
  place: Place,
  part: 'values' | 'words',
  order: (values: unknown[], length: number) => Int32Array | undefined,
): void {
  const { heap, at } = place;
  for (;;) {
    const { values, snapshot } =
      part === 'values' ? valuesOf(place) : { values: [], snapshot: takeSnapshot(place, everything, 'words') };
    const indexes = order(values, snapshot.cells.length);
    if (indexes === undefined) return;
    const made = borrow(heap, snapshot, indexes);
    try {
      const isDone = exchange(heap, at, made, snapshot);
      tellWatchers(place);
      if (isDone) return;
    } finally {
      heap.release(made.address);
    }
  }
}

/** A list of the same cells in that order, which owns none of them. */
function borrow(heap: Heap, { cells }: Snapshot, indexes: Int32Array): RootAddress {
  const { words } = cells;
  const made = makeList(heap);
  try {
    heap.transaction.run((tx) => {
      tx.lockObject(made.address);
      tx.write(bodyOf(tx, made) + body.flags, BORROWED);
    });
    for (let done = 0; done < indexes.length; ) {
      done += heap.transaction.run((tx) => {
        tx.lockObject(made.address);
        const to = bodyOf(tx, made);
        const free = cellsBehind(tx, to);
        const count = Math.min(free.room, indexes.length - done);
        const target = tx.memory.at(free.cells);
        step();
        for (let i = 0, next = free.cells & EXTENT_MASK; i < count; i++) {
          const from = indexes[done + i]! * CELL_WORDS;
          for (let word = 0; word < CELL_WORDS; word++) target[next++] = words[from + word]!;
        }
        tx.write(to + body.count, done + count);
        return count;
      });
    }
    return made;
  } catch (error) {
    heap.release(made.address);
    throw error;
  }
}

/** Gives each of two lists the other's body. Logs 4 words. @returns false when the first has changed. */
function exchange(heap: Heap, at: RootAddress, made: RootAddress, snapshot: Snapshot): boolean {
  return heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    const old = bodyOf(tx, at);
    if (!isUnchanged(tx, at, snapshot)) return false;
    const next = tx.read(made.address + BODY);
    if (countOf(tx, next) !== countOf(tx, old)) {
      throw new CorruptSegmentError('The length of a list is not that of its elements.');
    }
    tx.write(next + body.flags, 0);
    tx.write(old + body.flags, BORROWED);
    tx.write(at.address + BODY, next);
    tx.write(made.address + BODY, old);
    return true;
  });
}
