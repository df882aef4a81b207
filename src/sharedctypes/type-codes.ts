// What a type is called, and what reading and writing it means to the compiler.

export type BigCode = 'l' | 'L' | 'q' | 'Q';
export type NumberCode = 'b' | 'B' | 'h' | 'H' | 'i' | 'I' | 'f' | 'd';
/** The codes whose arrays are typed arrays. */
export type NumericCode = BigCode | NumberCode;

/**
 * The type of an element, named as in Python's `array` and `ctypes`: `'b' 'B' 'h' 'H' 'i' 'I'` are integers of 8, 16 and 32
 * bits, signed and unsigned, `'l' 'L' 'q' 'Q'` integers of 64 bits, which read as bigints, `'f' 'd'` floats and doubles,
 * `'c'` a byte, `'u'` a character (a code point, in 32 bits), `'?'` a boolean.
 */
export type TypeCode = NumericCode | 'c' | 'u' | '?';

/** A structure with C's layout, made by {@link Struct}. */
export interface StructType<F = any> {
  /** The types of its fields, in order. */
  readonly fields: F;
  /** Bytes, with the padding that C has. */
  readonly size: number;
}

export type AnyType = TypeCode | StructType;

/** What reading gives. */
export type Read<C> = C extends BigCode
  ? bigint
  : C extends NumberCode
    ? number
    : C extends '?'
      ? boolean
      : C extends 'c'
        ? Uint8Array
        : C extends 'u'
          ? string
          : C extends StructType<infer F>
            ? { -readonly [K in keyof F]: Read<F[K]> }
            : never;

/** What writing takes. Of a structure, the fields that are to change. */
export type Write<C> = C extends BigCode
  ? bigint | number
  : C extends NumberCode
    ? number
    : C extends '?'
      ? boolean
      : C extends 'c'
        ? Uint8Array | number
        : C extends 'u'
          ? string
          : C extends StructType<infer F>
            ? { readonly [K in keyof F]?: Write<F[K]> }
            : never;

// The names that Python's ctypes has for them.
export const c_bool = '?';
export const c_char = 'c';
export const c_wchar = 'u';
export const c_byte = 'b';
export const c_ubyte = 'B';
export const c_short = 'h';
export const c_ushort = 'H';
export const c_int = 'i';
export const c_uint = 'I';
export const c_long = 'l';
export const c_ulong = 'L';
export const c_longlong = 'q';
export const c_ulonglong = 'Q';
export const c_float = 'f';
export const c_double = 'd';
