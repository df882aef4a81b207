// One byte says what follows. Numbers are little-endian; lengths are 32 bits.
export const VERSION = 1;

export const tag = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  int32: 4,
  double: 5,
  bigint: 6, // negative? | byte length | magnitude
  shortString: 7, // one byte of length | Latin-1
  latin1: 8,
  utf16: 9,
  array: 10, // length | items
  hole: 11,
  object: 12, // count | (key, value)…
  map: 13,
  set: 14,
  date: 15,
  regexp: 16,
  error: 17, // class | message | stack | has cause? | cause | properties
  arrayBuffer: 18,
  view: 19, // which | byte length | bytes
  reference: 20, // the n-th object before this one
  shared: 21, // handle
  registered: 22, // name | what encode() gave
  boxed: 23, // primitive
  smallInteger: 0x80, // and up: 0 to 127
} as const;

/** Views by number; the order is part of the format. */
export const viewNames = [
  'Uint8Array',
  'Buffer',
  'Int8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float16Array',
] as const;

export type ViewName = (typeof viewNames)[number];

type ViewClass = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
  BYTES_PER_ELEMENT?: number;
};

/** The class of a view, or `undefined` where this runtime lacks it (Float16Array before Node 24). */
export function viewClass(name: string): ViewClass | undefined {
  return (globalThis as unknown as Record<string, ViewClass | undefined>)[name];
}

/** The name of a view's class; `Buffer` told from `Uint8Array`. */
export function viewName(view: ArrayBufferView): ViewName {
  if (Buffer.isBuffer(view)) return 'Buffer';
  return (view as unknown as { [Symbol.toStringTag]: ViewName })[Symbol.toStringTag];
}

/** Makes a view; a Buffer too, whose constructor is deprecated. */
export function makeView(name: string, buffer: ArrayBuffer, byteOffset: number, byteLength: number): ArrayBufferView {
  if (name === 'Buffer') return Buffer.from(buffer, byteOffset, byteLength);
  const type = viewClass(name);
  if (type === undefined) throw new TypeError(`This runtime has no ${name}.`);
  const length = byteLength / (type.BYTES_PER_ELEMENT ?? 1);
  if (!Number.isInteger(length))
    throw new RangeError(`${byteLength} bytes are no whole number of elements of ${name}.`);
  return new type(buffer, byteOffset, length);
}

/** How deep values may be nested. */
export const MAX_DEPTH = 1000;

/** How large integers may be; making one of hexadecimal digits takes time that grows with the square of them. */
export const MAX_BIGINT_BYTES = 1_000_000;
