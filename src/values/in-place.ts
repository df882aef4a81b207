import type { Survey, Transaction } from '../heap/internal.js';
import { CELL_WORDS, cell, cellKind, isBlockKind, KIND_BITS, KIND_MASK } from './cell-kinds.js';
import type { Prepared } from './prepared.js';
import { dropCell, fillBytes, fillCell, kindWord, surveyCell } from './store.js';

// A cell whose bytes lie right behind it instead of in a block of their own: for containers that store their cells one
// behind the other, each as long as it has to be. It says so by itself: where its block should be is the word behind it. So
// the word behind such a cell must never be the first of a block: something else of the container's follows each cell.

/** More words than this go into a block. */
export const IN_PLACE_WORDS = 256;

/** How many words a value takes behind its cell: 0 where it fits the cell, or lies in a block. */
export function inPlaceWords({ kind, length }: Prepared): number {
  if (!isBlockKind(kind) || kind === cellKind.referring) return 0;
  const words = (length + 3) >> 2;
  return words <= IN_PLACE_WORDS ? words : 0;
}

/**
 * Stores a value in a cell nobody else can reach yet, with the room behind it that `inPlaceWords` asks for. Logs at most 20
 * words.
 */
export function fillCellInPlace(tx: Transaction, at: number, prepared: Prepared, words: number): void {
  if (words === 0) return fillCell(tx, at, prepared);
  tx.fill(at, kindWord(prepared), at + CELL_WORDS, 0);
  fillBytes(tx, at + CELL_WORDS, prepared);
}

/** How many words behind a cell belong to it. */
export function wordsBehind(tx: Transaction, at: number): number {
  const word = tx.read(at + cell.kind);
  if (!isBlockKind(word & KIND_MASK) || tx.read(at + cell.x) !== at + CELL_WORDS) return 0;
  return ((word >>> KIND_BITS) + 3) >> 2;
}

/** Copies a cell, and what lies behind it, to where nobody else can reach it yet. What it has otherwise is the copy's then. */
export function copyCell(tx: Transaction, from: number, to: number): void {
  const behind = wordsBehind(tx, from);
  tx.fill(to, tx.read(from + cell.kind), behind > 0 ? to + CELL_WORDS : tx.read(from + cell.x), tx.read(from + cell.y));
  for (let i = 0; i < behind; i++) tx.fill(to + CELL_WORDS + i, tx.read(from + CELL_WORDS + i));
}

/** As `dropCell`. */
export function dropCellInPlace(tx: Transaction, at: number): void {
  if (wordsBehind(tx, at) === 0) dropCell(tx, at);
}

/** As `surveyCell`. */
export function surveyCellInPlace(tx: Transaction, at: number, survey: Survey): void {
  if (wordsBehind(tx, at) === 0) surveyCell(tx, at, survey);
}
