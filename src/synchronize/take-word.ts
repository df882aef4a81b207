import {
  atomicLoad,
  compareExchange,
  EXTENT_MASK,
  type Heap,
  linger,
  nap,
  now,
  OWNED_SLICE_MS,
  Patience,
  RESERVED,
  type RootAddress,
  root,
  sleepWhile,
  spinWhile,
  stale,
  step,
  WAITERS,
  wake,
} from '../heap/internal.js';

// Something that can be taken and given back, by way of one word that those who wait sleep on: a lock, a semaphore. What the
// lower 30 bits mean differs; the two others are:
//
//   WAITERS   somebody may be asleep on the word: whoever gives something back wakes one
//   RESERVED  somebody who slept has waited for long: when there is something to take, newcomers stand back for a while
//
// A process that dies between giving back and waking leaves a sleeper asleep, for a slice at most. One that was woken and
// dies before it takes has used up a wake-up: again a slice. Who has slept takes with WAITERS set, since it cannot know
// whether others sleep still.

/** How long a waiter stands in line before it asks for a reservation. */
const STARVED_MS = 5;
/** How long newcomers stand back from what is reserved. */
const RESERVATION_MS = 2;
const NAP_MS = 0.2;
const LOOK_MS = 50;
/** How long a short look takes at most. */
const GLANCE_MS = 0.0015;
/**
 * How long a waiter looks away between two looks. Each takes the word's cache line from the processor of who has the lock,
 * and perhaps takes and releases it again and again, for longer than that takes.
 */
const PAUSE_MS = 0.0005;
/** How many of the other participants a look asks after. */
const OTHERS_AT_ONCE = 2;

/** A `runSync` that is not over. */
export interface SyncRun {
  acquired: boolean;
  /** How often the caller had entered before. */
  level: number;
}

export type Attempt = 'taken' | 'busy' | 'reserved' | 'own';

export abstract class TakeWord {
  readonly heap: Heap;
  readonly at: RootAddress;
  readonly address: number;
  protected readonly words: Int32Array;
  protected readonly index: number;
  readonly #serialIndex: number;
  readonly #serial: number;
  readonly #patience = new Patience();
  #lastLook = Number.NEGATIVE_INFINITY;

  /** @param word which of the root's words it is. */
  constructor(heap: Heap, at: RootAddress, word: number = root.lock) {
    this.heap = heap;
    this.at = at;
    this.address = at.address + word;
    this.words = heap.memory.at(at.address);
    this.index = this.address & EXTENT_MASK;
    this.#serialIndex = (at.address + root.serial) & EXTENT_MASK;
    this.#serial = at.serial;
  }

  /**
   * Tries once.
   *
   * @param mark WAITERS for who has slept on the word, else 0.
   * @param pushy whether to take what is reserved for those who have waited longer.
   */
  abstract attempt(mark: number, pushy: boolean): Attempt;

  /** Whether there is something to take, going by what the word was seen to be. */
  protected abstract isFree(seen: number): boolean;

  /** Asks whether those live who have what is waited for. */
  protected abstract askAfterOwners(): void;

  get disposed(): boolean {
    return this.words[this.#serialIndex] !== this.#serial;
  }

  /** @throws StaleHandleError when it has been disposed of; ClosedError when this environment was declared dead. */
  check(): void {
    if (this.words[this.#serialIndex] !== this.#serial) throw stale();
    this.heap.participant.check();
  }

  /** Waits, blocking this thread. The caller has tried already. @returns whether it was taken in time. */
  takeSync(timeout: number): boolean {
    const started = now();
    const deadline = started + timeout;
    let clock = started;
    let slept = false;
    let reservedSince = Number.POSITIVE_INFINITY;
    for (;;) {
      const late = clock >= deadline;
      const seemedFree = !late && this.#lookForSome();
      // The last try takes what is reserved: whom it was for may be gone, and short waits would find it so for ever.
      const pushy = slept || clock - reservedSince >= RESERVATION_MS || late;
      const outcome = this.attempt(slept ? WAITERS : 0, pushy);
      if (outcome === 'taken') return true;
      this.check();
      if (late) {
        if (slept) this.passOn();
        return false;
      }
      clock = now();
      const seen = atomicLoad(this.words, this.index);
      if (outcome === 'reserved') {
        if (reservedSince === Number.POSITIVE_INFINITY) reservedSince = clock;
        // Nobody is asked to wake us: whoever it is reserved for takes it soon, or the time is over. It may be waiting for
        // the very processor that we would burn, so after a first look this thread sleeps; not on the word itself, where it
        // could use up a wake-up that is for another.
        if (spinWhile(this.words, this.index, seen)) continue;
        nap(Math.min(NAP_MS, deadline - clock));
        clock = now();
        continue;
      }
      const starved = clock - started >= STARVED_MS;
      if (this.isFree(seen) || (seemedFree && !starved)) continue;
      this.lookAround();
      const marked = this.prepareSleep(starved);
      if (marked === undefined) continue;
      // A child's death comes as a signal: no need to wait for the next look.
      if (sleepAWhile(this.heap, this.address, marked, deadline)) this.#lastLook = Number.NEGATIVE_INFINITY;
      slept = true;
      clock = now();
    }
  }

  /**
   * Makes the word say that somebody sleeps on it.
   *
   * @returns the word's value to sleep on; undefined when there is something to take, or the word changed just now.
   */
  prepareSleep(starved: boolean): number | undefined {
    const seen = atomicLoad(this.words, this.index);
    if (this.isFree(seen)) return undefined;
    const marked = seen | WAITERS | (starved ? RESERVED : 0);
    if (seen !== marked && compareExchange(this.words, this.index, seen, marked) !== seen) return undefined;
    return marked;
  }

  /** Finishes what was left here, and at most once in 50 ms asks whether the owners live, and some of the others. */
  lookAround(): void {
    this.heap.transaction.settle();
    const clock = now();
    if (clock - this.#lastLook < LOOK_MS) return;
    this.#lastLook = clock;
    this.askAfterOwners();
    this.heap.lookAround(OTHERS_AT_ONCE);
  }

  /** A short look, for those who must not block: one or two microseconds. */
  glance(): void {
    spinWhile(this.words, this.index, atomicLoad(this.words, this.index), GLANCE_MS);
  }

  /**
   * Looks without a system call, for as long as it seems to be worth it.
   *
   * @returns whether there seemed to be something to take.
   */
  #lookForSome(): boolean {
    const { ms } = this.#patience;
    if (ms === 0) return false;
    let found = false;
    for (let passed = 0; passed < ms && !found; passed += PAUSE_MS) {
      linger(PAUSE_MS);
      found = this.isFree(this.words[this.index]!);
    }
    this.#patience.ended(found);
    return found;
  }

  /**
   * A wake-up that was for us, and is not used, goes to another. Also when this environment has taken it meanwhile: without
   * a wait of its own, so the word does not say that others sleep, and giving back would wake nobody.
   */
  passOn(): void {
    step();
    this.wakeOne();
  }

  protected wakeOne(): void {
    wake(this.heap.memory, this.address, 1);
  }
}

/** One slice, in a function of its own: a thread that is being terminated gets out between two of them. */
function sleepAWhile(heap: Heap, address: number, expected: number, deadline: number): boolean {
  return sleepWhile(heap.memory, address, expected, OWNED_SLICE_MS, deadline);
}
