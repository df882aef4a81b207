// A cell: where one value of a container lies. Three words; what does not fit there lies in a block, what is too much for a
// block in a parcel.
//
//   kind | bytes << 4      x      y

export const CELL_WORDS = 3;
export const cell = { kind: 0, x: 1, y: 2 } as const;

export const cellKind = {
  /** There is no value. */
  none: 0,
  /** x: one of `simpleValues`. */
  simple: 1,
  /** x */
  int32: 2,
  /** x and y, as they lie in memory. */
  double: 3,
  /** Up to eight bytes in x and y. */
  shortText: 4,
  shortBytes: 5,
  /** x: a block. */
  text: 6,
  wideText: 7,
  bytes: 8,
  /** What the codec makes of a value. */
  encoded: 9,
  /** The same, behind the addresses of y objects to which it refers. */
  referring: 10,
  /** x and y: address and serial of a parcel's root. */
  parcel: 11,
} as const;
export type CellKind = (typeof cellKind)[keyof typeof cellKind];

export const simpleValues = [undefined, null, false, true] as const;

export const KIND_BITS = 4;
export const KIND_MASK = (1 << KIND_BITS) - 1;

/** More bytes than this, or references, make a parcel. */
export const MOST_BYTES = 64 * 1024;
export const MOST_REFERENCES = 4;

export function isBlockKind(kind: number): boolean {
  return kind >= cellKind.text && kind <= cellKind.referring;
}
