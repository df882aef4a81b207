import { closeSync, constants, openSync } from 'node:fs';
import { ClosedError, StaleHandleError, ValueError } from '../errors/index.js';
import {
  abandon,
  crashPoint,
  errno,
  errorCode,
  type FileFacts,
  type FileIdentity,
  fileFacts,
  MAX_MAP_BYTES,
  mapShared,
  openFileFacts,
  publish,
  releaseAbandoned,
  removeFile,
  reserve,
  sameFile,
  systemError,
} from '../os/index.js';
import { Hold, holdByDescriptor, holdByName, identityKey } from './hold.js';
import { currentMembership, ensureMembership, removedAtExit } from './membership.js';
import { blockPath, uniqueName } from './names.js';
import { sweep } from './sweep.js';

/** What is known of a block because this environment has made it. */
interface Making {
  /** Takes the block off the list of its tree. */
  readonly forget?: () => void;
  /** No lock is ever taken through its descriptor. */
  readonly lockless: boolean;
}

/** A shared memory block that this environment has open: what SharedMemory and every view over one stand on. */
export class Block {
  readonly name: string;
  readonly bytes: number;
  readonly identity: FileIdentity;
  readonly hold: Hold;
  readonly #made: Making | undefined;
  #buffer: ArrayBuffer | undefined;

  constructor(name: string, bytes: number, identity: FileIdentity, hold: Hold, made?: Making) {
    this.name = name;
    this.bytes = bytes;
    this.identity = identity;
    this.hold = hold;
    this.#made = made;
    forgotten.register(this, hold, this);
  }

  /**
   * The memory, mapped on first use: blocks that are only passed on cost no mapping.
   *
   * @throws ClosedError after `close()`.
   */
  get buffer(): ArrayBuffer {
    if (!this.hold.open) throw new ClosedError(`The shared memory block '${this.name}' has been closed here.`);
    if (this.#buffer === undefined) {
      // From now on the hold lasts as long as anything can reach the memory, so views outlive this object.
      const hold = this.hold;
      const lockless = this.#made?.lockless ?? false;
      this.#buffer = mapShared(hold.fd, this.bytes, { released: () => hold.release(), lockless }).buffer;
      forgotten.unregister(this);
      blocks.set(this.#buffer, { name: this.name, bytes: this.bytes, identity: this.identity, hold });
    }
    return this.#buffer;
  }

  /** Lets go of the block in this environment; idempotent. */
  close(): void {
    if (!this.hold.open) return;
    this.hold.release();
    if (this.#buffer !== undefined) abandon(this.#buffer);
    this.#buffer = undefined;
    // If the tree that made the block is gone, its last user cleans up.
    if (this.#made === undefined && currentMembership()?.ledger.find(this.identity) === undefined) sweep();
  }

  /**
   * Removes the block's name.
   *
   * @throws a system error `ENOENT` when it is gone already, also when another block has its name now.
   */
  unlink(): void {
    const path = blockPath(this.name);
    if (!sameFile(this.identity, fileFacts(path)) || !removeFile(path)) {
      if (removedAtExit.delete(this.name)) return;
      throw systemError(errno.ENOENT, 'unlink', path);
    }
    crashPoint('unlink:removed');
    if (this.#made?.forget !== undefined) {
      this.#made.forget();
    } else {
      const ledger = currentMembership()?.ledger;
      const entry = ledger?.find(this.identity);
      if (entry !== undefined) ledger?.drop(entry);
    }
    crashPoint('unlink:dropped');
  }
}

/** What is known of the block behind an ArrayBuffer. */
export type BlockFacts = Pick<Block, 'name' | 'bytes' | 'identity' | 'hold'>;

const blocks = new WeakMap<ArrayBufferLike, BlockFacts>();

/** The block that an ArrayBuffer shows, if it shows one. */
export function blockOf(buffer: ArrayBufferLike): BlockFacts | undefined {
  return blocks.get(buffer);
}

// A block that was never mapped and is dropped without close() still has its descriptor.
const forgotten = new FinalizationRegistry<Hold>((hold) => hold.release());

/**
 * Makes a block of `bytes` zero bytes.
 *
 * The order is what makes it safe to be killed anywhere: noted in the tree's list before the file exists; reserved and
 * filled before it is published; published in one step.
 *
 * @param fill writes the first content.
 * @throws a system error: `EEXIST` when the name is taken, `ENOSPC` when there is no room. Nothing is left behind.
 */
export function createBlock(
  name: string | undefined,
  bytes: number,
  persist: boolean,
  fill?: (block: Block) => void,
): Block {
  if (bytes > MAX_MAP_BYTES) {
    throw new RangeError(`A block has at most ${MAX_MAP_BYTES} bytes on this runtime; ${bytes} were asked for.`);
  }
  const { ledger } = ensureMembership();
  if (name !== undefined && fileFacts(blockPath(name))) throw systemError(errno.EEXIST, 'shm_open', blockPath(name));
  const temporary = uniqueName();
  const finalName = name ?? temporary;
  const path = blockPath(temporary);
  let entry = ledger.note(temporary);
  crashPoint('block:noted');
  let hold: Hold | undefined;
  try {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    crashPoint('block:created');
    // No lock is taken on it: while this process lives its tree does, and nobody sweeps a living tree.
    hold = new Hold(fd);
    reserve(fd, bytes, path);
    crashPoint('block:reserved');
    const identity = openFileFacts(fd);
    entry = ledger.confirm(entry, finalName, identity);
    crashPoint('block:confirmed');
    // Lists lock through the descriptor that they are made with; plain blocks do not.
    const lockless = fill === undefined;
    const listed = entry;
    const made = persist ? { lockless } : { lockless, forget: () => ledger.drop(listed) };
    const block = new Block(finalName, bytes, identity, hold, made);
    fill?.(block);
    // A name of our own making is in place already: nobody else can know it yet.
    if (name !== undefined) publish(path, blockPath(name));
    crashPoint('block:published');
    if (persist) ledger.drop(entry);
    return block;
  } catch (error) {
    hold?.release();
    removeFile(path);
    ledger.drop(entry);
    // Memory of blocks that have been closed may still be there, until the event loop turns.
    if (errorCode(error) === 'ENOSPC' && releaseAbandoned()) return createBlock(name, bytes, persist, fill);
    throw error;
  }
}

/**
 * Opens the block of that name.
 *
 * @throws a system error, `ENOENT` above all; ValueError for a file without content; RangeError for one larger than
 * this runtime can show.
 */
export function attachBlock(name: string): Block {
  ensureMembership();
  return attached(name, holdByName(name));
}

/** Opens the very block that has this identity, or fails with StaleHandleError. */
export function attachIdentity(name: string, identity: FileIdentity): Block {
  ensureMembership();
  const descriptor = inherited.get(identityKey(identity));
  if (descriptor !== undefined) return attached(name, holdByDescriptor(descriptor));
  const gone = (cause?: unknown) =>
    new StaleHandleError(`The shared memory block '${name}' that was meant here exists no more.`, { cause });
  let found: { hold: Hold; facts: FileFacts };
  try {
    found = holdByName(name);
  } catch (cause) {
    throw errorCode(cause) === 'ENOENT' ? gone(cause) : cause;
  }
  if (!sameFile(found.facts, identity)) {
    found.hold.release();
    throw gone();
  }
  return attached(name, found);
}

function attached(name: string, { hold, facts }: { hold: Hold; facts: FileFacts }): Block {
  try {
    if (facts.bytes === 0) {
      throw new ValueError(`The shared memory block '${name}' is empty; nothing can be mapped. Create it anew.`);
    }
    if (facts.bytes > MAX_MAP_BYTES) {
      throw new RangeError(
        `The shared memory block '${name}' has ${facts.bytes} bytes; this runtime shows at most ${MAX_MAP_BYTES}.`,
      );
    }
  } catch (error) {
    hold.release();
    throw error;
  }
  return new Block(name, facts.bytes, { device: facts.device, inode: facts.inode }, hold);
}

const inherited = new Map<string, number>();

/**
 * Blocks that the parent process handed over as open descriptors: they can be attached even if their names are gone
 * by now. Ends, and closes the descriptors, when `use` returns.
 */
export function withInheritedBlocks<T>(descriptors: readonly number[], use: () => T): T {
  for (const descriptor of descriptors) inherited.set(identityKey(openFileFacts(descriptor)), descriptor);
  try {
    return use();
  } finally {
    inherited.clear();
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

/** A second hold on an open block, whose descriptor can be given to a child process; the caller releases it. */
export function holdForChild(block: BlockFacts): Hold {
  if (!block.hold.open) throw new ClosedError(`The shared memory block '${block.name}' has been closed here.`);
  return holdByDescriptor(block.hold.fd).hold;
}
