import { type Cells, ItemType } from './item-type.js';

type Stored = number | bigint;
type CellsClass = new (buffer: ArrayBuffer, byteOffset?: number, length?: number) => { readonly length: number };

/**
 * A type of one to eight bytes, whose cells are a typed array. Reading and writing a cell is one aligned load or store:
 * never half of one value and half of another.
 *
 * The atomic operations stand on compare-and-exchange of the cell's bits, so they are exact whatever else other processes
 * do to it at the same time, and none of them holds a lock.
 */
export abstract class ScalarType extends ItemType {
  readonly text: string;
  readonly bytes: number;
  readonly cellsClass: CellsClass;
  readonly #columns = new WeakMap<ArrayBuffer, Cells>();

  constructor(code: string, cellsClass: CellsClass & { readonly BYTES_PER_ELEMENT: number }) {
    super();
    this.text = code;
    this.bytes = cellsClass.BYTES_PER_ELEMENT;
    this.cellsClass = cellsClass;
  }

  get alignment(): number {
    return this.bytes;
  }

  abstract override prepare(value: unknown, what?: string): Stored;
  /** What a cell's content means. */
  protected abstract value(stored: Stored): unknown;
  /** Whether two cells' contents mean the same. */
  abstract same(a: Stored, b: Stored): boolean;

  // How to see a cell for `Atomics`, which take integers only.
  protected bits(cells: Cells): Cells {
    return cells;
  }
  protected fromBits(bits: Stored): Stored {
    return bits;
  }
  protected toBits(stored: Stored): Stored {
    return stored;
  }

  cells(buffer: ArrayBuffer, byteOffset: number, length: number): Cells {
    return new this.cellsClass(buffer, byteOffset, length);
  }

  column(buffer: ArrayBuffer): Cells {
    let column = this.#columns.get(buffer);
    if (column === undefined) {
      column = new this.cellsClass(buffer, 0, Math.floor(buffer.byteLength / this.bytes));
      this.#columns.set(buffer, column);
    }
    return column;
  }

  read(cells: Cells, index: number): unknown {
    return this.value(cells[index]);
  }

  store(cells: Cells, index: number, prepared: Stored): void {
    cells[index] = prepared;
  }

  readAt(column: Cells, address: number): unknown {
    return this.value(column[address / this.bytes]);
  }

  storeAt(column: Cells, address: number, prepared: Stored): void {
    column[address / this.bytes] = prepared;
  }

  /** @returns what is added, if it may be. @throws TypeError for types that are no numbers, and for what is none; RangeError. */
  addend(_by: unknown): Stored {
    throw new TypeError(`add() is for numbers, not for the type '${this.text}'. Use update().`);
  }

  /** @throws RangeError for a sum that does not fit. */
  sum(_before: Stored, by: Stored): Stored {
    return this.addend(by);
  }

  /** @returns the value before. @throws as `addend` and `sum`. */
  add(_cells: Cells, _index: number, by: unknown): unknown {
    return this.addend(by);
  }

  /** @returns the value before. */
  exchange(cells: Cells, index: number, value: unknown): unknown {
    const next = this.toBits(this.prepare(value)) as never;
    return this.value(this.fromBits(Atomics.exchange(this.bits(cells), index, next)));
  }

  /** @returns the value before, which is the one expected if and only if the exchange took place. */
  compareExchange(cells: Cells, index: number, expected: unknown, value: unknown): unknown {
    const wanted = this.prepare(expected, 'The expected value');
    const next = this.toBits(this.prepare(value)) as never;
    const bits = this.bits(cells);
    for (;;) {
      const seen = Atomics.load(bits, index) as never;
      const before = this.fromBits(seen);
      // By what the bits mean: 0 and -0 are one value in two forms.
      if (!this.same(before, wanted) || Atomics.compareExchange(bits, index, seen, next) === seen) {
        return this.value(before);
      }
    }
  }

  /** @param fn called with no lock held, again whenever somebody else was faster. @returns the value after. */
  update(cells: Cells, index: number, fn: (old: unknown) => unknown): unknown {
    const bits = this.bits(cells);
    for (;;) {
      const seen = Atomics.load(bits, index) as never;
      const result = fn(this.value(this.fromBits(seen)));
      if (typeof (result as PromiseLike<unknown> | null)?.then === 'function') {
        throw new TypeError('The function of update returned a promise; it must return the new value.');
      }
      const next = this.toBits(this.prepare(result)) as never;
      if (Atomics.compareExchange(bits, index, seen, next) === seen) return this.value(this.fromBits(next));
    }
  }
}
