// What Buffer's own methods of these names do works on every Uint8Array: no Buffer has to be made for it.
type Slice = (this: Uint8Array, start: number, end: number) => string;
type Write = (this: Uint8Array, text: string, at: number, bytes: number) => number;
const { latin1Slice, latin1Write, ucs2Slice, ucs2Write } = Buffer.prototype as unknown as {
  latin1Slice: Slice;
  latin1Write: Write;
  ucs2Slice: Slice;
  ucs2Write: Write;
};

// Up to here a loop is faster than a call of native code.
const SHORT_TO_PACK = 16;
const SHORT_TO_UNPACK = 12;

// V8 knows that a string which it keeps in one byte a character has none of these, and does not look.
const wide = /[\u0100-\uffff]/;

/** For each length an array of the character codes to be made a string of: none is made each time. */
const codes = Array.from({ length: SHORT_TO_UNPACK + 1 }, (_, length) => new Array<number>(length).fill(0));

/**
 * Writes a string one byte a character, from `at`, where its length is known to fit.
 *
 * @returns `false` when it has characters beyond Latin-1; what has been written then means nothing.
 */
export function packLatin1(text: string, bytes: Uint8Array, at: number): boolean {
  const { length } = text;
  if (length > SHORT_TO_PACK) {
    if (wide.test(text)) return false;
    latin1Write.call(bytes, text, at, length);
    return true;
  }
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return false;
    bytes[at + i] = code;
  }
  return true;
}

/** The string that `packLatin1` wrote. The caller has seen to it that these bytes are there. */
export function unpackLatin1(bytes: Uint8Array, at: number, length: number): string {
  if (length > SHORT_TO_UNPACK) return latin1Slice.call(bytes, at, at + length);
  const room = codes[length]!;
  for (let i = 0; i < length; i++) room[i] = bytes[at + i]!;
  return String.fromCharCode.apply(null, room);
}

/** Writes a string two bytes a character, from `at`, where twice its length is known to fit. */
export function packUtf16(text: string, bytes: Uint8Array, at: number): void {
  ucs2Write.call(bytes, text, at, text.length * 2);
}

export function unpackUtf16(bytes: Uint8Array, at: number, length: number): string {
  return ucs2Slice.call(bytes, at, at + length);
}
