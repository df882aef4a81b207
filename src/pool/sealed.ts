import { decode, encode } from '../codec/internal.js';

/**
 * A value on its way through a process that may not know the types in it: its bytes, and the shared objects to which they refer,
 * which those who pass it on hold so.
 */
export type Sealed = readonly [bytes: Uint8Array, objects: readonly object[]];

/** @param label what the value is called in errors. @throws NotShareableError; ClosedError. */
export function seal(value: unknown, label = 'value'): Sealed {
  const objects: object[] = [];
  const { bytes } = encode(value, label, {
    nameOf: (shared) => String(objects.push(shared) - 1),
    named: (name) => objects[Number(name)]!,
    memory: true,
  });
  return [bytes, objects];
}

/** @throws what `decode` throws. */
export function unseal([bytes, objects]: Sealed): unknown {
  return decode(bytes, { nameOf: () => undefined, named: (name) => objects[Number(name)]! });
}

/** An error of a sealed job: one of the pool's own is not sealed. */
export function unsealError(error: unknown): unknown {
  return Array.isArray(error) ? unseal(error as unknown as Sealed) : error;
}
