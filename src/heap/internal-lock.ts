import { CorruptSegmentError } from '../errors/index.js';
import { atomicLoad, compareExchange } from './doors.js';
import { EXTENT_MASK, TOKEN_MASK, WAITERS } from './layout.js';
import type { HeapMemory } from './memory.js';
import type { Participant } from './participants.js';
import { OWNED_SLICE_MS, sleepWhile, spinWhile, wake } from './sleep.js';

// Locks that guard shared structure, held for a transaction at most. A word: 0, or the owner's token and a bit that says
// that somebody may sleep on it.
//
// A lock of the dead is taken from them only once their transaction has been undone (Participant.isGone): whoever has the
// lock finds the structure as it was before or after every transaction, never within one.
//
// `held` lists what this environment holds, each entered before its word is taken: JavaScript that is cut short between two
// instructions (a `vm` timeout) leaves a list that is at most too long, and `releaseAll` lets go of what is really its own.

export class InternalLocks {
  readonly #memory: HeapMemory;
  readonly #participant: Participant;
  readonly #held: number[] = [];

  constructor(memory: HeapMemory, participant: Participant) {
    this.#memory = memory;
    this.#participant = participant;
  }

  get anyHeld(): boolean {
    return this.#held.length > 0;
  }

  isHeld(address: number): boolean {
    return this.#held.includes(address);
  }

  /** Waits as long as it takes: owners hold for microseconds, and the dead are noticed within a slice. */
  acquire(address: number): void {
    const words = this.#memory.at(address);
    this.#held.push(address);
    const { token } = this.#participant;
    if (compareExchange(words, address & EXTENT_MASK, 0, token) === 0) return;
    this.#acquireSlowly(address, words, address & EXTENT_MASK, token);
  }

  #acquireSlowly(address: number, words: Int32Array, index: number, token: number): void {
    let mark = 0;
    let slept = false;
    for (;;) {
      const seen = atomicLoad(words, index);
      const owner = seen & TOKEN_MASK;
      if (owner === 0 || (owner !== token && this.#participant.isGone(owner, false))) {
        // Who has slept cannot know whether others still do, so it leaves the bit for them.
        if (compareExchange(words, index, seen, token | mark | (seen & WAITERS)) === seen) return;
        continue;
      }
      if (owner === token) {
        this.#held.pop();
        throw new CorruptSegmentError('A lock of the heap says that this thread holds it, which it does not.');
      }
      if (!slept && spinWhile(words, index, seen)) continue;
      // Undoes the owner's transaction if it is dead; may be done within a transaction of one's own.
      if (this.#participant.isGone(owner, true)) continue;
      mark = WAITERS;
      const marked = seen | WAITERS;
      if (seen !== marked && compareExchange(words, index, seen, marked) !== seen) continue;
      sleepWhile(this.#memory, address, marked, OWNED_SLICE_MS, Number.POSITIVE_INFINITY);
      slept = true;
    }
  }

  /** Lets go of the lock taken last. */
  release(): void {
    const address = this.#held[this.#held.length - 1]!;
    this.#letGo(address);
    this.#held.pop();
  }

  /** Lets go of everything that is held, or was noted and then not taken. */
  releaseAll(): void {
    while (this.#held.length > 0) this.release();
  }

  #letGo(address: number): void {
    const words = this.#memory.at(address);
    const index = address & EXTENT_MASK;
    const { token } = this.#participant;
    let seen = compareExchange(words, index, token, 0);
    if (seen === token) return;
    while ((seen & TOKEN_MASK) === token) {
      const now = compareExchange(words, index, seen, 0);
      if (now === seen) {
        wake(this.#memory, address, 1);
        return;
      }
      seen = now;
    }
  }
}
