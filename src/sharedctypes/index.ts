export { copy } from './copy.js';
export type { CharArray, ItemArray } from './item-array.js';
export type { Locked } from './locked.js';
export { RawArray, type RawArrayOf } from './raw-array.js';
export { RawValue, type RawValueOf } from './raw-value.js';
export { SharedArray, SharedArray as Array, type SynchronizedArray, type SynchronizedString } from './shared-array.js';
export { Struct } from './struct.js';
export { synchronized } from './synchronized.js';
export {
  type AnyType,
  type BigCode,
  c_bool,
  c_byte,
  c_char,
  c_double,
  c_float,
  c_int,
  c_long,
  c_longlong,
  c_short,
  c_ubyte,
  c_uint,
  c_ulong,
  c_ulonglong,
  c_ushort,
  c_wchar,
  type NumberCode,
  type NumericCode,
  type Read,
  type StructType,
  type TypeCode,
  type Write,
} from './type-codes.js';
export { type Synchronized, Value } from './value.js';
