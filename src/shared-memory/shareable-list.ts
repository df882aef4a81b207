import { inspect } from 'node:util';
import { ClosedError, ValueError } from '../errors/index.js';
import { formatAddress, parseAddress } from './address.js';
import { attachBlock, attachIdentity, type Block, createBlock } from './block.js';
import type { Handle } from './handle.js';
import { unsharedWarning } from './import-phase.js';
import { ListCells } from './list-cells.js';
import { encodeItem, type Int64Reading, type ShareableItem, sameItem } from './list-item.js';
import { planList, readLayout, writeHeader } from './list-layout.js';
import { canonicalName } from './names.js';
import { type SharedMemory, wrapBlock } from './shared-memory.js';
import { markUncloneable, refuseJson } from './uncloneable.js';

/** The block behind the list, for the rooms of this library only. */
export let blockOfList: (list: ShareableList) => Block;

export interface ShareableListOptions {
  /** With values, the name of the new list; without, the list to open. */
  name?: string;
  /** Keep a new list when the process tree that made it is gone. Default `false`. */
  persist?: boolean;
  /**
   * How integers read: as numbers, and beyond 2^53 as bigints (`'auto'`, the default); always as numbers, inexact
   * beyond 2^53; or always as bigints.
   */
  int64?: Int64Reading;
}

/**
 * A list of fixed length and fixed room for each item, in one shared memory block, laid out as Python's
 * `multiprocessing.shared_memory.ShareableList`: either side opens the other's.
 *
 * An item can change its type; a string or byte value fits as long as it has no more bytes than the item's slot: the
 * first value's length, rounded up to the next multiple of 8 (at least one byte more than it needed).
 *
 * Readers never see half a write of another process of this library; an item whose writer was killed while it changed the
 * item's type or text reads as `null`. Two processes that write the same item, or read it and write back, need a lock.
 *
 * Integers (int64) and other numbers (double) are different types. Numbers are read without a system call, and so is one
 * written that replaces one of its type. Other writes, and reading strings and bytes, take a lock of the list, for which
 * they block this thread: some microseconds, and at most 5 s should another process not let go of it.
 *
 * @example
 * ```ts
 * import { ShareableList } from 'multiprocess';
 *
 * using list = new ShareableList<number | string>([1, 2.5, 'three']);
 * list.set(0, list.get(0) as number + 10);
 *
 * using again = new ShareableList(null, { name: list.shm.name }); // here, or in another process
 * console.log(again.copy()); // [ 11, 2.5, 'three' ]
 * ```
 */
export class ShareableList<T = ShareableItem> implements Iterable<T> {
  readonly #block: Block;
  readonly #shm: SharedMemory;
  readonly #cells: ListCells;
  readonly #length: number;
  #warnUnshared: (() => void) | undefined;

  /**
   * Makes a list of the values, or opens the list called `options.name` if there are none.
   *
   * @param sequence any iterable, also one that can be walked only once. Without it and without a name, an empty list.
   * @throws TypeError for a value that a list cannot hold, before anything is made.
   * @throws RangeError for a bigint beyond int64, and for strings and bytes of more than 9 999 991 bytes.
   * @throws ValueError for a string with half a surrogate pair; when opening, for a block of 0 bytes.
   * @throws CorruptSegmentError when the block to open is no list.
   * @throws system errors as {@link SharedMemory}.
   */
  constructor(sequence?: Iterable<T & ShareableItem> | null, options: ShareableListOptions = {}) {
    const int64 = options.int64 ?? 'auto';
    if (!['auto', 'number', 'bigint'].includes(int64)) throw new TypeError("int64 is 'auto', 'number' or 'bigint'.");
    const name = options.name === undefined ? undefined : canonicalName(options.name);
    if ((sequence === undefined || sequence === null) && name !== undefined) {
      const block = attachBlock(name);
      ({ cells: this.#cells, length: this.#length } = openCells(block, int64));
      this.#block = block;
      this.#shm = wrapBlock(block, false);
    } else {
      const persist = options.persist ?? false;
      if (typeof persist !== 'boolean') throw new TypeError('persist is a boolean.');
      if (sequence instanceof OpenList) {
        ({ block: this.#block, cells: this.#cells, length: this.#length } = sequence);
        this.#shm = wrapBlock(this.#block, false);
      } else {
        const { layout, items } = planList([...(sequence ?? [])]);
        // Filled before it is published: nobody can open half a list.
        this.#block = createBlock(name, layout.bytes, persist, (block) => {
          writeHeader(layout, block.buffer);
          const cells = new ListCells(block.buffer, layout, int64, block.hold.fd);
          items.forEach((item, i) => {
            cells.initialize(i, item);
          });
        });
        this.#cells = new ListCells(this.#block.buffer, layout, int64, this.#block.hold.fd);
        this.#length = layout.length;
        this.#shm = wrapBlock(this.#block, !persist);
        if (name === undefined) this.#warnUnshared = unsharedWarning('ShareableList');
      }
    }
    markUncloneable(this);
  }

  /** How many items the list has; fixed. @throws ClosedError after `close()`. */
  get length(): number {
    this.#use();
    return this.#length;
  }

  /**
   * The items' formats one after the other, as Python writes them in a new list. (Where the type or text of an item has
   * changed, the list itself has blanks in them, which Python ignores and its own `format` shows.)
   *
   * @throws ClosedError after `close()`; CorruptSegmentError for formats that no list has.
   */
  get format(): string {
    this.#use();
    return Array.from({ length: this.#length }, (_, i) => this.#cells.format(i)).join('');
  }

  /** The block that the list lies in. */
  get shm(): SharedMemory {
    return this.#shm;
  }

  /** Printable address of the list, for {@link open} in any process; an address, not a hold. */
  get handle(): Handle<ShareableList<T>> {
    return formatAddress('list', this.#block) as Handle<ShareableList<T>>;
  }

  /**
   * The item at `index`; negative ones count from the end.
   *
   * @throws RangeError when there is no such item; ClosedError after `close()`; CorruptSegmentError when its bytes
   * cannot be an item; TimeoutError when another process keeps the list locked for 5 s (stopped by
   * SIGSTOP, say).
   */
  get(index: number): T {
    this.#use();
    return this.#cells.read(this.#position(index)) as T;
  }

  /**
   * Replaces the item at `index`; negative ones count from the end. Nothing is changed when this throws.
   *
   * @throws RangeError when there is no such item, or for a bigint beyond int64; ValueError when a string or bytes do
   * not fit; TypeError for what a list cannot hold; ClosedError after `close()`; TimeoutError as `get`.
   */
  set(index: number, value: T): void {
    this.#use();
    this.#cells.write(this.#position(index), encodeItem(value));
  }

  /** The item at `index`, or `undefined` when there is none. @throws as `get` otherwise. */
  at(index: number): T | undefined {
    this.#use();
    const position = Math.trunc(index) || 0;
    if (position >= this.#length || position < -this.#length) return undefined;
    return this.get(position);
  }

  /** All items as a new array, each as it is when its turn comes. @throws as `get`. */
  toArray(): T[] {
    return [...this];
  }

  /** All items as a new array; Python's name for it. @throws as `get`. */
  copy(): T[] {
    return this.toArray();
  }

  /** How many items equal `value`: as `===`, bytes by content, integers whether number or bigint. @throws as `get`. */
  count(value: T): number {
    return this.toArray().filter((item) => sameItem(item, value)).length;
  }

  /** The index of the first item equal to `value`, or −1. @throws as `get`. */
  indexOf(value: T): number {
    return this.toArray().findIndex((item) => sameItem(item, value));
  }

  /** The index of the first item equal to `value`. @throws ValueError when there is none; as `get`. */
  index(value: T): number {
    const index = this.indexOf(value);
    if (index < 0) throw new ValueError(`The ShareableList does not hold ${inspect(value)}.`);
    return index;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }

  /** Lets go of the list in this environment. Idempotent. */
  close(): void {
    this.#shm.close();
  }

  /** Removes the list for everybody. @throws a system error `ENOENT` when it has been removed already. */
  unlink(): void {
    this.#shm.unlink();
  }

  /** Closes, and removes the list if this object created it (unless `persist`). */
  [Symbol.dispose](): void {
    this.#shm[Symbol.dispose]();
  }

  /** @throws TypeError always: JSON would lose what it is. Use `copy()` for the contents. */
  toJSON(): never {
    return refuseJson('ShareableList');
  }

  [inspect.custom](_depth: number, options: object, print: typeof inspect): string {
    const name = `name='${this.#shm.name}'`;
    return this.#block.hold.open
      ? `ShareableList(${print(this.toArray(), options)}, ${name})`
      : `ShareableList(closed, ${name})`;
  }

  static {
    blockOfList = (list) => list.#block;
  }

  #use(): void {
    if (!this.#block.hold.open) throw new ClosedError(`The ShareableList '${this.#block.name}' has been closed here.`);
    if (this.#warnUnshared !== undefined) {
      this.#warnUnshared();
      this.#warnUnshared = undefined;
    }
  }

  #position(index: number): number {
    if (typeof index !== 'number') throw new TypeError(`An index is a number; got ${typeof index}.`);
    const position = index < 0 ? index + this.#length : index;
    if (!(position >= 0 && position < this.#length) || !Number.isInteger(index)) {
      throw new RangeError(`Index ${index} is out of range for a ShareableList of ${this.#length} items.`);
    }
    return position;
  }
}

function openCells(block: Block, int64: Int64Reading): { cells: ListCells; length: number } {
  try {
    const layout = readLayout(block.buffer, block.name);
    return { cells: new ListCells(block.buffer, layout, int64, block.hold.fd), length: layout.length };
  } catch (error) {
    block.close();
    throw error;
  }
}

// How open() comes to the constructor without giving it another public form.
class OpenList implements Iterable<never> {
  readonly block: Block;
  readonly cells: ListCells;
  readonly length: number;
  constructor(block: Block) {
    this.block = block;
    ({ cells: this.cells, length: this.length } = openCells(block, 'auto'));
  }
  [Symbol.iterator](): Iterator<never> {
    return [][Symbol.iterator]();
  }
}

/** The list at an address; fails with StaleHandleError when it is gone, whatever has its name now. */
export function openShareableList(fields: string): ShareableList {
  const { name, identity } = parseAddress(fields);
  return new ShareableList(new OpenList(attachIdentity(name, identity)));
}
