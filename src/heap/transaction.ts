import { CorruptSegmentError } from '../errors/index.js';
import { errorCode } from '../os/index.js';
import { atomicLoad, atomicStore, step } from './doors.js';
import type { InternalLocks } from './internal-lock.js';
import { EXTENT_MASK, EXTENT_SHIFT, header, LOG_CAPACITY, root } from './layout.js';
import type { HeapMemory } from './memory.js';
import { NeedsRoom } from './needs-room.js';
import type { Participant } from './participants.js';
import { wake } from './sleep.js';

const MOST_GROWTHS = 64;
/** What freeing one block logs at most. */
const FREE_WORDS = 10;
const EVERYBODY = 0x7fff_ffff;

/**
 * One change of shared structure, seen by others entirely or not at all, also when this process is killed in the middle.
 *
 * Locks are taken in one order (object, roots, allocator) and kept until after the commit. Nothing waits in here but for
 * them: no user code, no sleep, and values are encoded before.
 */
export class Transaction {
  readonly memory: HeapMemory;
  readonly participant: Participant;
  readonly locks: InternalLocks;
  readonly #frees: number[] = [];
  readonly #sequences: number[] = [];
  readonly #wakes: number[] = [];
  readonly #afterwards: (() => void)[] = [];
  readonly #makeRoom: (needed: NeedsRoom, reaping: number | undefined) => boolean;
  #freeBlock: ((tx: Transaction, address: number) => void) | undefined;
  #open = false;
  #maySpendReserve = false;

  constructor(
    memory: HeapMemory,
    participant: Participant,
    locks: InternalLocks,
    makeRoom: (needed: NeedsRoom, reaping: number | undefined) => boolean,
  ) {
    this.memory = memory;
    this.participant = participant;
    this.locks = locks;
    this.#makeRoom = makeRoom;
  }

  /** The allocator stands on transactions, so it is introduced afterwards. */
  freeBlocksWith(free: (tx: Transaction, address: number) => void): void {
    this.#freeBlock = free;
  }

  get maySpendReserve(): boolean {
    return this.#maySpendReserve;
  }

  get open(): boolean {
    return this.#open;
  }

  /**
   * Runs `body`, which may be run again from the start when memory had to be made for it.
   *
   * @param reaping the slot whose estate this is about, if any: its byte is kept.
   * @param makesRoom whether it frees more than it takes: then it may take what is kept back for such, if there is nothing else.
   * @throws whatever `body` throws, with nothing changed.
   */
  run<T>(body: (tx: Transaction) => T, reaping?: number, makesRoom = false): T {
    let spends = false;
    for (let growths = 0; ; ) {
      this.settle(reaping);
      this.participant.check();
      this.#open = true;
      this.#maySpendReserve = spends;
      try {
        const result = body(this);
        this.#commit();
        return result;
      } catch (error) {
        this.settle(reaping);
        if (!(error instanceof NeedsRoom)) throw error;
        if (growths >= MOST_GROWTHS)
          throw new CorruptSegmentError('A heap that grows and grows has no room all the same.');
        try {
          if (this.#makeRoom(error, reaping)) growths += 1;
        } catch (refusal) {
          if (!makesRoom || spends || errorCode(refusal) !== 'ENOSPC') throw refusal;
          spends = true;
        }
      }
    }
  }

  /**
   * Finishes what JavaScript that was cut short has left: undoes an unfinished transaction and lets go of its locks, and of
   * the bytes of the dead that it was reaping. Called before every transaction and every wait, and from a timer.
   */
  settle(reaping?: number): void {
    this.participant.stopReaping(reaping);
    if (!this.#open && !this.locks.anyHeld) return;
    // Declared dead, the log is not ours any more; the locks have been taken from us or will be.
    try {
      if (this.participant.valid) this.participant.journal.rollBack();
    } finally {
      // Even if the log makes no sense: others meet that as an error, not as a lock that nobody will ever let go of.
      this.#finish();
    }
  }

  /** How many more words this transaction can log, with those taken off that its frees will log. */
  get room(): number {
    return LOG_CAPACITY - this.participant.journal.length - FREE_WORDS * this.#frees.length;
  }

  lockObject(address: number): void {
    insideExtents(address);
    this.locks.acquire(address + root.lock);
    const words = this.memory.at(address);
    const at = (address & EXTENT_MASK) + root.sequence;
    // Odd while words change. One left odd by somebody who died is odd still, and is made even on leaving. Readers on arm64
    // must see it odd before any word changes: an atomic store and an atomic load keep that order there.
    this.#sequences.push(address);
    atomicStore(words, at, (words[at]! + 1) | 1);
    atomicLoad(words, at);
  }

  lockRoots(): void {
    if (this.locks.isHeld(header.rootsLock)) return;
    // The one order, in which nobody waits for somebody who waits for him.
    if (this.locks.isHeld(header.allocatorLock))
      throw new Error('The roots lock is to be taken before the allocator lock.');
    this.locks.acquire(header.rootsLock);
  }

  /** Whether references can be counted now. */
  get hasRootsLock(): boolean {
    return this.locks.isHeld(header.rootsLock);
  }

  lockAllocator(): void {
    if (!this.locks.isHeld(header.allocatorLock)) this.locks.acquire(header.allocatorLock);
  }

  read(address: number): number {
    return this.memory.load(address);
  }

  write(address: number, value: number): void {
    this.participant.journal.write(address, value);
  }

  /** Writes the first `count` of these words, one behind the other, as `write` does. */
  writeAll(address: number, source: Int32Array, count: number): void {
    this.participant.journal.writeAll(address, source, count);
  }

  /** Fills a block that nobody else can reach yet: it needs no log, because undoing makes it free. */
  fill(address: number, ...values: number[]): void {
    insideExtents(address);
    const words = this.memory.at(address);
    const index = address & EXTENT_MASK;
    for (let i = 0; i < values.length; i++) {
      step();
      words[index + i] = values[i]!;
    }
  }

  /** Frees a block at the end, after all that this transaction allocates: so undoing never meets its payload overwritten. */
  free(address: number): void {
    this.#frees.push(address);
  }

  /** Wakes all that sleep on a futex word, once this has happened. The word has been bumped, so those who come too late do not sleep. */
  wakeAfterwards(address: number): void {
    this.#wakes.push(address);
  }

  /**
   * Does something outside of this heap, once this has happened. Killed in between, it is not done, so it may only be what
   * can be left undone, such as letting go of an object in another heap.
   */
  afterwards(action: () => void): void {
    this.#afterwards.push(action);
  }

  #commit(): void {
    if (this.#frees.length > 0) {
      this.lockAllocator();
      for (const address of this.#frees) this.#freeBlock!(this, address);
    }
    this.participant.journal.commit();
    const wakes = this.#wakes.length > 0 ? this.#wakes.splice(0) : undefined;
    const actions = this.#afterwards.length > 0 ? this.#afterwards.splice(0) : undefined;
    this.#finish();
    // Only tells the kernel: the word may be another object's by now.
    if (wakes !== undefined) for (const address of wakes) wake(this.memory, address, EVERYBODY);
    if (actions !== undefined) for (const action of actions) action();
  }

  #finish(): void {
    // Setting a length takes 25 ns even when it was that already.
    if (this.#frees.length > 0) this.#frees.length = 0;
    if (this.#wakes.length > 0) this.#wakes.length = 0;
    if (this.#afterwards.length > 0) this.#afterwards.length = 0;
    // Even before the object's lock is let go of: whoever has the lock may rely on it.
    while (this.#sequences.length > 0) {
      this.#makeEven(this.#sequences[this.#sequences.length - 1]!);
      this.#sequences.pop();
    }
    this.locks.releaseAll();
    this.#open = false;
  }

  /** Idempotent: JavaScript that is cut short in here does it again. */
  #makeEven(address: number): void {
    if (!this.locks.isHeld(address + root.lock) || !this.participant.valid) return;
    const words = this.memory.at(address);
    const at = (address & EXTENT_MASK) + root.sequence;
    atomicStore(words, at, (words[at]! + 1) & ~1);
  }
}

/** Roots and blocks lie in extents; what seems to be one in the segment comes from a pointer that hostile bytes have made 0. */
function insideExtents(address: number): void {
  if (address >>> EXTENT_SHIFT === 0) {
    throw new CorruptSegmentError(`A heap refers to an object at word ${address}, where none can be.`);
  }
}

const READ_ATTEMPTS = 64;
const privateWord = new Int32Array(1);

/**
 * Reads an object without a lock and without a store that others would notice: `body` copies out what it needs, and its
 * result counts only when nothing has changed meanwhile. After 64 attempts it takes the lock as a writer does.
 *
 * What `body` throws on words that were changing is not thrown; on words that stood still it is.
 */
export function readConsistently<T>(tx: Transaction, address: number, body: (tx: Transaction) => T): T {
  const words = tx.memory.at(address);
  const at = (address & EXTENT_MASK) + root.sequence;
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    const before = atomicLoad(words, at);
    if (before & 1) continue;
    let result: T | undefined;
    let failure: unknown;
    let failed = false;
    try {
      result = body(tx);
    } catch (error) {
      failed = true;
      failure = error;
    }
    // arm64 may load the closing sequence before the plain loads above; this store between them keeps their order.
    Atomics.store(privateWord, 0, 0);
    if (atomicLoad(words, at) !== before) continue;
    if (failed && !(failure instanceof CorruptSegmentError)) throw failure;
    if (!failed) return result as T;
    break; // stood still and makes no sense: the writer's look decides
  }
  return tx.run(() => {
    tx.lockObject(address);
    return body(tx);
  });
}
