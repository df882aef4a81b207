import { type Lock, RLock } from '../synchronize/index.js';
import type { CharArray, ItemArray } from './item-array.js';
import { describe } from './item-type.js';
import { checkLock } from './locked.js';
import { RawValueClass, type RawValueOf } from './raw-value.js';
import { type SynchronizedArray, type SynchronizedString, synchronizedArray } from './shared-array.js';
import { type Synchronized, synchronizedValue } from './value.js';

/** The code whose arrays are of that class; of those of 64 bits, which have two, Python's newer one. */
type CodeOf<T> = T extends Int8Array
  ? 'b'
  : T extends Uint8Array
    ? 'B'
    : T extends Int16Array
      ? 'h'
      : T extends Uint16Array
        ? 'H'
        : T extends Int32Array
          ? 'i'
          : T extends Uint32Array
            ? 'I'
            : T extends BigInt64Array
              ? 'q'
              : T extends BigUint64Array
                ? 'Q'
                : T extends Float32Array
                  ? 'f'
                  : T extends Float64Array
                    ? 'd'
                    : never;

/**
 * A raw value or array together with a lock: the same memory, which whoever has it without the lock reaches all the same.
 *
 * @param lock a Lock or RLock that is used as it is; otherwise a new RLock is made.
 * @throws TypeError for what is no raw value or array of this library, one with a lock among them, or no lock.
 *
 * @example
 * ```ts
 * import { Lock, RawArray, RawValue, synchronized } from 'multiprocess';
 *
 * const lock = new Lock(); // one for both
 * const total = synchronized(RawValue('i'), lock);
 * const parts = synchronized(RawArray('i', 3), lock);
 * lock.runSync(() => {
 *   parts.set(0, 5);
 *   total.value += parts.get(0);
 * });
 * console.log(total.value); // 5
 * ```
 */
export function synchronized<C>(raw: RawValueOf<C>, lock?: Lock | RLock): Synchronized<C>;
export function synchronized(raw: CharArray, lock?: Lock | RLock): SynchronizedString;
export function synchronized<C>(raw: ItemArray<C>, lock?: Lock | RLock): SynchronizedArray<C>;
export function synchronized<T extends ArrayBufferView>(raw: T, lock?: Lock | RLock): SynchronizedArray<CodeOf<T>>;
export function synchronized(raw: unknown, lock?: unknown): unknown {
  const given = lock === undefined ? () => new RLock() : () => checkLock(lock);
  if (raw instanceof RawValueClass) return synchronizedValue(raw, given());
  const array = typeof raw === 'object' && raw !== null ? synchronizedArray(raw, given) : undefined;
  if (array !== undefined) return array;
  throw new TypeError(
    `synchronized takes what RawValue or RawArray made, which has no lock yet; got ${describe(raw)}.`,
  );
}
