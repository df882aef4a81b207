import { decode, encode } from '../codec/internal.js';

/**
 * A value on its way through a process that may not know the types in it: its bytes, and the shared objects to which they refer,
 * which those who pass it on hold so. What is no object is its own seal.
 */
export type Sealed = Primitive | readonly [bytes: Uint8Array, objects: readonly object[]];
type Primitive = undefined | null | boolean | number | string | bigint;

/** @param label what the value is called in errors. @throws NotShareableError; ClosedError. */
export function seal(value: unknown, label = 'value'): Sealed {
  if (value === null || ['undefined', 'boolean', 'number', 'string', 'bigint'].includes(typeof value)) {
    return value as Primitive;
  }
  const objects: object[] = [];
  const { bytes } = encode(value, label, {
    nameOf: (shared) => String(objects.push(shared) - 1),
    named: (name) => objects[Number(name)]!,
    memory: true,
  });
  return [bytes, objects];
}

/** @throws what `decode` throws. */
export function unseal(sealed: Sealed): unknown {
  if (typeof sealed !== 'object' || sealed === null) return sealed;
  const [bytes, objects] = sealed;
  return decode(bytes, { nameOf: () => undefined, named: (name) => objects[Number(name)]! });
}

/** An error of a sealed job: one of the pool's own is not sealed. */
export function unsealError(error: unknown): unknown {
  return error instanceof Error ? error : unseal(error as Sealed);
}
