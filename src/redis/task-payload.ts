import { decode, encode } from '../codec/internal.js';
import { byHandle } from './handle.js';

// What clients and workers of a pool send each other. Tasks, results and errors are sealed: only the process that works on them
// unpacks them, because only there types are known.

/** A value that travels: itself, if it is no object, or else its bytes. */
export type Sealed = undefined | null | boolean | number | string | bigint | Uint8Array;

/** @param label what the value is called in errors. @throws NotShareableError. */
export function seal(value: unknown, label?: string): Sealed {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')) {
    return value as Sealed;
  }
  return encode(value, label, byHandle).bytes;
}

/** @throws what `decode` throws. */
export function unseal(sealed: Sealed): unknown {
  return ArrayBuffer.isView(sealed) ? decode(sealed, byHandle) : sealed;
}

/** What is to be done. */
export interface TaskChunk {
  /** The function, by the name under which the workers' module exports it. */
  readonly name: string;
  /** Whether a task is an array of arguments. */
  readonly spread: boolean;
  /** How often a task may be tried again whose worker died. */
  readonly retries: number;
  /** Index of the first task in its call. */
  readonly first: number;
  readonly items: ArrayLike<Sealed>;
}

export function encodeChunk({ name, spread, retries, first, items }: TaskChunk): Buffer {
  return encode([name, spread, retries, first, items]).bytes;
}

export function decodeChunk(bytes: Buffer): TaskChunk {
  const [name, spread, retries, first, items] = decode(bytes) as [string, boolean, number, number, ArrayLike<Sealed>];
  return { name, spread, retries, first, items };
}

/** How the tasks of a chunk have ended: values; errors, by index. */
export interface ChunkOutcome {
  readonly values: ArrayLike<Sealed>;
  readonly failures: readonly (readonly [index: number, error: Sealed])[];
}

export function encodeOutcome({ values, failures }: ChunkOutcome): Buffer {
  return encode([values, failures]).bytes;
}

export function decodeOutcome(bytes: Buffer): ChunkOutcome {
  const [values, failures] = decode(bytes) as [ArrayLike<Sealed>, ChunkOutcome['failures']];
  return { values, failures };
}
