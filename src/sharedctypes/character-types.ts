import { describe } from './item-type.js';
import { ScalarType } from './scalar-type.js';

class BooleanType extends ScalarType {
  readonly plain = false;

  prepare(value: unknown, what = 'An element'): number {
    if (typeof value !== 'boolean') throw new TypeError(`${what} of type '?' is a boolean; got ${describe(value)}.`);
    return value ? 1 : 0;
  }

  protected value(stored: number): boolean {
    return stored !== 0;
  }

  // As in C, all that is not 0 is true.
  same(a: number, b: number): boolean {
    return (a !== 0) === (b !== 0);
  }
}

/** A byte, as an array of one: what Python calls bytes of length 1. */
class CharType extends ScalarType {
  readonly plain = false;

  prepare(value: unknown, what = 'An element'): number {
    if (typeof value === 'number') {
      if (Number.isInteger(value) && value >= 0 && value <= 255) return value;
      throw new RangeError(`${what} of type 'c' is from 0 to 255; got ${value}.`);
    }
    if (!(value instanceof Uint8Array)) {
      throw new TypeError(`${what} of type 'c' is a Uint8Array of length 1, or a number; got ${describe(value)}.`);
    }
    if (value.length !== 1) throw new RangeError(`${what} of type 'c' is one byte; got ${value.length}.`);
    return value[0]!;
  }

  protected value(stored: number): Uint8Array {
    return Uint8Array.of(stored);
  }

  same(a: number, b: number): boolean {
    return a === b;
  }
}

const MAX_CODE_POINT = 0x10ffff;
const REPLACEMENT = '\ufffd';

/** A code point in 32 bits, as C's wchar_t on Linux. */
class WideCharType extends ScalarType {
  readonly plain = false;

  prepare(value: unknown, what = 'An element'): number {
    if (typeof value !== 'string') throw new TypeError(`${what} of type 'u' is a string; got ${describe(value)}.`);
    const point = value.codePointAt(0);
    if (point === undefined || value.length !== (point > 0xffff ? 2 : 1)) {
      throw new RangeError(
        `${what} of type 'u' is a string of one character; got ${JSON.stringify(value.slice(0, 20))}.`,
      );
    }
    return point;
  }

  protected value(stored: number): string {
    return stored <= MAX_CODE_POINT ? String.fromCodePoint(stored) : REPLACEMENT;
  }

  same(a: number, b: number): boolean {
    return a === b;
  }
}

export const booleanType = new BooleanType('?', Uint8Array);
export const charType = new CharType('c', Uint8Array);
export const wideCharType = new WideCharType('u', Uint32Array);
