import {
  atomicLoad,
  compareExchange,
  EXTENT_MASK,
  type Heap,
  nap,
  now,
  OWNED_SLICE_MS,
  RESERVED,
  type RootAddress,
  root,
  sleepWhile,
  spinBudget,
  spinWhile,
  stale,
  step,
  TOKEN_MASK,
  WAITERS,
  wake,
} from '../heap/internal.js';

// A user's lock is one word: 0, or the owner's token with two bits.
//
//   WAITERS   somebody may be asleep on the word: whoever lets go of it wakes one
//   RESERVED  somebody who slept has waited for long: after the next release newcomers stand back for a while
//
// The owner is an environment, a process's main thread or one of its workers. Exclusion: the word has one token, and only
// its owner replaces it, or somebody else once the owner is dead and whatever it had unfinished is undone. A process that
// is merely frozen is alive and keeps its lock.
//
// A process that dies between letting go and waking leaves a sleeper asleep, for a slice at most. One that was woken and
// dies before it takes the lock has used up a wake-up: again a slice. Who has slept takes the word with WAITERS set, since
// it cannot know whether others sleep still.

/** How long a waiter stands in line before it asks for a reservation. */
const STARVED_MS = 5;
/** How long newcomers stand back from a free but reserved lock. */
const RESERVATION_MS = 2;
const NAP_MS = 0.2;
const LOOK_MS = 50;
const COLD_SPIN = 1 / 16;

export type Attempt = 'taken' | 'busy' | 'reserved' | 'own';

export class LockWord {
  readonly heap: Heap;
  readonly at: RootAddress;
  /** Whether the environment that had the lock before the present or last owner here died with it. */
  ownerDied = false;
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #serialIndex: number;
  readonly #serial: number;
  readonly #token: number;
  #spin = spinBudget();
  #lastLook = Number.NEGATIVE_INFINITY;

  constructor(heap: Heap, at: RootAddress) {
    this.heap = heap;
    this.at = at;
    this.#words = heap.memory.at(at.address);
    this.#index = (at.address + root.lock) & EXTENT_MASK;
    this.#serialIndex = (at.address + root.serial) & EXTENT_MASK;
    this.#serial = at.serial;
    this.#token = heap.participant.token;
  }

  get address(): number {
    return this.at.address + root.lock;
  }

  /** Whether this environment has the lock. */
  get isOwn(): boolean {
    return (Atomics.load(this.#words, this.#index) & TOKEN_MASK) === this.#token && this.heap.participant.valid;
  }

  get disposed(): boolean {
    return this.#words[this.#serialIndex] !== this.#serial;
  }

  /** Whether some living environment has the lock, as far as is known. */
  get isTaken(): boolean {
    const owner = Atomics.load(this.#words, this.#index) & TOKEN_MASK;
    return owner !== 0 && !this.heap.participant.isGone(owner, false);
  }

  /** @throws StaleHandleError when the lock has been disposed of; ClosedError when this environment was declared dead. */
  check(): void {
    if (this.#words[this.#serialIndex] !== this.#serial) throw stale();
    this.heap.participant.check();
  }

  /** The fast path: a lock that nobody has and nobody waits for. */
  takeFree(): boolean {
    this.check();
    if (compareExchange(this.#words, this.#index, 0, this.#token) !== 0) return false;
    this.ownerDied = false;
    return true;
  }

  /**
   * Tries once.
   *
   * @param mark WAITERS for who has slept on the word, else 0.
   * @param pushy whether to take a lock that is reserved for those who have waited longer.
   */
  attempt(mark: number, pushy: boolean): Attempt {
    for (;;) {
      const seen = atomicLoad(this.#words, this.#index);
      const owner = seen & TOKEN_MASK;
      if (owner === this.#token) return 'own';
      const died = owner !== 0;
      if (died && !this.heap.participant.isGone(owner, false)) return 'busy';
      if (!died && seen & RESERVED && !pushy) return 'reserved';
      // Whoever takes the word clears the reservation.
      if (compareExchange(this.#words, this.#index, seen, this.#token | mark | (seen & WAITERS)) !== seen) continue;
      this.ownerDied = died;
      return 'taken';
    }
  }

  /** Waits, blocking this thread. @returns whether the lock was taken in time. */
  takeSync(timeout: number): boolean {
    const started = now();
    const deadline = started + timeout;
    let slept = false;
    let reservedSince = Number.POSITIVE_INFINITY;
    for (;;) {
      const clock = now();
      const outcome = this.attempt(slept ? WAITERS : 0, slept || clock - reservedSince >= RESERVATION_MS);
      if (outcome === 'taken') return true;
      this.check();
      if (clock >= deadline) {
        if (slept) this.passOn();
        return false;
      }
      const seen = atomicLoad(this.#words, this.#index);
      if (outcome === 'reserved') {
        if (reservedSince === Number.POSITIVE_INFINITY) reservedSince = clock;
        // Nobody is asked to wake us: whoever it is reserved for takes it soon, or the time is over. It may be waiting for
        // the very processor that we would burn, so after a first look this thread sleeps; not on the lock's word, where it
        // could use up a wake-up that is for another.
        if (spinWhile(this.#words, this.#index, seen, spinBudget()) < spinBudget()) continue;
        nap(Math.min(NAP_MS, deadline - clock));
        continue;
      }
      if ((seen & TOKEN_MASK) === 0) continue;
      if (!slept && this.#spinFor(seen)) continue;
      this.lookAround();
      const marked = this.prepareSleep(clock - started >= STARVED_MS);
      if (marked === undefined) continue;
      // A child's death comes as a signal: no need to wait for the next look.
      if (sleepAWhile(this.heap, this.address, marked, deadline)) this.#lastLook = Number.NEGATIVE_INFINITY;
      slept = true;
    }
  }

  /**
   * Makes the word say that somebody sleeps on it.
   *
   * @returns the word's value to sleep on; undefined when the lock is free, or changed just now.
   */
  prepareSleep(starved: boolean): number | undefined {
    const seen = atomicLoad(this.#words, this.#index);
    if ((seen & TOKEN_MASK) === 0) return undefined;
    const marked = seen | WAITERS | (starved ? RESERVED : 0);
    if (seen !== marked && compareExchange(this.#words, this.#index, seen, marked) !== seen) return undefined;
    return marked;
  }

  /** Finishes what was left here, and at most once in 50 ms asks whether the owner lives, and some of the others. */
  lookAround(): void {
    this.heap.transaction.settle();
    const clock = now();
    if (clock - this.#lastLook < LOOK_MS) return;
    this.#lastLook = clock;
    const owner = atomicLoad(this.#words, this.#index) & TOKEN_MASK;
    if (owner !== 0 && owner !== this.#token) this.heap.participant.isGone(owner, true);
    this.heap.lookAround(2);
  }

  /** A wake-up that was for us, and is not used, goes to another. */
  passOn(): void {
    if (atomicLoad(this.#words, this.#index) !== this.#token) wake(this.heap.memory, this.address, 1);
  }

  /** @returns false when this environment does not have the lock. */
  release(): boolean {
    let seen = compareExchange(this.#words, this.#index, this.#token, 0);
    if (seen === this.#token) return true;
    while ((seen & TOKEN_MASK) === this.#token) {
      // Reserved, it stays marked, so that newcomers see it.
      const found = compareExchange(this.#words, this.#index, seen, seen & RESERVED ? RESERVED | WAITERS : 0);
      if (found === seen) {
        step();
        wake(this.heap.memory, this.address, 1);
        return true;
      }
      seen = found;
    }
    return false;
  }

  /** Looks without a system call for about as long as it took to be worth it before. */
  #spinFor(seen: number): boolean {
    const budget = spinBudget();
    if (budget === 0) return false;
    const rounds = spinWhile(this.#words, this.#index, seen, this.#spin);
    if (rounds < this.#spin) {
      this.#spin = Math.min(budget, this.#spin + rounds / 4);
      return true;
    }
    this.#spin = Math.max(budget * COLD_SPIN, this.#spin * 0.75);
    return false;
  }

  /** A short look, for those who must not block: one or two microseconds. */
  glance(): void {
    spinWhile(this.#words, this.#index, atomicLoad(this.#words, this.#index), spinBudget() / 12);
  }
}

/** One slice, in a function of its own: a thread that is being terminated gets out between two of them. */
function sleepAWhile(heap: Heap, address: number, expected: number, deadline: number): boolean {
  return sleepWhile(heap.memory, address, expected, OWNED_SLICE_MS, deadline);
}
