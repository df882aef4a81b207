import { EXTENT_MASK, type Transaction } from '../heap/internal.js';
import { corrupt, EXPIRING, entry, HEAD_MASK } from './dict-layout.js';

// Keys by value. A key is written as words, so that two keys are the same exactly when their words are: as the keys of a Map
// are compared, with byte arrays and arrays compared by what is in them.
//
//   head: kind | length << 4      words
//
// The length is in bytes for text and bytes, in words for arrays and large bigints; the other kinds have one or two words.

/** What a dict takes as a key: compared by value, as `Map` compares strings and numbers. */
export type DictKey = string | number | bigint | boolean | null | Uint8Array | readonly DictKey[];

/** The most that one key may have. */
export const MOST_KEY_BYTES = 4096;
const MOST_WORDS = MOST_KEY_BYTES / 4;
const KIND_BITS = 4;
const KIND_MASK = 15;

const kind = {
  int32: 0,
  double: 1,
  text: 2,
  wideText: 3,
  simple: 4,
  bigint64: 5,
  bigint: 6,
  bytes: 7,
  array: 8,
} as const;
const simple = [null, false, true] as const;

/** A key as words. */
export interface KeyWords {
  head: number;
  length: number;
  readonly words: Int32Array;
}

const double = new Float64Array(1);
const big = new BigInt64Array(double.buffer);
const halves = new Int32Array(double.buffer);

/** The key in hand: every operation writes it here, after the last of the user's code has run. */
export class KeyScratch implements KeyWords {
  head = 0;
  length = 0;
  readonly words = new Int32Array(MOST_WORDS + 8);
  readonly #bytes = Buffer.from(this.words.buffer);

  /** @throws TypeError for what is no key; RangeError for one of more than 4096 bytes. */
  set(key: unknown): void {
    if (typeof key === 'number' && (key | 0) === key) {
      this.head = kind.int32;
      this.words[0] = key; // -0 is 0
      this.length = 1;
      return;
    }
    this.length = 0;
    this.head = this.#add(key);
  }

  /** @returns the head. */
  #add(key: unknown): number {
    const start = this.length;
    switch (typeof key) {
      case 'string':
        return this.#text(key);
      case 'number':
        if ((key | 0) === key) {
          this.#reserve(4);
          this.words[start] = key;
          this.length = start + 1;
          return kind.int32;
        }
        this.#reserve(8);
        double[0] = Number.isNaN(key) ? Number.NaN : key;
        return this.#halves(kind.double);
      case 'boolean':
        return this.#simple(key ? 2 : 1);
      case 'bigint':
        return this.#bigint(key);
      case 'object':
        if (key === null) return this.#simple(0);
        if (key instanceof Uint8Array) return this.#raw(kind.bytes, key.length, (to) => to.set(key));
        if (Array.isArray(key)) return this.#array(key);
    }
    const what = typeof key === 'object' ? (key as object).constructor?.name : typeof key;
    throw new TypeError(
      `A key is a string, number, bigint, boolean, null, Uint8Array, or an array of those; got ${what}.`,
    );
  }

  #text(text: string): number {
    const { length } = text;
    if (length > MOST_KEY_BYTES) throw tooLarge();
    const start = this.length;
    this.#reserve(length);
    if (length > 0) this.words[start + ((length - 1) >> 2)] = 0;
    const first = start << 2;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 255) {
        return this.#raw(
          kind.wideText,
          length * 2,
          (to) => void Buffer.from(to.buffer, to.byteOffset).write(text, 'utf16le'),
        );
      }
      this.#bytes[first + i] = code;
    }
    this.length = start + ((length + 3) >> 2);
    return kind.text | (length << KIND_BITS);
  }

  #raw(what: number, length: number, write: (to: Uint8Array) => void): number {
    this.#reserve(length);
    const start = this.length;
    const words = (length + 3) >> 2;
    if (words > 0) this.words[start + words - 1] = 0;
    write(this.#bytes.subarray(start << 2, (start << 2) + length));
    this.length = start + words;
    return what | (length << KIND_BITS);
  }

  #simple(which: number): number {
    this.#reserve(4);
    this.words[this.length++] = which;
    return kind.simple;
  }

  #halves(what: number): number {
    this.words[this.length++] = halves[0]!;
    this.words[this.length++] = halves[1]!;
    return what;
  }

  #bigint(key: bigint): number {
    if (BigInt.asIntN(64, key) === key) {
      this.#reserve(8);
      big[0] = key;
      return this.#halves(kind.bigint64);
    }
    const digits = key.toString(16);
    return this.#raw(
      kind.bigint,
      digits.length,
      (to) => void Buffer.from(to.buffer, to.byteOffset).write(digits, 'latin1'),
    );
  }

  #array(key: readonly unknown[]): number {
    const start = this.length;
    const { length } = key;
    for (let i = 0; i < length; i++) {
      this.#reserve(4);
      const headAt = this.length++;
      this.words[headAt] = this.#add(key[i]);
    }
    return kind.array | ((this.length - start) << KIND_BITS);
  }

  #reserve(bytes: number): void {
    if (this.length * 4 + bytes > MOST_KEY_BYTES) throw tooLarge();
  }

  /** For a key of an entry, or one that was kept. */
  copy({ head, length, words }: KeyWords): void {
    this.head = head;
    this.length = length;
    for (let i = 0; i < length; i++) this.words[i] = words[i]!;
  }

  keep(): KeyWords {
    return { head: this.head, length: this.length, words: this.words.slice(0, this.length) };
  }
}

export const scratch = new KeyScratch();

/** A key by which a Map finds what belongs to the key in hand. */
export function keyName({ head, length, words }: KeyWords): string {
  return `${head}:${words.subarray(0, length).join()}`;
}

/**
 * A key whose reading runs no code of the user's: arrays are copied.
 *
 * @throws TypeError for what is no key; RangeError for one that is too large.
 */
export function plainKey(key: unknown): unknown {
  if (!Array.isArray(key)) return key;
  scratch.set(key);
  return keyOf(scratch.head, scratch.words, 0);
}

/**
 * A key as it comes out of a dict: equal keys are alike.
 *
 * @throws TypeError for what is no key; RangeError for one that is too large.
 */
export function copyOfKey(key: unknown): unknown {
  scratch.set(key);
  return keyOf(scratch.head, scratch.words, 0);
}

/** How many words the key behind a head has. */
export function keyLength(head: number): number {
  const length = (head & HEAD_MASK) >>> KIND_BITS;
  switch (head & KIND_MASK) {
    case kind.int32:
    case kind.simple:
      return 1;
    case kind.double:
    case kind.bigint64:
      return 2;
    case kind.text:
    case kind.wideText:
    case kind.bytes:
    case kind.bigint:
      return (length + 3) >> 2;
    case kind.array:
      return length;
    default:
      throw corrupt(`a key of the kind ${head & KIND_MASK}`);
  }
}

/** The key that words say. @throws CorruptSegmentError for words that say none. */
export function keyOf(head: number, words: Int32Array, at: number): DictKey {
  const length = (head & HEAD_MASK) >>> KIND_BITS;
  const most = keyLength(head);
  if (most > MOST_WORDS || at + most > words.length) throw corrupt(`a key of ${most} words`);
  switch (head & KIND_MASK) {
    case kind.int32:
      return words[at]!;
    case kind.simple:
      return simple[words[at]!] ?? null;
    case kind.double:
    case kind.bigint64:
      halves[0] = words[at]!;
      halves[1] = words[at + 1]!;
      return (head & KIND_MASK) === kind.double ? double[0]! : big[0]!;
    case kind.array:
      return arrayOf(words, at, at + length);
  }
  const bytes = Buffer.from(words.buffer, words.byteOffset + at * 4, length);
  switch (head & KIND_MASK) {
    case kind.text:
      return bytes.toString('latin1');
    case kind.wideText:
      return bytes.toString('utf16le');
    case kind.bytes:
      return new Uint8Array(bytes);
    default:
      return bigintOf(bytes.toString('latin1'));
  }
}

function arrayOf(words: Int32Array, from: number, end: number): DictKey[] {
  const items: DictKey[] = [];
  for (let at = from; at < end; ) {
    const head = words[at]!;
    if (head < 0 || at + 1 + keyLength(head) > end) throw corrupt('a key with a broken array');
    items.push(keyOf(head, words, at + 1));
    at += 1 + keyLength(head);
  }
  return items;
}

function bigintOf(digits: string): bigint {
  const [, sign, magnitude] = /^(-?)([0-9a-f]+)$/.exec(digits) ?? [];
  if (magnitude === undefined) throw corrupt('a key that is no number');
  const value = BigInt(`0x${magnitude}`);
  return sign === '-' ? -value : value;
}

/** Copies the key of an entry out of shared memory, whose words may be changing. */
export function takeKey(tx: Transaction, at: number, into: { head: number; length: number; words: Int32Array }): void {
  const extent = tx.memory.at(at);
  const index = at & EXTENT_MASK;
  const head = extent[index + entry.head]! & ~EXPIRING;
  const length = keyLength(head);
  if (length > MOST_WORDS || index + entry.key + length > extent.length) throw corrupt(`a key of ${length} words`);
  into.head = head;
  into.length = length;
  for (let i = 0; i < length; i++) into.words[i] = extent[index + entry.key + i]!;
}

function tooLarge(): RangeError {
  return new RangeError(`A key has at most ${MOST_KEY_BYTES} bytes. Use a digest of it, or put it into the value.`);
}
