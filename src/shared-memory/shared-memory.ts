import { inspect } from 'node:util';
import { formatAddress, parseAddress } from './address.js';
import { attachBlock, attachIdentity, type Block, createBlock } from './block.js';
import type { Handle } from './handle.js';
import { unsharedWarning } from './import-phase.js';
import { canonicalName } from './names.js';
import { markUncloneable, refuseJson } from './uncloneable.js';

/** The block behind the object, for the rooms of this library only. */
export let blockBehind: (memory: SharedMemory) => Block;

/** A constructor of views: `Uint8Array`, `Float64Array`, `DataView`… */
export type ViewConstructor<T> = new (buffer: ArrayBuffer, byteOffset?: number, length?: number) => T;

/** How {@link SharedMemory} makes a new block. */
export interface CreateOptions {
  create: true;
  /** Bytes, at least 1. Reserved at once and filled with zeros. */
  size: number;
  /** Chosen by the library when left out. */
  name?: string;
  /**
   * Keep the block when the process tree that made it is gone. Otherwise it is then removed, unless somebody of this
   * library is still attached. Default `false`.
   */
  persist?: boolean;
}

/** How {@link SharedMemory} opens a block that exists. */
export interface AttachOptions {
  name: string;
  create?: false;
  /** Ignored, as in Python: the block knows its size. */
  size?: number;
}

/**
 * A block of memory that any process of this user can open by name: from Node with this class, from Python with
 * `multiprocessing.shared_memory.SharedMemory`.
 *
 * `close()` lets go of it here, `unlink()` removes it for everybody. With `using`, the block is closed at the end of the
 * scope, and removed if this object created it (unless `persist`).
 *
 * @example
 * ```ts
 * import { SharedMemory } from 'multiprocess';
 *
 * using block = SharedMemory.create(4 * Float64Array.BYTES_PER_ELEMENT);
 * const numbers = block.view(Float64Array);
 * numbers.set([1, 2, 3, 4]);
 *
 * using again = SharedMemory.attach(block.name); // here, or in another process
 * console.log(again.view(Float64Array)); // Float64Array(4) [ 1, 2, 3, 4 ]
 * ```
 */
export class SharedMemory {
  static {
    // The bundler gives a class that mentions itself another name.
    Object.defineProperty(SharedMemory, 'name', { value: 'SharedMemory' });
  }

  readonly #block: Block;
  readonly #removeOnDispose: boolean;
  #warnUnshared: (() => void) | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  /**
   * Creates a block, or opens the one of that name.
   *
   * @throws TypeError for options of a wrong type.
   * @throws RangeError for a size that is not a whole number of 1 or more, or beyond what this runtime can show
   * (4 GiB on Node 20).
   * @throws ValueError for a name with a NUL character or half a surrogate pair, or one of the library's own (`mp-tree-…`);
   * when opening, for a block of 0 bytes.
   * @throws a system error in Node's shape: `EEXIST` when the name to create is taken, `ENOENT` when the name to open is
   * not, `ENOSPC` when /dev/shm is full, `EACCES` for another user's block, `EINVAL` or `ENAMETOOLONG` for an
   * impossible name, `EISDIR` or `ELOOP` for what is no file, `EMFILE` when the process has too many files open.
   * @throws UnsupportedPlatformError on anything but Linux on x64 or arm64.
   */
  constructor(options: CreateOptions | AttachOptions) {
    if (options === null || typeof options !== 'object') {
      throw new TypeError('SharedMemory takes an object: { create: true, size } or { name }.');
    }
    if (options instanceof OpenBlock) {
      this.#block = options.block;
      this.#removeOnDispose = options.removeOnDispose;
    } else if (options.create) {
      const size = checkSize(options.size, 1);
      const name = options.name === undefined ? undefined : canonicalName(options.name);
      const persist = options.persist ?? false;
      if (typeof persist !== 'boolean') throw new TypeError('persist is a boolean.');
      this.#block = createBlock(name, size, persist);
      this.#removeOnDispose = !persist;
      if (name === undefined) this.#warnUnshared = unsharedWarning('SharedMemory');
    } else {
      if (options.size !== undefined) checkSize(options.size, 0);
      this.#block = attachBlock(canonicalName(options.name));
      this.#removeOnDispose = false;
    }
    markUncloneable(this);
  }

  /**
   * Creates a block of `size` bytes; short for `new SharedMemory({ create: true, size, ...options })`.
   *
   * @throws as the constructor.
   */
  static create(size: number, options: { name?: string; persist?: boolean } = {}): SharedMemory {
    return new SharedMemory({ ...options, create: true, size });
  }

  /**
   * Opens the block of that name; short for `new SharedMemory({ name })`.
   *
   * @throws as the constructor.
   */
  static attach(name: string): SharedMemory {
    return new SharedMemory({ name });
  }

  /** The name by which other processes open the block, without a leading slash. */
  get name(): string {
    return this.#block.name;
  }

  /** The block's size in bytes, exactly as it was asked for. */
  get size(): number {
    return this.#block.bytes;
  }

  /**
   * All bytes of the block.
   *
   * After `close()` every view is empty (Node 22 and later) or goes on showing the memory until it is collected (Node
   * 20, which cannot detach it); never does a view show anything else, even if zlib or fs still work on it.
   *
   * @throws ClosedError after `close()`.
   */
  get buf(): Uint8Array<ArrayBuffer> {
    const buffer = this.#buffer();
    this.#bytes ??= new Uint8Array(buffer);
    return this.#bytes;
  }

  /** Printable address of the block, for {@link open} in any process; an address, not a hold. */
  get handle(): Handle<SharedMemory> {
    return formatAddress('shm', this.#block) as Handle<SharedMemory>;
  }

  /**
   * A typed array or DataView on the block.
   *
   * @param byteOffset where it begins, in bytes; a multiple of the element size. Default 0.
   * @param length in elements (bytes for DataView). Default: as many as fit.
   * @throws RangeError when it would not lie within the block; TypeError for what is no such class; ClosedError after
   * `close()`; a system error `ENOMEM` when the kernel maps no more.
   */
  view<T>(type: ViewConstructor<T>, byteOffset = 0, length?: number): T {
    const buffer = this.#buffer();
    const elementBytes = (type as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
    if (!Number.isInteger(byteOffset) || byteOffset < 0 || byteOffset > this.size) {
      throw new RangeError(`byteOffset is a whole number from 0 to ${this.size}; got ${byteOffset}.`);
    }
    return new type(buffer, byteOffset, length ?? Math.floor((this.size - byteOffset) / elementBytes));
  }

  /** Lets go of the block in this environment; others keep it, and so does its name. Idempotent. */
  close(): void {
    this.#bytes = undefined;
    this.#block.close();
  }

  /**
   * Removes the block for everybody: nobody can open it any more. Its memory is freed when every process that has it open
   * has ended, or closed it and collected its views (for which the event loop has to turn). Works after `close()` too.
   *
   * @throws a system error `ENOENT` when it has been removed already.
   */
  unlink(): void {
    this.#block.unlink();
  }

  /** Closes, and removes the block if this object created it (unless `persist`). */
  [Symbol.dispose](): void {
    this.close();
    if (!this.#removeOnDispose) return;
    try {
      this.unlink();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** @throws TypeError always: JSON would lose what it is. */
  toJSON(): never {
    return refuseJson('SharedMemory');
  }

  [inspect.custom](): string {
    const state = this.#block.hold.open ? '' : ', closed';
    return `SharedMemory('${this.name}', size=${this.size}${state})`;
  }

  static {
    blockBehind = (memory) => memory.#block;
  }

  #buffer(): ArrayBuffer {
    this.#warnUnshared?.();
    this.#warnUnshared = undefined;
    return this.#block.buffer;
  }
}

// How this folder comes to the constructor without giving it another public form.
class OpenBlock {
  readonly create = false;
  readonly name = '';
  readonly block: Block;
  readonly removeOnDispose: boolean;
  constructor(block: Block, removeOnDispose: boolean) {
    this.block = block;
    this.removeOnDispose = removeOnDispose;
  }
}

/** A SharedMemory for a block that this environment has opened already. */
export function wrapBlock(block: Block, removeOnDispose: boolean): SharedMemory {
  return new SharedMemory(new OpenBlock(block, removeOnDispose));
}

/** The block at an address; fails with StaleHandleError when it is gone, whatever has its name now. */
export function openSharedMemory(fields: string): SharedMemory {
  const { name, identity } = parseAddress(fields);
  return wrapBlock(attachIdentity(name, identity), false);
}

function checkSize(size: unknown, least: number): number {
  if (typeof size !== 'number') throw new TypeError(`size is a number of bytes; got ${typeof size}.`);
  if (!Number.isSafeInteger(size) || size < least) {
    throw new RangeError(`size is a whole number of bytes, ${least} or more; got ${size}.`);
  }
  return size;
}
