/** One distinct word: a place in the text where it stands, how long it is, and how often it was met. */
export interface WordCount {
  readonly position: number;
  readonly length: number;
  readonly count: number;
}

// An entry is four 32-bit numbers: position, length, count, hash. A count of 0 marks one that is not in use. The numbers
// are signed because engines handle those fastest; the text is small enough for them (see load-text.ts).
const FIELDS = 4;
const LENGTH = 1;
const COUNT = 2;
const HASH = 3;
const FIRST_CAPACITY = 1 << 14;

/**
 * Counts by word: a hash table with open addressing in one typed array.
 *
 * It holds no words, only where they stand in the text. Since all processes see the same text, a table that one of them
 * has filled means the same in every other.
 */
export class WordTable {
  readonly #text: Uint8Array;
  #entries = new Int32Array(FIRST_CAPACITY * FIELDS);
  #mask = FIRST_CAPACITY - 1;
  #distinct = 0;
  #total = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  /** How many different words the table holds. */
  get distinct(): number {
    return this.#distinct;
  }

  /** How many words were counted. */
  get total(): number {
    return this.#total;
  }

  /** Counts the word at `position` another `count` times. `hash` is what {@link addByte} made of its bytes. */
  add(position: number, length: number, count: number, hash: number): void {
    const entries = this.#entries;
    const mask = this.#mask;
    let slot = firstSlot(hash, mask);
    for (;;) {
      const at = slot * FIELDS;
      if (entries[at + COUNT] === 0) {
        entries[at] = position;
        entries[at + LENGTH] = length;
        entries[at + COUNT] = count;
        entries[at + HASH] = hash;
        this.#distinct += 1;
        break;
      }
      if (
        entries[at + HASH] === hash &&
        entries[at + LENGTH] === length &&
        this.#same(entries[at]!, position, length)
      ) {
        entries[at + COUNT]! += count;
        break;
      }
      slot = (slot + 1) & mask;
    }
    this.#total += count;
    if (this.#distinct * 2 > mask) this.#grow();
  }

  /** Adds everything that {@link write} has written. */
  addAll(written: Int32Array): void {
    for (let at = 0; at < written.length; at += FIELDS) {
      this.add(written[at]!, written[at + LENGTH]!, written[at + COUNT]!, written[at + HASH]!);
    }
  }

  /** How many 32-bit numbers {@link write} needs. */
  get writtenLength(): number {
    return this.#distinct * FIELDS;
  }

  /** Writes the entries one after the other, for {@link addAll} in another process. */
  write(target: Int32Array): void {
    const entries = this.#entries;
    let at = 0;
    for (const used of this.#used()) {
      for (let field = 0; field < FIELDS; field++) target[at++] = entries[used + field]!;
    }
  }

  *[Symbol.iterator](): IterableIterator<WordCount> {
    const entries = this.#entries;
    for (const at of this.#used()) {
      yield { position: entries[at]!, length: entries[at + LENGTH]!, count: entries[at + COUNT]! };
    }
  }

  /** The word itself, in lower case. */
  word({ position, length }: WordCount): string {
    const { buffer, byteOffset } = this.#text;
    return Buffer.from(buffer, byteOffset + position, length)
      .toString('latin1')
      .toLowerCase();
  }

  *#used(): IterableIterator<number> {
    for (let at = 0; at < this.#entries.length; at += FIELDS) {
      if (this.#entries[at + COUNT] !== 0) yield at;
    }
  }

  #same(first: number, second: number, length: number): boolean {
    const text = this.#text;
    for (let i = 0; i < length; i++) {
      if ((text[first + i]! | 0x20) !== (text[second + i]! | 0x20)) return false;
    }
    return true;
  }

  #grow(): void {
    const old = this.#entries;
    const entries = new Int32Array(old.length * 2);
    const mask = entries.length / FIELDS - 1;
    for (let at = 0; at < old.length; at += FIELDS) {
      if (old[at + COUNT] === 0) continue;
      let slot = firstSlot(old[at + HASH]!, mask);
      while (entries[slot * FIELDS + COUNT] !== 0) slot = (slot + 1) & mask;
      for (let field = 0; field < FIELDS; field++) entries[slot * FIELDS + field] = old[at + field]!;
    }
    this.#entries = entries;
    this.#mask = mask;
  }
}

/** Where the search for a hash begins. The lower bits alone are not mixed well. */
function firstSlot(hash: number, mask: number): number {
  return (hash ^ (hash >>> 15)) & mask;
}

/** The hash of no bytes. */
export const EMPTY_HASH = 0x811c9dc5 | 0;

/** The hash of a word with one byte more (FNV-1a, as a signed 32-bit number). */
export function addByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}
