import { closeSync } from 'node:fs';
import { ClosedError, TooManyParticipantsError } from '../errors/index.js';
import { isLockedByOther, openFileFacts, tryLockFile, unlockFile } from '../os/index.js';
import { atomicAdd, atomicLoad, atomicStore } from './doors.js';
import { Journal } from './journal.js';
import {
  GENERATION_SHIFT,
  generationOfToken,
  header,
  MAX_GENERATION,
  MAX_SLOTS,
  slot,
  slotBase,
  slotOfToken,
  slotState,
  tokenOf,
} from './layout.js';
import type { HeapMemory } from './memory.js';
import { GATE_BYTE, type OpenSegment, SLOT_BYTES } from './segment.js';

// Who takes part in a heap, and who of them is alive.
//
// A participant is a JavaScript environment: a process's main thread or one of its workers. It holds the byte of its slot
// by an open-file-description lock, so the kernel says whether it lives: PIDs are used again and mean nothing in another
// container. A slot's generation changes with each participant, so a token (slot and generation) is one participant for
// ever, as far as 2 097 151 generations go.
//
//   free   nobody's; its last participant has left, or has been reaped
//   live   somebody's as long as the byte is held; a death otherwise

const STATE_MASK = (1 << GENERATION_SHIFT) - 1;

export class Participant {
  readonly fd: number;
  readonly slot: number;
  readonly token: number;
  readonly journal: Journal;
  readonly #memory: HeapMemory;
  readonly inode: bigint;
  readonly #stateAt: number;
  readonly #state: number;
  readonly #reaping: number[] = [];
  #lastLookedAt: number;

  /** @param taken the slot whose byte the segment's descriptor holds. */
  constructor(memory: HeapMemory, segment: Pick<OpenSegment, 'fd' | 'inode'>, taken: JoinedSlot) {
    this.#memory = memory;
    this.fd = segment.fd;
    this.inode = segment.inode;
    this.slot = taken.index;
    this.token = tokenOf(taken.index, taken.generation);
    this.journal = new Journal(memory, taken.index);
    this.#stateAt = slotBase(taken.index) + slot.state;
    this.#state = (taken.generation << GENERATION_SHIFT) | slotState.live;
    this.#lastLookedAt = taken.index;
  }

  /** Whether others still take this environment for alive. */
  get valid(): boolean {
    return this.#memory.segment[this.#stateAt] === this.#state;
  }

  /** @throws ClosedError when this environment has been declared dead, or has left: then it must not write any more. */
  check(): void {
    if (this.#memory.segment[this.#stateAt] !== this.#state) {
      throw new ClosedError(
        'This thread takes no part in the heap any more. Either it is ending, or the descriptor that proved it alive was ' +
          'closed by other code, and its locks have been given to others.',
      );
    }
  }

  /** Makes known whose slot it is that somebody else has taken for this environment. */
  enter(): void {
    atomicStore(this.#memory.segment, slotBase(this.slot) + slot.pid, process.pid);
  }

  /** Nobody hands anything over to this environment from here on. */
  close(): void {
    atomicStore(this.#memory.segment, slotBase(this.slot) + slot.closed, this.#state >>> GENERATION_SHIFT);
  }

  /** Whether that participant is there, dead or alive, and takes arrivals. Says so for good under the roots lock only. */
  takesArrivals(token: number): boolean {
    const base = slotBase(slotOfToken(token));
    const { segment } = this.#memory;
    const generation = generationOfToken(token);
    return (
      atomicLoad(segment, base + slot.state) === ((generation << GENERATION_SHIFT) | slotState.live) &&
      atomicLoad(segment, base + slot.closed) !== generation
    );
  }

  /**
   * Ends this participant.
   *
   * @param settled whether nothing of it is left: then one store makes it an orderly end. Killed before it, or without it,
   * this was a death.
   */
  leave(settled: boolean): void {
    const generation = nextGeneration(this.#state >>> GENERATION_SHIFT);
    if (settled && this.valid)
      atomicStore(this.#memory.segment, this.#stateAt, (generation << GENERATION_SHIFT) | slotState.free);
    closeSync(this.fd);
  }

  /**
   * Whether the participant with that token will never release anything again, nor write anything more, and its unfinished
   * transaction has been undone: only then may a lock be taken from it.
   *
   * @param mayProbe whether to ask the kernel, which takes about a microsecond, and to undo; otherwise tells what is known.
   */
  isGone(token: number, mayProbe: boolean): boolean {
    const index = slotOfToken(token);
    const generation = generationOfToken(token);
    const base = slotBase(index);
    const { segment } = this.#memory;
    const state = atomicLoad(segment, base + slot.state);
    if (state >>> GENERATION_SHIFT !== generation) return true; // its successor was admitted after its roll-back
    if ((state & STATE_MASK) !== slotState.live) return true;
    if (atomicLoad(segment, base + slot.rolledBack) === generation) return true;
    if (!mayProbe || index === this.slot || this.isAlive(index)) return false;
    this.reap?.(index);
    return (
      atomicLoad(segment, base + slot.rolledBack) === generation ||
      atomicLoad(segment, base + slot.state) >>> GENERATION_SHIFT !== generation
    );
  }

  /** Set by the reaper, which stands on this. */
  reap: ((index: number) => void) | undefined;

  /** Asks the kernel whether somebody holds the slot's byte. */
  isAlive(index: number): boolean {
    if (isLockedByOther(this.fd, SLOT_BYTES + BigInt(index))) return true;
    // Nobody is declared dead by a descriptor that is not what it was.
    this.#checkDescriptor();
    return false;
  }

  /**
   * The exclusive right to reap a slot; fails while its owner lives or another reaps it. Noted before it is taken, and until
   * it has been given back: kept by a reaper that was cut short, the byte would make the dead look alive to all others.
   */
  tryLock(index: number): boolean {
    this.#checkDescriptor();
    this.#reaping.push(index);
    if (tryLockFile(this.fd, 'exclusive', SLOT_BYTES + BigInt(index))) return true;
    this.#reaping.pop();
    return false;
  }

  unlock(index: number): void {
    try {
      unlockFile(this.fd, SLOT_BYTES + BigInt(index));
    } finally {
      const noted = this.#reaping.lastIndexOf(index);
      if (noted >= 0) this.#reaping.splice(noted, 1);
    }
  }

  /** Gives back the bytes of slots that were being reaped when JavaScript was cut short; `except` is being reaped still. */
  stopReaping(except: number | undefined): void {
    if (this.#reaping.length === 0) return;
    for (const index of this.#reaping.filter((noted) => noted !== except)) this.unlock(index);
  }

  /** The next few slots that are live by their word, in turn, so that in time each is looked at. */
  *others(count: number): Generator<number> {
    const { segment } = this.#memory;
    for (let looked = 0, found = 0; looked < MAX_SLOTS && found < count; looked++) {
      this.#lastLookedAt = (this.#lastLookedAt + 1) % MAX_SLOTS;
      const state = segment[slotBase(this.#lastLookedAt) + slot.state]!;
      if ((state & STATE_MASK) === slotState.free || this.#lastLookedAt === this.slot) continue;
      found += 1;
      yield this.#lastLookedAt;
    }
  }

  #checkDescriptor(): void {
    let inode: bigint | undefined;
    try {
      inode = openFileFacts(this.fd).inode;
    } catch {}
    if (inode === this.inode) return;
    // From here on nothing is written: `check` throws because the state no longer is what it was, once others notice; and
    // this throws at once.
    throw new ClosedError('The descriptor that proved this thread alive was closed by other code.');
  }
}

export interface JoinedSlot {
  readonly index: number;
  readonly generation: number;
}

/**
 * Takes a slot. The gate is held, or somebody takes part who stays for as long: so the heap is not swept meanwhile.
 *
 * @returns also whether it was a dead one's, whose estate is to be settled first.
 * @throws TooManyParticipantsError when all are taken by the living.
 */
export function takeSlot(memory: HeapMemory, fd: number): JoinedSlot & { readonly inheritsEstate: boolean } {
  const { segment } = memory;
  const start = atomicAdd(segment, header.nextSlot, 1) >>> 0;
  for (const wanted of ['free', 'any'] as const) {
    for (let i = 0; i < MAX_SLOTS; i++) {
      const index = (start + i) % MAX_SLOTS;
      const stateAt = slotBase(index) + slot.state;
      const isFree = (segment[stateAt]! & STATE_MASK) === slotState.free;
      if (isFree !== (wanted === 'free') || !tryLockFile(fd, 'exclusive', SLOT_BYTES + BigInt(index))) continue;
      const state = atomicLoad(segment, stateAt);
      // Looked at again under the byte: another may have had it meanwhile, and died.
      if (wanted === 'free' && (state & STATE_MASK) !== slotState.free) {
        unlockFile(fd, SLOT_BYTES + BigInt(index));
        continue;
      }
      let generation = state >>> GENERATION_SHIFT;
      let inheritsEstate = false;
      if ((state & STATE_MASK) !== slotState.free) {
        // Its owner is dead. Undone, its locks may be taken; its holds become the joiner's to let go of.
        new Journal(memory, index).rollBack();
        atomicStore(segment, slotBase(index) + slot.rolledBack, generation);
        generation = nextGeneration(generation);
        inheritsEstate = true;
      }
      if (generation < 1 || generation > MAX_GENERATION) generation = 1; // a new heap begins with zeros
      atomicStore(segment, slotBase(index) + slot.pid, process.pid);
      atomicStore(segment, stateAt, (generation << GENERATION_SHIFT) | slotState.live);
      return { index, generation, inheritsEstate };
    }
  }
  throw new TooManyParticipantsError(
    `All ${MAX_SLOTS} places of this heap are taken by living processes and worker threads. End some, or share less widely.`,
  );
}

export function leaveGate(fd: number): void {
  unlockFile(fd, GATE_BYTE);
}

export function nextGeneration(generation: number): number {
  return generation >= MAX_GENERATION ? 1 : generation + 1;
}
