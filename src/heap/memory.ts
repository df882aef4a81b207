import { closeSync, constants, openSync } from 'node:fs';
import { CorruptSegmentError } from '../errors/index.js';
import { type MemoryMap, mapShared, openFileFacts } from '../os/index.js';
import {
  EXTENT_ENTRY_WORDS,
  EXTENT_MASK,
  EXTENT_SHIFT,
  EXTENT_TABLE,
  extentEntry,
  header,
  MAX_EXTENT_PAGES,
  MAX_EXTENTS,
  PAGE_WORDS,
  WORD_BYTES,
} from './layout.js';
import type { HeapId } from './segment.js';

/**
 * The words of a heap as this environment sees them: the segment, and each extent from when it is first needed.
 *
 * No address found in shared memory is trusted: `at` looks that it lies in an extent that has been published.
 */
export class HeapMemory {
  readonly id: HeapId;
  readonly segment: Int32Array;
  readonly #maps: (MemoryMap | undefined)[] = [];
  readonly #words: (Int32Array | undefined)[] = [];
  readonly #bytes: (Uint8Array<ArrayBuffer> | undefined)[] = [];
  readonly #pathOf: (index: number) => string;

  constructor(id: HeapId, segment: MemoryMap, pathOf: (index: number) => string) {
    this.id = id;
    this.segment = new Int32Array(segment.buffer);
    this.#maps[0] = segment;
    this.#words[0] = this.segment;
    this.#pathOf = pathOf;
  }

  get nonce(): number {
    return this.segment[header.nonce]!;
  }

  /**
   * The words of the extent in which `address` lies; its own index there is `address & EXTENT_MASK`.
   *
   * @throws CorruptSegmentError for an address outside; system errors when the extent cannot be mapped.
   */
  at(address: number): Int32Array {
    const words = this.#words[address >>> EXTENT_SHIFT];
    if (words !== undefined && (address & EXTENT_MASK) < words.length) return words;
    return this.#mapFor(address);
  }

  /** The bytes of the extent in which `address` lies; the word begins at byte `(address & EXTENT_MASK) * 4` there. */
  bytesAt(address: number): Uint8Array<ArrayBuffer> {
    this.at(address);
    const index = address >>> EXTENT_SHIFT;
    this.#bytes[index] ??= new Uint8Array(this.#maps[index]!.buffer);
    return this.#bytes[index]!;
  }

  load(address: number): number {
    return this.at(address)[address & EXTENT_MASK]!;
  }

  /** Where the kernel knows the word: for futexes. */
  kernelAddress(address: number): bigint {
    this.at(address);
    return this.#maps[address >>> EXTENT_SHIFT]!.address + BigInt((address & EXTENT_MASK) * WORD_BYTES);
  }

  /** The memory of an extent. */
  extent(index: number): MemoryMap {
    this.at(index << EXTENT_SHIFT);
    return this.#maps[index]!;
  }

  get extentCount(): number {
    const count = Atomics.load(this.segment, header.extentCount);
    if (count < 1 || count > MAX_EXTENTS) throw new CorruptSegmentError(`A heap has no ${count} extents.`);
    return count;
  }

  /** Takes an extent that is not yet published, or was so just now. */
  adopt(index: number, map: MemoryMap): void {
    this.#maps[index] = map;
    this.#words[index] = new Int32Array(map.buffer);
  }

  #mapFor(address: number): Int32Array {
    const index = address >>> EXTENT_SHIFT;
    // Below the count an extent is whole, and stays as it is until the heap ends.
    if (index >= this.extentCount) throw outside(address);
    if (this.#words[index] === undefined) {
      const pages = this.segment[EXTENT_TABLE + index * EXTENT_ENTRY_WORDS + extentEntry.pages]!;
      if (pages < 1 || pages > MAX_EXTENT_PAGES) throw new CorruptSegmentError(`An extent has no ${pages} pages.`);
      this.adopt(index, mapExtent(this.#pathOf(index), pages * PAGE_WORDS * WORD_BYTES));
    }
    const words = this.#words[index]!;
    if ((address & EXTENT_MASK) >= words.length) throw outside(address);
    return words;
  }
}

function mapExtent(path: string, bytes: number): MemoryMap {
  const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = openFileFacts(fd);
    // Shorter, and a store beyond its end would be a SIGBUS.
    if (!facts.regular || facts.bytes < bytes || facts.uid !== process.geteuid?.()) {
      throw new CorruptSegmentError(`The file '${path}' is not the extent of a heap that it should be.`);
    }
    return mapShared(fd, bytes, { lockless: true });
  } finally {
    closeSync(fd);
  }
}

function outside(address: number): CorruptSegmentError {
  return new CorruptSegmentError(`A heap refers to the word ${address >>> 0}, which lies outside it.`);
}
