/** Fewer are not worth it. */
const FEWEST = 16;

/**
 * Numbers are sent as one typed array, which takes a fifth of the time that an array of them takes: they are among the most usual
 * tasks and results. Anything else is sent as it is.
 */
export function pack(values: readonly unknown[]): ArrayLike<unknown> {
  const { length } = values;
  if (length < FEWEST || typeof values[0] !== 'number') return values;
  const integers = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const value = values[i] as number;
    // Anything but a number is something else as an integer; and there is no negative zero among those.
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) return packDoubles(values);
    integers[i] = value;
  }
  return integers;
}

function packDoubles(values: readonly unknown[]): ArrayLike<unknown> {
  const doubles = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number') return values;
    doubles[i] = value;
  }
  return doubles;
}

/** Whether something that has arrived is a list of values, packed or not. */
export function isList(message: unknown): message is ArrayLike<unknown> {
  return Array.isArray(message) || ArrayBuffer.isView(message);
}
