import { type Heap, type RootAddress, rootKind, type Transaction } from '../heap/internal.js';
import { CELL_WORDS, fillCell, type Prepared, prepare } from '../values/internal.js';
import { cellsBehind } from './list-ends.js';
import { body, bodyOf, countOf } from './list-layout.js';

// Lists made aside: known to their maker alone, which holds them. Filling one takes as many transactions as it needs, without
// keeping anybody from anything; what is then done with it is one. Whoever dies meanwhile leaves an object that nobody holds.

const MOST_KEPT = 256;
/** What a value and a chunk for it log at most. */
const VALUE_WORDS = 110;

/** An empty list, held by this environment. */
export function makeList(heap: Heap): RootAddress {
  return heap.createWithBlock(rootKind.list, body.words);
}

/**
 * Appends values to a list, in as many transactions as it takes.
 *
 * @throws whatever iterating, or preparing a value (`prepare`), throws; some may have been appended by then.
 */
export function fillList(heap: Heap, at: RootAddress, values: Iterable<unknown>): void {
  const batch: Prepared[] = [];
  try {
    let index = 0;
    for (const value of values) {
      batch.push(prepareOneOf(heap, value, index++));
      if (batch.length < MOST_KEPT) continue;
      appendPrepared(heap, at, batch);
      for (const prepared of batch.splice(0)) prepared.release();
    }
    appendPrepared(heap, at, batch);
  } finally {
    for (const prepared of batch) prepared.release();
  }
}

/** One of several values: valid until it is released. */
export function prepareOneOf(heap: Heap, value: unknown, index: number): Prepared {
  const isPlain = value === null || (typeof value !== 'object' && typeof value !== 'function');
  return prepare(heap, value, isPlain ? 'value' : `values[${index}]`).keep();
}

/** Appends values to a list, in as many transactions as it takes. */
export function appendPrepared(heap: Heap, at: RootAddress, values: readonly Prepared[]): void {
  for (let done = 0; done < values.length; ) {
    done += heap.transaction.run((tx) => {
      tx.lockObject(at.address);
      return appendSome(tx, bodyOf(tx, at), values, done);
    });
  }
}

/**
 * Appends as many of the values, from one on, as the transaction has room for: at least one, in a fresh one.
 *
 * @returns how many.
 */
export function appendSome(tx: Transaction, at: number, values: readonly Prepared[], from: number): number {
  if (values.some((prepared) => prepared.refers)) tx.lockRoots();
  let next = from;
  while (next < values.length && tx.room >= VALUE_WORDS) {
    const count = countOf(tx, at);
    const { cells, room } = cellsBehind(tx, at);
    const before = next;
    for (let n = 0; n < room && next < values.length && tx.room >= VALUE_WORDS / 2; n++, next++) {
      fillCell(tx, cells + n * CELL_WORDS, values[next]!);
    }
    tx.write(at + body.count, count + next - before);
  }
  return next - from;
}
