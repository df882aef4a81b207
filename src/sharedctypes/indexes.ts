/** @throws TypeError for what is no integer; RangeError for one that is no index of so many items. */
export function checkIndex(index: number, length: number): void {
  // What is left as it is by this is an integer from 0 to 2 ** 32 - 1.
  if (index >>> 0 !== index || index >= length) throw wrongIndex(index, length);
}

function wrongIndex(index: unknown, length: number): Error {
  if (typeof index !== 'number' || (!Number.isInteger(index) && Number.isFinite(index))) {
    return new TypeError(`An index is an integer; got ${typeof index === 'number' ? index : typeof index}.`);
  }
  return new RangeError(`There is no item ${index}: the indexes of this array are 0 to ${length - 1}.`);
}

/** `start` and `end` as of `slice`. */
export function sliceBounds(start: number | undefined, end: number | undefined, length: number): [number, number] {
  const bound = (index: number | undefined, otherwise: number) => {
    if (index === undefined) return otherwise;
    if (typeof index !== 'number') throw new TypeError(`An index is a number; got ${typeof index}.`);
    const whole = Math.trunc(index) || 0;
    return whole < 0 ? Math.max(0, length + whole) : Math.min(whole, length);
  };
  return [bound(start, 0), bound(end, length)];
}

/** What `at` means. @returns undefined when there is no such item. @throws TypeError for what is no number. */
export function indexOfAt(index: number, length: number): number | undefined {
  if (typeof index !== 'number') throw new TypeError(`An index is a number; got ${typeof index}.`);
  const whole = Math.trunc(index) || 0;
  const found = whole < 0 ? length + whole : whole;
  return found >= 0 && found < length ? found : undefined;
}

/** Where items may be written from: behind the last one there is room for none. @throws as `checkIndex`. */
export function checkStart(start: number, length: number): void {
  checkIndex(start, length + 1);
}

/** @throws RangeError when so many items do not all have room. */
export function checkRoom(start: number, count: number, length: number): void {
  if (start + count <= length) return;
  throw new RangeError(`There is room for ${length - start} items from index ${start} on; got ${count}.`);
}
