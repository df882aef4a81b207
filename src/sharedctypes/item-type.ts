/** What the items of a type lie in: a typed array, or for structures something of their own. */
export type Cells = any;

/**
 * A type of items in shared memory.
 *
 * Writing has two steps, so that several values can be checked before the first is stored: `prepare` checks a value, and
 * throws; `store` takes what it returned, and does not.
 */
export abstract class ItemType {
  /** What stands for it in handles: no colon, printable. */
  abstract readonly text: string;
  abstract readonly bytes: number;
  abstract readonly alignment: number;
  /** Whether what a cell has is the value itself, as in a typed array: then nobody need ask the type to read it. */
  abstract readonly plain: boolean;

  /** The cells of a part of memory, by index. */
  abstract cells(buffer: ArrayBuffer, byteOffset: number, length: number): Cells;
  /** The cells of a whole buffer, by address: for `readAt` and `storeAt`. */
  abstract column(buffer: ArrayBuffer): Cells;

  abstract read(cells: Cells, index: number): unknown;
  abstract store(cells: Cells, index: number, prepared: unknown): void;
  abstract readAt(column: Cells, address: number): unknown;
  abstract storeAt(column: Cells, address: number, prepared: unknown): void;

  /**
   * Checks a value that is to be stored.
   *
   * @param what what the value is for, in errors.
   * @throws TypeError for a value of another type; RangeError for one that does not fit.
   */
  abstract prepare(value: unknown, what?: string): unknown;
}

/** What a value is, for errors. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object';
}
