import { CorruptSegmentError } from '../errors/index.js';
import {
  atomicLoad,
  compareExchange,
  EXTENT_MASK,
  type Heap,
  RESERVED,
  type RootAddress,
  root,
  step,
  WAITERS,
  wake,
} from '../heap/internal.js';
import { type Attempt, type SyncRun, TakeWord } from './take-word.js';

// A bounded semaphore has a word for each permit: 0, or the token of the environment that has it. So each environment gives
// back its own only, and the permits of the dead are known: whoever finds one takes it.
//
// The word that those who wait sleep on counts the releases that woke somebody, besides the two bits of every such word
// (take-word.ts). Who is about to sleep marks it and then looks at the permits once more; who gives back does so first and
// then looks at the mark: so one of the two sees the other.

const COUNT_MASK = 0x3fff_ffff;
const OWNERS_ASKED = 64;

export class PermitWord extends TakeWord {
  readonly count: number;
  readonly #permits: Int32Array;
  readonly #first: number;
  readonly #token: number;
  /** Permits taken here, the last one last. What is really ours, the words say. */
  readonly #own: number[] = [];
  #next = 0;

  constructor(heap: Heap, at: RootAddress) {
    super(heap, at);
    this.count = heap.memory.load(at.address + root.b);
    const block = heap.memory.load(at.address + root.a);
    this.#permits = heap.memory.at(block);
    this.#first = block & EXTENT_MASK;
    this.#token = heap.participant.token;
    if (block <= EXTENT_MASK || this.count < 0 || this.#first + this.count > this.#permits.length) {
      throw new CorruptSegmentError('The permits of a semaphore lie outside the heap.');
    }
    // Those that were taken here by way of a wrapper which nobody has any more.
    for (let permit = 0; permit < this.count; permit++) {
      if (this.#permits[this.#first + permit] === this.#token) this.#own.push(permit);
    }
  }

  /** How many permits nobody has, as far as is known. */
  get value(): number {
    let free = 0;
    for (let i = 0; i < this.count; i++) if (this.#canBeTaken(Atomics.load(this.#permits, this.#first + i))) free += 1;
    return free;
  }

  attempt(mark: number, pushy: boolean): Attempt {
    let seen = atomicLoad(this.words, this.index);
    if (seen & RESERVED && !pushy) return this.#anyFree() ? 'reserved' : 'busy';
    // Who has slept cannot know whether others still do. Marked before a permit is taken: a permit that comes back later
    // finds the mark, and one that came back before is seen below.
    while (mark & ~seen) {
      const found = compareExchange(this.words, this.index, seen, seen | mark);
      seen = found === seen ? seen | mark : found;
    }
    for (let i = 0; i < this.count; i++) {
      const permit = (this.#next + i) % this.count;
      const owner = atomicLoad(this.#permits, this.#first + permit);
      if (!this.#canBeTaken(owner)) continue;
      if (compareExchange(this.#permits, this.#first + permit, owner, this.#token) !== owner) continue;
      this.#next = permit;
      if (seen & RESERVED) compareExchange(this.words, this.index, seen, seen & ~RESERVED);
      if (mark !== 0 && this.#anyFree()) this.wakeOne();
      // Last, with nothing in between at which it could be cut short: what is noted, the caller knows of.
      this.#own.push(permit);
      return 'taken';
    }
    return 'busy';
  }

  protected isFree(): boolean {
    return this.#anyFree();
  }

  override prepareSleep(starved: boolean): number | undefined {
    const marked = super.prepareSleep(starved);
    return marked === undefined || this.#anyFree() ? undefined : marked;
  }

  protected askAfterOwners(): void {
    const { participant } = this.heap;
    const asked = new Set<number>();
    for (let i = 0; i < this.count && asked.size < OWNERS_ASKED; i++) {
      const owner = Atomics.load(this.#permits, this.#first + i);
      if (owner === 0 || owner === this.#token || asked.has(owner)) continue;
      asked.add(owner);
      participant.isGone(owner, true);
    }
  }

  /** How many permits this environment has. */
  get held(): number {
    return this.#own.filter((permit) => this.#isOwn(permit)).length;
  }

  /**
   * Gives back `count` permits, which this environment has.
   *
   * @param run the `runSync` that gives back; noted in the same step, lest one that is cut short does so twice.
   */
  release(count: number, run?: SyncRun): void {
    for (let left = count; left > 0; ) {
      const permit = this.#own[this.#own.length - 1];
      if (permit === undefined) return;
      if (compareExchange(this.#permits, this.#first + permit, this.#token, 0) === this.#token) {
        left -= 1;
        if (run !== undefined) run.acquired = false;
      }
      this.#own.pop();
    }
    for (;;) {
      const seen = atomicLoad(this.words, this.index);
      if (!(seen & WAITERS)) return;
      const bits = seen & RESERVED ? RESERVED | WAITERS : 0;
      if (compareExchange(this.words, this.index, seen, ((seen + 1) & COUNT_MASK) | bits) !== seen) continue;
      step();
      wake(this.heap.memory, this.address, count);
      return;
    }
  }

  /** Gives back what this environment has and does not know of: it was cut short between taking and noting. */
  reconcile(): void {
    for (let permit = 0; permit < this.count; permit++) {
      if (!this.#isOwn(permit) || this.#own.includes(permit)) continue;
      this.#own.push(permit);
      this.release(1);
    }
  }

  #anyFree(): boolean {
    for (let i = 0; i < this.count; i++)
      if (this.#canBeTaken(Atomics.load(this.#permits, this.#first + i))) return true;
    return false;
  }

  #canBeTaken(owner: number): boolean {
    return owner === 0 || (owner !== this.#token && this.heap.participant.isGone(owner, false));
  }

  #isOwn(permit: number): boolean {
    return Atomics.load(this.#permits, this.#first + permit) === this.#token;
  }
}
