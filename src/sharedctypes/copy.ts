import { ItemArrayClass } from './item-array.js';
import { describe } from './item-type.js';
import { makeArray } from './raw-array.js';
import { RawValueClass } from './raw-value.js';
import { typeOfArray } from './scalar-types.js';
import { makeValueMemory } from './value-memory.js';

/**
 * A copy of a raw value or array in shared memory of its own, without a lock. Of a typed array that is a part of an array,
 * that part.
 *
 * @throws TypeError for what is no raw value or array: of one with a lock, copy its `getObj()`; a system error `ENOSPC` when
 * there is no room.
 *
 * @example
 * ```ts
 * import { copy, RawArray } from 'multiprocess';
 *
 * const numbers = RawArray('i', [1, 2, 3]);
 * const others = copy(numbers.subarray(1));
 * numbers[1] = 5;
 * console.log(others); // Int32Array(2) [ 2, 3 ]
 * ```
 */
export function copy<T extends object>(raw: T): T {
  return copyOf(raw) as T;
}

function copyOf(raw: unknown): object {
  if (raw instanceof RawValueClass) {
    const from = RawValueClass.memoryOf(raw);
    const memory = makeValueMemory(from.type, 'RawValue');
    memory.content.set(from.content);
    return new RawValueClass(memory);
  }
  if (raw instanceof ItemArrayClass) {
    const array = makeArray(raw.type, raw.length, false) as ItemArrayClass;
    new Uint8Array(array.buffer).set(new Uint8Array(raw.buffer));
    return array;
  }
  const type = ArrayBuffer.isView(raw) ? typeOfArray(raw) : undefined;
  if (type === undefined) {
    throw new TypeError(`copy takes what RawValue, RawArray or getObj() gave, or a typed array; got ${describe(raw)}.`);
  }
  const { length } = raw as { length: number } & ArrayBufferView;
  const array = makeArray(type, length, false);
  (array as Uint8Array).set(raw as Uint8Array);
  return array;
}
