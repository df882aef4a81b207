export type { NumericCode, RawArrayOf } from './numeric-codes.js';
export { RawArray } from './raw-array.js';
export { RawValue, type RawValueOf } from './raw-value.js';
