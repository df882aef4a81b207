/** Fewer are not worth it. */
const FEWEST = 16;

/** So many numbers are packed without memory of their own. */
const MOST_BRIEFLY = 8192;
const integerScratch = new Int32Array(MOST_BRIEFLY);
const doubleScratch = new Float64Array(MOST_BRIEFLY);

/**
 * Numbers are sent as one typed array, which takes a fifth of the time that an array of them takes: they are among the most usual
 * tasks and results. Anything else is sent as it is.
 */
export function pack(values: readonly unknown[]): ArrayLike<unknown> {
  return packed(
    values,
    (length) => new Int32Array(length),
    (length) => new Float64Array(length),
  );
}

/** The same, for whoever copies it at once: valid until the next call. */
export function packBriefly(values: readonly unknown[]): ArrayLike<unknown> {
  if (values.length > MOST_BRIEFLY) return pack(values);
  return packed(
    values,
    (length) => integerScratch.subarray(0, length),
    (length) => doubleScratch.subarray(0, length),
  );
}

function packed(
  values: readonly unknown[],
  integersOf: (length: number) => Int32Array,
  doublesOf: (length: number) => Float64Array,
): ArrayLike<unknown> {
  const { length } = values;
  if (length < FEWEST || typeof values[0] !== 'number') return values;
  const integers = integersOf(length);
  for (let i = 0; i < length; i++) {
    const value = values[i] as number;
    // Anything but a number is something else as an integer; and there is no negative zero among those.
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) return packedDoubles(values, doublesOf(length));
    integers[i] = value;
  }
  return integers;
}

function packedDoubles(values: readonly unknown[], doubles: Float64Array): ArrayLike<unknown> {
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
