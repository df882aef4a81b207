import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { ValueError } from '../errors/index.js';
import { formatPlace, makeRaw, openRaw, rawPlaceOf } from '../heap/internal.js';
import { type Handle, markUncloneable, refuseJson } from '../shared-memory/internal.js';
import { arrayClass, checkElement, type NumericCode, type Read, type Write } from './numeric-codes.js';

/** A single number in shared memory, without a lock. */
export interface RawValueOf<C> {
  /**
   * The number. Reading and writing is atomic, reading, adding and writing back is not: that takes a lock.
   *
   * @throws TypeError for a value of a wrong type; RangeError for one that does not fit.
   */
  get value(): Read<C>;
  set value(value: Write<C>);
  readonly handle: Handle<RawValueOf<C>>;
}

class RawValueClass {
  static {
    Object.defineProperty(RawValueClass, 'name', { value: 'RawValue' });
  }

  readonly #code: NumericCode;
  // One aligned load or store of at most eight bytes: never half of one value and half of another.
  readonly #array: { [0]: number | bigint; readonly buffer: ArrayBuffer };

  constructor(code: NumericCode, buffer: ArrayBuffer) {
    this.#code = code;
    this.#array = new (arrayClass(code))(buffer, 0, 1) as never;
    markUncloneable(this);
  }

  get value(): number | bigint {
    return this.#array[0];
  }

  set value(value: number | bigint) {
    this.#array[0] = checkElement(this.#code, value);
  }

  get handle(): string {
    return `mp:rawvalue:${this.#code}:${formatPlace(rawPlaceOf(this.#array.buffer)!)}`;
  }

  toJSON(): never {
    return refuseJson('RawValue');
  }

  [inspect.custom](): string {
    return `RawValue('${this.#code}', ${inspect(this.value)})`;
  }

  static bufferOf(value: RawValueClass): ArrayBuffer {
    return value.#array.buffer;
  }
}

/**
 * Makes a single number in shared memory, without a lock.
 *
 * It travels as the same memory, to a Process in its args or anywhere as a handle, and lives as long as anybody has it.
 *
 * @param code as for {@link RawArray}.
 * @throws TypeError for an unknown code or a value of a wrong type; RangeError for one that does not fit; a system error
 * `ENOSPC` when there is no room.
 *
 * @example
 * ```ts
 * import { RawValue } from 'multiprocess';
 *
 * const total = RawValue('i', 7);
 * total.value += 1;
 * console.log(total); // RawValue('i', 8)
 * ```
 */
export const RawValue: {
  <C extends NumericCode>(code: C, init?: Write<C>): RawValueOf<C>;
  new <C extends NumericCode>(code: C, init?: Write<C>): RawValueOf<C>;
} = function RawValue<C extends NumericCode>(code: C, init?: Write<C>): RawValueOf<C> {
  const type = arrayClass(code);
  const first = init === undefined ? undefined : checkElement(code, init);
  const value = new RawValueClass(code, makeRaw(type.BYTES_PER_ELEMENT));
  if (first !== undefined) value.value = first;
  return value as unknown as RawValueOf<C>;
} as never;
Object.defineProperty(RawValue, 'name', { value: 'RawValue' });
Object.defineProperty(RawValue, 'prototype', { value: RawValueClass.prototype });

registerSharedKind<RawValueClass>({
  kind: 'rawvalue',
  type: RawValueClass as abstract new (...args: never[]) => RawValueClass,
  handle: (value) => value.handle,
  places: (value) => [rawPlaceOf(RawValueClass.bufferOf(value))!],
  open: (fields) => {
    const [, code, place] = /^(\w):(.*)$/s.exec(fields) ?? [];
    if (code === undefined || place === undefined)
      throw new ValueError(`This is no raw value: '${fields.slice(0, 80)}'.`);
    const buffer = openRaw(place);
    const type = arrayClass(code);
    if (buffer.byteLength < type.BYTES_PER_ELEMENT) throw new ValueError(`This is no raw value: '${fields}'.`);
    return new RawValueClass(code as NumericCode, buffer);
  },
});
