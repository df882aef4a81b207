import type { Heap, Place, Transaction } from '../heap/internal.js';
import { dropCellInPlace, LoadedCell, refers } from '../values/internal.js';
import { firstCell, passRecord, takeItem } from './channel.js';
import { channel, item, shareKind } from './layout.js';
import { dropItem, finishShare, ownList, takeOut } from './shares.js';

/** What has been taken out of a channel. */
export interface Taken {
  readonly value: unknown;
}

// Unpacking a value may run code of the user's, which may take other items meanwhile.
const spare: LoadedCell[] = [];

/** Copies values out: gives `use` what they are copied to, for as long as it runs. */
export function withLoaded<T>(use: (loaded: LoadedCell) => T): T {
  const loaded = spare.pop() ?? new LoadedCell();
  try {
    return use(loaded);
  } finally {
    spare.push(loaded);
  }
}

/** Runs a taking transaction, in a full heap too: what an item takes until it is unpacked is less than it gives back then. */
export function takeInFull<T>(heap: Heap, take: (tx: Transaction) => T): T {
  return heap.transaction.run(take, undefined, true);
}

/**
 * Takes the first of what there is in a channel, and copies it out. What refers to objects becomes this participant's until
 * it has been unpacked: so they live until then, and no longer if this participant does not.
 *
 * @returns the share to be finished then; 0 where there is none. Logs at most 60 words.
 */
export function takeFirst(tx: Transaction, place: Place, block: number, base: number, loaded: LoadedCell): number {
  const at = firstCell(tx, base);
  if (!refers(tx, at)) {
    loaded.take(tx, at);
    dropFirst(tx, base, at);
    return 0;
  }
  tx.lockRoots();
  const taken = takeItem(tx, base);
  const node = takeOut(tx, place, block, taken, shareKind.custody);
  loaded.take(tx, taken + item.cell);
  return node;
}

/** Makes the value of what has been copied out, and lets go of the share. What cannot be unpacked is gone. */
export function unpack({ heap, at }: Place, loaded: LoadedCell, node: number): unknown {
  if (node === 0) return loaded.value(heap);
  try {
    return loaded.value(heap);
  } finally {
    heap.transaction.run((tx) => {
      tx.lockObject(at.address);
      finishShare(tx, at.address, node, ownList(heap));
    });
    heap.buryAny();
  }
}

/** The first item has been copied out, and nobody's references hang on it. Logs at most 4 words, and frees two blocks. */
function dropFirst(tx: Transaction, base: number, at: number): void {
  const returned = tx.read(base + channel.returned);
  if (returned !== 0) {
    tx.write(base + channel.returned, tx.read(returned + item.next));
    dropItem(tx, returned);
  } else {
    dropCellInPlace(tx, at);
    passRecord(tx, base, at);
  }
  tx.write(base + channel.count, tx.read(base + channel.count) - 1);
}
