// Targets of the processes that the tests of typed values start.
import {
  type CharArray,
  handleOf,
  type ItemArray,
  type Lock,
  type RawValueOf,
  SharedArray,
  type SharedMemory,
  Struct,
  type Synchronized,
  type SynchronizedArray,
  type SynchronizedString,
  Value,
} from 'multiprocess';

export const Point = Struct({ x: 'd', y: 'i', big: 'q' });
export type PointType = typeof Point;

/** Writes a value into each: as CPython's _TestValue does. */
export function setAll(values: readonly { value: unknown }[], wanted: readonly unknown[]): void {
  for (const [i, value] of values.entries()) value.value = wanted[i];
}

/** Prefix sums, as CPython's _TestArray does. */
export function sumUp(array: SynchronizedArray<'i'> | Int32Array): void {
  if (array instanceof Int32Array) for (let i = 1; i < array.length; i++) array[i]! += array[i - 1]!;
  else for (let i = 1; i < array.length; i++) array.set(i, array.get(i) + array.get(i - 1));
}

/** Doubles everything, as CPython's _TestSharedCTypes does. */
export function double(
  x: Synchronized<'i'> | RawValueOf<'i'>,
  y: Synchronized<'d'> | RawValueOf<'d'>,
  z: Synchronized<'q'> | RawValueOf<'q'>,
  point: Synchronized<PointType> | RawValueOf<PointType>,
  numbers: SynchronizedArray<'d'> | Float64Array,
  text: SynchronizedString | CharArray,
): void {
  x.value *= 2;
  y.value *= 2;
  z.value *= 2n;
  point.value.x *= 2;
  point.value.y *= 2;
  if (numbers instanceof Float64Array) for (let i = 0; i < numbers.length; i++) numbers[i]! *= 2;
  else for (let i = 0; i < numbers.length; i++) numbers.set(i, numbers.get(i) * 2);
  text.value = Buffer.concat([text.value, text.value]);
}

/** Adds 1 so many times, without a lock. */
export function addMany(value: Synchronized<'i'>, array: SynchronizedArray<'i'>, times: number): void {
  const one = (typeof value.value === 'bigint' ? 1n : 1) as number; // whatever the type is
  for (let i = 0; i < times; i++) {
    value.add(one);
    array.add(1, one);
  }
}

/** Counts with update, and with compareExchange. */
export function countOtherwise(value: Synchronized<'i'>, array: SynchronizedArray<'i'>, times: number): void {
  const one = (typeof value.value === 'bigint' ? 1n : 1) as number; // whatever the type is
  for (let i = 0; i < times; i++) {
    value.update((old) => old + one);
    for (;;) {
      const seen = array.get(1);
      if (array.compareExchange(1, seen, seen + one) === seen) break;
    }
  }
}

/** Adds 1 with the value's lock held, blocking or not. */
export async function addLocked(value: Synchronized<'i'>, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    if (i % 4 === 0) await value.run(async () => value.add(1));
    else value.runSync(() => value.value++);
  }
}

/** Holds the value's lock, says so, and waits to be killed. */
export function holdForever(value: Synchronized<'i'>, flags: Int32Array): void {
  value.acquireSync();
  value.value = 1;
  Atomics.store(flags, 0, 1);
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

/** Makes values, tells their handles, and stays until told to go. */
export function makeAndTell(told: SharedMemory, flags: Int32Array): void {
  const value = Value('i', 41);
  const array = SharedArray('d', [1, 2, 3]);
  const text = JSON.stringify([value.handle, array.handle, handleOf(array.getObj())]);
  told.buf.set(Buffer.from(text));
  Atomics.store(flags, 0, text.length);
  while (Atomics.load(flags, 1) === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/** What arrived: changed, to see that it is no copy. */
export function changeItems(
  booleans: ItemArray<'?'>,
  wide: SynchronizedArray<'u'>,
  points: SynchronizedArray<PointType>,
  value: Synchronized<'i'>,
  lock: Lock,
): string {
  booleans.set(1, true);
  wide.set(0, '😀');
  points.get(1).y = 7;
  points.set(0, { x: 2.5 });
  value.value = 3;
  return `${value.getLock() === lock} ${value.tryAcquire()}`;
}
