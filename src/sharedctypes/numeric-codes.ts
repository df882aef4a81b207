/** The codes whose arrays are typed arrays, and the class of each. */
export const numericCodes = {
  b: Int8Array,
  B: Uint8Array,
  h: Int16Array,
  H: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  l: BigInt64Array,
  L: BigUint64Array,
  q: BigInt64Array,
  Q: BigUint64Array,
  f: Float32Array,
  d: Float64Array,
} as const;

export type NumericCode = keyof typeof numericCodes;
export type BigCode = 'l' | 'L' | 'q' | 'Q';

/** What reading an element gives. */
export type Read<C> = C extends BigCode ? bigint : number;
/** What writing an element takes. */
export type Write<C> = C extends BigCode ? bigint | number : number;

/** The typed array of a code. */
export type RawArrayOf<C extends NumericCode> = C extends 'b'
  ? Int8Array<ArrayBuffer>
  : C extends 'B'
    ? Uint8Array<ArrayBuffer>
    : C extends 'h'
      ? Int16Array<ArrayBuffer>
      : C extends 'H'
        ? Uint16Array<ArrayBuffer>
        : C extends 'i'
          ? Int32Array<ArrayBuffer>
          : C extends 'I'
            ? Uint32Array<ArrayBuffer>
            : C extends 'l' | 'q'
              ? BigInt64Array<ArrayBuffer>
              : C extends 'L' | 'Q'
                ? BigUint64Array<ArrayBuffer>
                : C extends 'f'
                  ? Float32Array<ArrayBuffer>
                  : Float64Array<ArrayBuffer>;

type AnyArray = (typeof numericCodes)[NumericCode];

/** @throws TypeError for anything but such a code. */
export function arrayClass(code: unknown): AnyArray {
  const found = typeof code === 'string' && Object.hasOwn(numericCodes, code) && numericCodes[code as NumericCode];
  if (!found) throw new TypeError(`A type code is one of ${Object.keys(numericCodes).join(' ')}; got ${String(code)}.`);
  return found;
}

const integerRanges: Partial<Record<NumericCode, readonly [number, number]>> = {
  b: [-0x80, 0x7f],
  B: [0, 0xff],
  h: [-0x8000, 0x7fff],
  H: [0, 0xffff],
  i: [-0x8000_0000, 0x7fff_ffff],
  I: [0, 0xffff_ffff],
};
const bigRanges: Record<BigCode, readonly [bigint, bigint]> = {
  l: [-(1n << 63n), (1n << 63n) - 1n],
  q: [-(1n << 63n), (1n << 63n) - 1n],
  L: [0n, (1n << 64n) - 1n],
  Q: [0n, (1n << 64n) - 1n],
};

/**
 * A value as an element of that code can hold it exactly (a float rounds).
 *
 * @throws TypeError for a value of another type; RangeError for one that does not fit.
 */
export function checkElement(code: NumericCode, value: unknown): number | bigint {
  if (code in bigRanges) return checkBig(code as BigCode, value);
  if (typeof value !== 'number')
    throw new TypeError(`An element of type '${code}' is a number; got ${describe(value)}.`);
  const range = integerRanges[code];
  if (range === undefined) return value;
  if (!Number.isInteger(value) || value < range[0] || value > range[1]) {
    throw new RangeError(`An element of type '${code}' is an integer from ${range[0]} to ${range[1]}; got ${value}.`);
  }
  return value;
}

function checkBig(code: BigCode, value: unknown): bigint {
  if (typeof value !== 'bigint' && typeof value !== 'number') {
    throw new TypeError(`An element of type '${code}' is a bigint or a number; got ${describe(value)}.`);
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new RangeError(`An element of type '${code}' is a bigint or a safe integer; got ${value}.`);
  }
  const big = BigInt(value);
  const [least, most] = bigRanges[code];
  if (big < least || big > most)
    throw new RangeError(`An element of type '${code}' is from ${least} to ${most}; got ${big}.`);
  return big;
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
