import { type Cells, describe } from './item-type.js';
import { ScalarType } from './scalar-type.js';

/** Integers of 8, 16 and 32 bits. */
class IntegerType extends ScalarType {
  readonly plain = true;
  readonly #least: number;
  readonly #most: number;

  constructor(
    code: string,
    cellsClass: ConstructorParameters<typeof ScalarType>[1],
    [least, most]: readonly [number, number],
  ) {
    super(code, cellsClass);
    this.#least = least;
    this.#most = most;
  }

  prepare(value: unknown, what?: string): number {
    if (typeof value === 'number' && value >= this.#least && value <= this.#most && Number.isInteger(value)) {
      return value + 0; // -0 is 0
    }
    throw this.#wrong(value, what);
  }

  override addend(by: unknown): number {
    if (typeof by !== 'number') throw new TypeError(`What is added is a number; got ${describe(by)}.`);
    if (!Number.isSafeInteger(by))
      throw new RangeError(`What is added to the type '${this.text}' is an integer; got ${by}.`);
    return by;
  }

  override sum(before: number, by: number): number {
    const sum = before + by;
    if (sum < this.#least || sum > this.#most) throw overflow(this.text, before, by);
    return sum;
  }

  override add(cells: Cells, index: number, value: unknown): number {
    const by = this.addend(value);
    for (;;) {
      const before = Atomics.load(cells as Int32Array, index);
      const sum = this.sum(before, by);
      if (Atomics.compareExchange(cells as Int32Array, index, before, sum) === before) return before;
    }
  }

  protected value(stored: number): number {
    return stored;
  }

  same(a: number, b: number): boolean {
    return a === b;
  }

  #wrong(value: unknown, what = 'An element'): Error {
    return typeof value === 'number'
      ? new RangeError(
          `${what} of type '${this.text}' is an integer from ${this.#least} to ${this.#most}; got ${value}.`,
        )
      : new TypeError(`${what} of type '${this.text}' is a number; got ${describe(value)}.`);
  }
}

/** Integers of 64 bits. */
class BigIntegerType extends ScalarType {
  readonly plain = true;
  readonly #least: bigint;
  readonly #most: bigint;

  constructor(
    code: string,
    cellsClass: ConstructorParameters<typeof ScalarType>[1],
    [least, most]: readonly [bigint, bigint],
  ) {
    super(code, cellsClass);
    this.#least = least;
    this.#most = most;
  }

  prepare(value: unknown, what = 'An element'): bigint {
    const big = this.#big(value, what);
    if (big >= this.#least && big <= this.#most) return big;
    throw new RangeError(`${what} of type '${this.text}' is from ${this.#least} to ${this.#most}; got ${big}.`);
  }

  override addend(by: unknown): bigint {
    return this.#big(by, 'What is added to an element');
  }

  override sum(before: bigint, by: bigint): bigint {
    const sum = before + by;
    if (sum < this.#least || sum > this.#most) throw overflow(this.text, before, by);
    return sum;
  }

  override add(cells: Cells, index: number, value: unknown): bigint {
    const by = this.addend(value);
    for (;;) {
      const before = Atomics.load(cells as BigInt64Array, index);
      const sum = this.sum(before, by);
      if (Atomics.compareExchange(cells as BigInt64Array, index, before, sum) === before) return before;
    }
  }

  protected value(stored: bigint): bigint {
    return stored;
  }

  same(a: bigint, b: bigint): boolean {
    return a === b;
  }

  #big(value: unknown, what: string): bigint {
    if (typeof value === 'bigint') return value;
    if (typeof value !== 'number') {
      throw new TypeError(`${what} of type '${this.text}' is a bigint or a number; got ${describe(value)}.`);
    }
    // Beyond, it would not be the number that was meant.
    if (Number.isSafeInteger(value)) return BigInt(value);
    throw new RangeError(`${what} of type '${this.text}' is a bigint or a safe integer; got ${value}.`);
  }
}

/** Floats and doubles. */
class FloatType extends ScalarType {
  readonly plain = true;
  readonly #round: (value: number) => number;
  readonly #bitsClass: new (
    buffer: ArrayBufferLike,
    byteOffset: number,
    length: number,
  ) => Cells;
  readonly #bitsOf = new WeakMap<object, Cells>();
  readonly #scratch: Cells;
  readonly #scratchBits: Cells;

  constructor(code: 'f' | 'd') {
    super(code, code === 'f' ? Float32Array : Float64Array);
    this.#round = code === 'f' ? Math.fround : (value) => value;
    this.#bitsClass = code === 'f' ? Int32Array : BigInt64Array;
    this.#scratch = new this.cellsClass(new ArrayBuffer(8), 0, 1);
    this.#scratchBits = new this.#bitsClass(this.#scratch.buffer, 0, 1);
  }

  prepare(value: unknown, what = 'An element'): number {
    if (typeof value !== 'number')
      throw new TypeError(`${what} of type '${this.text}' is a number; got ${describe(value)}.`);
    const rounded = this.#round(value);
    if (!Number.isFinite(rounded) && Number.isFinite(value)) {
      throw new RangeError(`${what} of type '${this.text}' is at most about 3.4e38; got ${value}.`);
    }
    return rounded;
  }

  override addend(by: unknown): number {
    if (typeof by !== 'number') throw new TypeError(`What is added is a number; got ${describe(by)}.`);
    return by;
  }

  override sum(before: number, by: number): number {
    const sum = this.#round(before + by);
    if (!Number.isFinite(sum) && Number.isFinite(before) && Number.isFinite(by)) throw overflow(this.text, before, by);
    return sum;
  }

  override add(cells: Cells, index: number, value: unknown): number {
    const by = this.addend(value);
    const bits = this.bits(cells);
    for (;;) {
      const seen = Atomics.load(bits, index) as never;
      const before = this.fromBits(seen);
      const sum = this.sum(before, by);
      if (Atomics.compareExchange(bits, index, seen, this.toBits(sum) as never) === seen) return before;
    }
  }

  protected value(stored: number): number {
    return stored;
  }

  same(a: number, b: number): boolean {
    return a === b || (Number.isNaN(a) && Number.isNaN(b));
  }

  protected override bits(cells: Cells): Cells {
    let bits = this.#bitsOf.get(cells);
    if (bits === undefined) {
      bits = new this.#bitsClass(cells.buffer, cells.byteOffset, cells.length);
      this.#bitsOf.set(cells, bits);
    }
    return bits;
  }

  protected override fromBits(bits: number | bigint): number {
    this.#scratchBits[0] = bits;
    return this.#scratch[0];
  }

  protected override toBits(stored: number): number | bigint {
    this.#scratch[0] = stored;
    return this.#scratchBits[0];
  }
}

function overflow(code: string, before: number | bigint, by: number | bigint): RangeError {
  return new RangeError(`${before} and ${by} together do not fit the type '${code}'.`);
}

export const numberTypes: readonly ScalarType[] = [
  new IntegerType('b', Int8Array, [-0x80, 0x7f]),
  new IntegerType('B', Uint8Array, [0, 0xff]),
  new IntegerType('h', Int16Array, [-0x8000, 0x7fff]),
  new IntegerType('H', Uint16Array, [0, 0xffff]),
  new IntegerType('i', Int32Array, [-0x8000_0000, 0x7fff_ffff]),
  new IntegerType('I', Uint32Array, [0, 0xffff_ffff]),
  new BigIntegerType('q', BigInt64Array, [-(1n << 63n), (1n << 63n) - 1n]),
  new BigIntegerType('Q', BigUint64Array, [0n, (1n << 64n) - 1n]),
  new BigIntegerType('l', BigInt64Array, [-(1n << 63n), (1n << 63n) - 1n]),
  new BigIntegerType('L', BigUint64Array, [0n, (1n << 64n) - 1n]),
  new FloatType('f'),
  new FloatType('d'),
];
