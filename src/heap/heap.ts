import { closeSync, constants, openSync } from 'node:fs';
import { CorruptSegmentError, MultiprocessError } from '../errors/index.js';
import { errorCode, type MemoryMap, mapShared, openFileFacts, removeFile, reserve } from '../os/index.js';
import { allocate, fillReserve, free, MAX_BLOCK_WORDS, RESERVE_PAGES } from './allocator.js';
import { step } from './doors.js';
import { settleEstate } from './estate.js';
import { growHeap } from './extents.js';
import { dropOneOf, type ForeignHeap, foreignHeaps } from './foreign.js';
import { sweepHeap } from './heap-sweep.js';
import { InternalLocks } from './internal-lock.js';
import {
  EXTENT_ENTRY_WORDS,
  EXTENT_MASK,
  EXTENT_SHIFT,
  EXTENT_TABLE,
  extentEntry,
  extentKind,
  header,
  isContainerKind,
  root,
  rootKind,
  WORD_BYTES,
} from './layout.js';
import { addHold, belongingsOf, buryFile, buryPart, discardBody, disposeRoot, removeHold } from './lifetimes.js';
import { beyondLimit, countFile, limitWord } from './limit.js';
import { HeapMemory } from './memory.js';
import type { NeedsRoom } from './needs-room.js';
import { type JoinedSlot, leaveGate, Participant, takeSlot } from './participants.js';
import { reap } from './reaper.js';
import { confirmRoot, createRoot, type RootAddress } from './roots.js';
import { extentPath, type HeapId, type OpenSegment, openHeldSegment, openSegment } from './segment.js';
import { wake } from './sleep.js';
import { Transaction } from './transaction.js';

const TICK_MS = 100;
const LOOK_AT_ONCE = 8;
/** Parts of the dying that are let go of at once, and for how long at a time the rest is. */
const BURIALS_AT_ONCE = 4;
const BURIALS_FOR_ROOM = 256;
const BURIAL_MS = 1;
/** How long somebody who leaves looks after the dying; others go on. */
const PATIENCE_MS = 50;
/** Raw memory of more bytes gets a file of its own, and gives it back when it ends. */
const MOST_POOLED_BYTES = 32 * 1024;
/** The same for values, which come and go: a file costs more to make than to copy to. */
const MOST_PARCEL_BYTES = 8 * 1024 * 1024;

type RawKind = typeof rootKind.raw | typeof rootKind.lockedRaw;

/** A heap that this environment takes part in. */
export class Heap {
  readonly id: HeapId;
  readonly nonce: number;
  readonly memory: HeapMemory;
  readonly participant: Participant;
  readonly transaction: Transaction;
  readonly #holds = new Map<number, { node: number; serial: number; count: number }>();
  readonly #belongings: number;
  readonly #timer: NodeJS.Timeout;
  /** Called at each tick, in a fresh turn of the loop: whatever synchronous code has recorded as running is not. */
  readonly onTick = new Set<() => void>();
  #left = false;
  #burying = false;

  /** Where somebody else takes part than this environment itself (deputy.ts): who he is in each heap. */
  readonly instead: ((heap: Heap) => Heap) | undefined;

  private constructor(
    segment: Pick<OpenSegment, 'id' | 'fd' | 'inode'>,
    memory: HeapMemory,
    taken: JoinedSlot,
    instead?: (heap: Heap) => Heap,
  ) {
    this.instead = instead;
    this.id = segment.id;
    this.memory = memory;
    this.nonce = memory.segment[header.nonce]!;
    this.participant = new Participant(memory, segment, taken);
    this.#belongings = belongingsOf(taken.index);
    const locks = new InternalLocks(memory, this.participant);
    this.transaction = new Transaction(memory, this.participant, locks, (needed, reaping) =>
      this.#makeRoom(needed, reaping),
    );
    this.transaction.freeBlocksWith(free);
    this.participant.reap = (index) => this.#reapQuietly(index);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /**
   * Joins the heap of that name.
   *
   * @param create whether to make it when there is none.
   * @param maxBytes what it is limited to, if it is made; {@link LEAST_HEAP_BYTES} at least.
   */
  static join(id: HeapId, create: boolean, maxBytes?: number): Heap | undefined {
    const segment = openSegment(id, create, sweepHeap, limitWord(maxBytes));
    if (segment === undefined) return undefined;
    let heap: Heap | undefined;
    try {
      const memory = Heap.#memoryOf(segment);
      const taken = takeSlot(memory, segment.fd);
      leaveGate(segment.fd);
      step();
      heap = new Heap(segment, memory, taken);
      if (taken.inheritsEstate) settleEstate(heap.transaction, taken.index, true);
      return heap;
    } catch (error) {
      heap?.stopTicking();
      closeSync(segment.fd);
      throw error;
    }
  }

  /** Takes the place in a heap that another participant has taken for this one: the byte of the slot is held through `fd`. */
  static takeOver(id: HeapId, taken: JoinedSlot, fd: number): Heap {
    const segment = openHeldSegment(id, fd);
    const heap = new Heap(segment, Heap.#memoryOf(segment), taken);
    heap.participant.enter();
    return heap;
  }

  /**
   * Takes part once more, in the same memory, on behalf of somebody else: in a slot whose byte is held through `fd`. What
   * JavaScript that was cut short leaves in it is not tidied up by a timer: nothing is to run here that may be.
   */
  static forAnother(
    { id, memory, participant: { inode } }: Heap,
    taken: JoinedSlot,
    fd: number,
    instead: (heap: Heap) => Heap,
  ): Heap {
    const heap = new Heap({ id, fd, inode }, memory, taken, instead);
    heap.stopTicking();
    return heap;
  }

  static #memoryOf({ id, map }: OpenSegment): HeapMemory {
    const nonce = new Int32Array(map.buffer)[header.nonce]!;
    return new HeapMemory(id, map, (index) => extentPath(id, nonce, index));
  }

  get left(): boolean {
    return this.#left;
  }

  /** No more work from the timer: for one that leaves, and for tests in which one dies. */
  stopTicking(): void {
    clearInterval(this.#timer);
  }

  /**
   * Gives back all that this environment holds, and leaves.
   *
   * @param died whether to do it as if it had been killed: for somebody else who was.
   */
  leave(died = false): void {
    if (this.#left) return;
    this.#left = true;
    this.stopTicking();
    let settled = false;
    try {
      this.transaction.settle();
      this.participant.close();
      settled = settleEstate(this.transaction, this.participant.slot, died);
      this.bury(PATIENCE_MS);
    } finally {
      this.participant.leave(settled);
    }
  }

  /**
   * Makes a shared object, held by this environment.
   *
   * @param contents the first of the words that each kind has for itself.
   * @param along what else happens in the same transaction.
   */
  create(
    kind: number,
    contents: readonly number[] = [],
    along?: (tx: Transaction, made: RootAddress) => void,
  ): RootAddress {
    const { made, node } = this.transaction.run((tx) => {
      const made = createRoot(tx, kind, contents);
      along?.(tx, made);
      return { made, node: addHold(tx, made.address, this.#belongings) };
    });
    this.#holds.set(made.address, { node, serial: made.serial, count: 1 });
    return made;
  }

  /** Makes a shared object with a block of so many words, all zero; its first word has the address, the second the number. */
  createWithBlock(kind: number, words: number): RootAddress {
    const { made, node } = this.transaction.run((tx) => {
      const made = createRoot(tx, kind, [0, words]);
      const node = addHold(tx, made.address, this.#belongings);
      const block = allocate(tx, Math.max(1, words));
      // A fresh block: nobody reads it before the commit, and undone it is nobody's.
      step();
      tx.memory.at(block).fill(0, block & EXTENT_MASK, (block & EXTENT_MASK) + words);
      tx.write(made.address + root.a, block);
      return { made, node };
    });
    this.#holds.set(made.address, { node, serial: made.serial, count: 1 });
    return made;
  }

  /**
   * Takes a hold on an object that a handle means. Wrappers of one object in one environment share a hold; each ends with
   * `release`.
   *
   * @returns its kind. @throws StaleHandleError when the object exists no more.
   */
  open(at: RootAddress): number {
    const known = this.#holds.get(at.address);
    const { kind, node } = this.transaction.run((tx) => {
      const kind = confirmRoot(tx, at);
      // A hold on the root is one on this very object: a root is used again only when nobody holds it.
      return { kind, node: known?.node ?? addHold(tx, at.address, this.#belongings) };
    });
    if (known !== undefined) known.count += 1;
    else this.#holds.set(at.address, { node, serial: at.serial, count: 1 });
    return kind;
  }

  /** Ends one use of an object; the last one gives the hold back. */
  release(address: number): void {
    const known = this.#holds.get(address);
    if (known === undefined || this.#left) return;
    known.count -= 1;
    if (known.count > 0) return;
    this.#holds.delete(address);
    this.transaction.run((tx) => removeHold(tx, known.node, this.#belongings));
    this.buryAny();
  }

  /** Ends an object for all who use it. @throws StaleHandleError when somebody has already. */
  dispose(at: RootAddress): void {
    this.transaction.run(
      (tx) => {
        const container = isContainerKind(this.memory.load(at.address + root.kind));
        if (container) tx.lockObject(at.address);
        confirmRoot(tx, at);
        disposeRoot(tx, at.address);
        if (container) discardBody(tx, at.address);
      },
      undefined,
      true,
    );
    const words = this.memory.at(at.address);
    const index = at.address & EXTENT_MASK;
    Atomics.add(words, index + root.futex, 1);
    for (const word of [root.futex, root.lock]) wake(this.memory, at.address + word, 0x7fff_ffff);
    this.buryAny();
  }

  /** Whether the object still exists, for those who hold it. */
  exists({ address, serial }: RootAddress): boolean {
    return this.memory.load(address + root.serial) === serial;
  }

  /**
   * Memory that users write through views.
   *
   * @param kind `rootKind.lockedRaw` where the root's lock word is to be an RLock.
   * @throws a system error `ENOSPC` when there is no room.
   */
  createRaw(bytes: number, kind: RawKind = rootKind.raw): RootAddress {
    const inFile = bytes > MOST_POOLED_BYTES ? this.#createFile(kind, bytes) : undefined;
    if (inFile !== undefined) return inFile;
    const words = Math.max(1, Math.ceil(bytes / WORD_BYTES));
    const { made, node } = this.transaction.run((tx) => {
      const made = createRoot(tx, kind);
      const node = addHold(tx, made.address, this.#belongings);
      const block = allocate(tx, words, extentKind.raw);
      tx.memory.at(block).fill(0, block & EXTENT_MASK, (block & EXTENT_MASK) + words);
      tx.write(made.address + root.a, block);
      tx.write(made.address + root.b, bytes);
      return { made, node };
    });
    this.#holds.set(made.address, { node, serial: made.serial, count: 1 });
    return made;
  }

  /**
   * A root for a value of `bytes` bytes that only the library itself reaches, of arbitrary content at first.
   *
   * @throws a system error `ENOSPC` when there is no room.
   */
  createParcel(bytes: number): RootAddress {
    const inFile = bytes > MOST_PARCEL_BYTES ? this.#createFile(rootKind.parcel, bytes) : undefined;
    if (inFile !== undefined) return inFile;
    const { made, node } = this.transaction.run((tx) => {
      const made = createRoot(tx, rootKind.parcel, [0, bytes]);
      const node = addHold(tx, made.address, this.#belongings);
      if (bytes > 0) tx.write(made.address + root.a, allocate(tx, Math.ceil(bytes / WORD_BYTES)));
      return { made, node };
    });
    this.#holds.set(made.address, { node, serial: made.serial, count: 1 });
    return made;
  }

  /** @returns undefined when the heap's limit leaves no room for a file, and there may be some in extents. */
  #createFile(kind: number, bytes: number): RootAddress | undefined {
    const contents = [0, bytes % 0x4000_0000, 1 + Math.floor(bytes / 0x4000_0000), 0];
    let made: RootAddress;
    try {
      // Noted before the file exists, so whoever ends the object removes the file, made or not.
      made = this.create(kind, contents, (tx) => countFile(tx, bytes));
    } catch (error) {
      // Extents that have been full of small things are there for good.
      if (errorCode(error) === 'ENOSPC' && bytes <= MAX_BLOCK_WORDS * WORD_BYTES) return undefined;
      throw error;
    }
    const path = this.#rawPath(made.address, made.serial);
    try {
      this.transaction.run((tx) => tx.write(made.address + root.d, made.serial));
      step();
      removeFile(path);
      const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
      try {
        step();
        reserve(fd, bytes, path);
        step();
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      this.release(made.address);
      throw error;
    }
    return made;
  }

  /** Where raw memory lies: in an extent, or in a file of its own. The caller holds the object. */
  raw(at: RootAddress): { bytes: number; pooled: { map: MemoryMap; offset: number } | undefined } {
    const bytes =
      this.memory.load(at.address + root.b) + 0x4000_0000 * Math.max(0, this.memory.load(at.address + root.c) - 1);
    const block = this.memory.load(at.address + root.a);
    if (block === 0) return { bytes, pooled: undefined };
    const offset = (block & EXTENT_MASK) * WORD_BYTES;
    const map = this.memory.extent(block >>> EXTENT_SHIFT);
    if (bytes < 0 || offset + bytes > map.buffer.byteLength) throw new CorruptSegmentError('Raw memory lies outside.');
    return { bytes, pooled: { map, offset } };
  }

  /** Maps raw memory that has a file of its own. */
  mapRaw(at: RootAddress, bytes: number, released: () => void): MemoryMap {
    const path = this.#rawPath(at.address, this.memory.load(at.address + root.d));
    const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = openFileFacts(fd);
      if (!facts.regular || facts.bytes < bytes) throw new CorruptSegmentError(`The file '${path}' is too short.`);
      return mapShared(fd, bytes, { released, lockless: true });
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Lets go of what is dying: a little now, the rest in later turns of the loop, so that dropping a large container is not
   * felt. Should this process end before, others go on with it.
   */
  buryAny(): void {
    for (let i = 0; this.memory.segment[header.dying] !== 0 && i < BURIALS_AT_ONCE; i++) if (!this.#buryPart()) return;
    if (this.memory.segment[header.dying] !== 0) this.#buryLater();
    else if (this.memory.segment[header.reserve] === 0 && this.memory.extentCount > 1) this.#keepBack();
  }

  /** Lets go of the contents of objects that have ended, for at most so many ms. */
  bury(forMs = Number.POSITIVE_INFINITY): void {
    const start = performance.now();
    while (this.#buryPart()) if (performance.now() - start > forMs) return;
  }

  /** @returns whether there was something to do. */
  #buryPart(reaping?: number): boolean {
    const part = this.transaction.run(buryPart, reaping);
    if (part === 'nothing') return false;
    if (part === 'more') return true;
    step();
    // Idempotent, and the name is no other object's: it carries the serial.
    removeFile(this.#rawPath(part.address, part.file));
    this.transaction.run((tx) => buryFile(tx, part), reaping);
    return true;
  }

  #buryLater(): void {
    if (this.#burying) return;
    this.#burying = true;
    setImmediate(() => {
      this.#burying = false;
      if (this.#left) return;
      try {
        this.bury(BURIAL_MS);
        if (this.memory.segment[header.dying] !== 0) this.#buryLater();
      } catch (error) {
        if (!(error instanceof MultiprocessError) && errorCode(error) === undefined) throw error;
      }
    }).unref();
  }

  /** For an allocation that found none: first what the dead have left, then another extent. @returns whether it is that. */
  #makeRoom({ kind, pages }: NeedsRoom, reaping: number | undefined): boolean {
    let buried = 0;
    while (buried < BURIALS_FOR_ROOM && this.memory.segment[header.dying] !== 0 && this.#buryPart(reaping)) buried += 1;
    if (buried > 0) return false;
    const pathOf = (index: number | string) => extentPath(this.id, this.nonce, index);
    if (kind === undefined) throw beyondLimit(this.memory, pathOf('raw'));
    growHeap(this.transaction, kind, pages, pathOf);
    this.#keepBack(reaping, pages);
    return true;
  }

  /** @param needed free pages to be left, for whom the heap has just grown. */
  #keepBack(reaping?: number, needed = 0): void {
    const { segment, extentCount } = this.memory;
    if (segment[header.reserve] !== 0) return;
    const last = EXTENT_TABLE + (extentCount - 1) * EXTENT_ENTRY_WORDS;
    const free = segment[last + extentEntry.freePages]!;
    if (needed > 0 && (segment[last + extentEntry.kind] !== extentKind.structure || free < needed + RESERVE_PAGES))
      return;
    this.transaction.run(fillReserve, reaping);
  }

  /** Drops what heaps that are gone have referred to. */
  dropGoneReferences(isGone: (heap: ForeignHeap) => boolean): void {
    for (const heap of this.transaction.run(foreignHeaps)) {
      if (isGone(heap)) while (this.transaction.run((tx) => dropOneOf(tx, heap)));
    }
  }

  /** Looks at some of the other participants, and reaps the dead among them. */
  lookAround(count = LOOK_AT_ONCE): void {
    for (const index of this.participant.others(count)) if (!this.participant.isAlive(index)) this.#reapQuietly(index);
    if (!this.transaction.open) this.buryAny();
  }

  #rawPath(address: number, serial: number): string {
    return extentPath(this.id, this.nonce, `raw-${address.toString(36)}-${serial.toString(36)}`);
  }

  /** A reaper that lacks a descriptor or memory lets it be: another one, or a later look, does it. */
  #reapQuietly(index: number): void {
    try {
      reap(this.transaction, this.participant, index);
    } catch (error) {
      if (error instanceof MultiprocessError) throw error;
    }
  }

  #tick(): void {
    try {
      this.transaction.settle();
      for (const listener of this.onTick) listener();
      this.lookAround();
      if (!this.transaction.open) this.#keepBack();
    } catch (error) {
      // A timer has nobody to tell; the next operation meets the same and throws it.
      if (!(error instanceof MultiprocessError) && errorCode(error) === undefined) throw error;
    }
  }
}
