import {
  atomicLoad,
  compareExchange,
  type Heap,
  RESERVED,
  type RootAddress,
  step,
  TOKEN_MASK,
  WAITERS,
  wake,
} from '../heap/internal.js';
import { type Attempt, TakeWord } from './take-word.js';

// A user's lock is one word: 0, or the owner's token, with the two bits of every word that is taken (take-word.ts).
//
// The owner is an environment, a process's main thread or one of its workers. Exclusion: the word has one token, and only
// its owner replaces it, or somebody else once the owner is dead and whatever it had unfinished is undone. A process that
// is merely frozen is alive and keeps its lock.

export class LockWord extends TakeWord {
  /** Whether the environment that had the lock before the present or last owner here died with it. */
  ownerDied = false;
  readonly #token: number;

  constructor(heap: Heap, at: RootAddress, word?: number) {
    super(heap, at, word);
    this.#token = heap.participant.token;
  }

  /** Whether this environment has the lock. */
  get isOwn(): boolean {
    return (Atomics.load(this.words, this.index) & TOKEN_MASK) === this.#token && this.heap.participant.valid;
  }

  /** The same without an atomic load, and without asking whether this environment has been declared dead. */
  get looksOwn(): boolean {
    return (this.words[this.index]! & TOKEN_MASK) === this.#token;
  }

  /** Whether some living environment has the lock, as far as is known. */
  get isTaken(): boolean {
    const owner = Atomics.load(this.words, this.index) & TOKEN_MASK;
    return owner !== 0 && !this.heap.participant.isGone(owner, false);
  }

  /** The fast path: a lock that nobody has and nobody waits for. */
  takeFree(): boolean {
    this.check();
    if (compareExchange(this.words, this.index, 0, this.#token) !== 0) return false;
    this.ownerDied = false;
    return true;
  }

  attempt(mark: number, pushy: boolean): Attempt {
    for (;;) {
      const seen = atomicLoad(this.words, this.index);
      const owner = seen & TOKEN_MASK;
      if (owner === this.#token) return 'own';
      const died = owner !== 0;
      if (died && !this.heap.participant.isGone(owner, false)) return 'busy';
      if (!died && seen & RESERVED && !pushy) return 'reserved';
      // Whoever takes the word clears the reservation.
      if (compareExchange(this.words, this.index, seen, this.#token | mark | (seen & WAITERS)) !== seen) continue;
      this.ownerDied = died;
      return 'taken';
    }
  }

  protected isFree(seen: number): boolean {
    return (seen & TOKEN_MASK) === 0;
  }

  protected askAfterOwners(): void {
    const owner = atomicLoad(this.words, this.index) & TOKEN_MASK;
    if (owner !== 0 && owner !== this.#token) this.heap.participant.isGone(owner, true);
  }

  /** @returns false when this environment does not have the lock. */
  release(): boolean {
    let seen = compareExchange(this.words, this.index, this.#token, 0);
    if (seen === this.#token) return true;
    while ((seen & TOKEN_MASK) === this.#token) {
      // Reserved, it stays marked, so that newcomers see it.
      const found = compareExchange(this.words, this.index, seen, seen & RESERVED ? RESERVED | WAITERS : 0);
      if (found === seen) {
        step();
        wake(this.heap.memory, this.address, 1);
        return true;
      }
      seen = found;
    }
    return false;
  }
}
