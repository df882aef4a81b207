// What processes have done to shared containers, noted in a block of its own, outside the heap: before each operation, and after
// it has returned. When one is killed, the notes are still there, and at most its last operation is begun and not acknowledged.
import { SharedMemory } from 'multiprocess';

/** How many cells each place has: in the dict, the namespace and the list. */
export const cells = { dict: 10, namespace: 4, list: 6, all: 20 } as const;
/** Counters that all add to, by how they do it. */
export const counters = ['increment', 'compute', 'transact', 'compareAndSet'] as const;

const head = { stop: 0, next: 1, places: 2, items: 3, words: 4 } as const;
const word = {
  works: 0,
  operation: 1,
  operations: 2,
  longest: 3,
  longestOperation: 4,
  begun: 5,
  acknowledged: 5 + cells.all,
  seen: 5 + 2 * cells.all,
  counted: 5 + 3 * cells.all,
  countedForSure: 5 + 3 * cells.all + counters.length,
  words: 5 + 3 * cells.all + 2 * counters.length,
} as const;
/** What is known of an item. The higher bits count how often it has been taken. */
const item = { begun: 1, put: 2, leased: 4, takenOnce: 8 } as const;
const TIMES_SHIFT = 3;

export class Book {
  readonly memory: SharedMemory;
  readonly places: number;
  readonly #words: Int32Array;
  readonly #items: Uint8Array;

  constructor(memory: SharedMemory) {
    this.memory = memory;
    const [, , places, items] = memory.view(Int32Array, 0, head.words) as unknown as [number, number, number, number];
    this.places = places;
    const words = head.words + places * word.words;
    this.#words = memory.view(Int32Array, 0, words);
    this.#items = memory.view(Uint8Array, words * 4, items);
  }

  /** @param items how many can be put at most. */
  static make(places: number, items: number): Book {
    const memory = SharedMemory.create((head.words + places * word.words) * 4 + items);
    const words = memory.view(Int32Array, 0, head.words);
    words[head.places] = places;
    words[head.items] = items;
    return new Book(memory);
  }

  #at(place: number, which: number): number {
    return head.words + place * word.words + which;
  }

  #load(place: number, which: number): number {
    return Atomics.load(this.#words, this.#at(place, which));
  }

  #store(place: number, which: number, value: number): void {
    Atomics.store(this.#words, this.#at(place, which), value);
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, head.stop) !== 0;
  }

  stop(): void {
    Atomics.store(this.#words, head.stop, 1);
  }

  // Who does what.

  /** Whether whoever was started last at that place has begun to work. */
  works(place: number): boolean {
    return this.#load(place, word.works) === 1;
  }

  isStarted(place: number): void {
    this.#store(place, word.works, 0);
  }

  /** What is under way at a place, or was when its process died; 0 for nothing. */
  underWay(place: number): number {
    return this.#load(place, word.operation);
  }

  operations(place: number): number {
    return this.#load(place, word.operations);
  }

  /** The longest that an operation took, in ms, and which. */
  longest(place: number): [ms: number, operation: number] {
    return [this.#load(place, word.longest), this.#load(place, word.longestOperation)];
  }

  async during(place: number, operation: number, act: () => void | Promise<void>): Promise<void> {
    this.#store(place, word.operation, operation);
    const start = performance.now();
    const acts = act();
    if (acts !== undefined) await acts;
    const ms = Math.ceil(performance.now() - start);
    this.#store(place, word.operation, 0);
    this.#store(place, word.operations, this.operations(place) + 1);
    if (ms <= this.longest(place)[0]) return;
    this.#store(place, word.longest, ms);
    this.#store(place, word.longestOperation, operation);
  }

  // Cells: each has versions, written by one process at a time.

  begun(place: number, cell: number): number {
    return this.#load(place, word.begun + cell);
  }

  acknowledged(place: number, cell: number): number {
    return this.#load(place, word.acknowledged + cell);
  }

  /** Writes cells, all or none of them, in their next version. */
  write(place: number, which: readonly number[], act: (version: number) => void): void {
    const version = 1 + Math.max(...which.map((cell) => this.acknowledged(place, cell)));
    for (const cell of which) this.#store(place, word.begun + cell, version);
    act(version);
    for (const cell of which) this.#store(place, word.acknowledged + cell, version);
  }

  /** Somebody has seen that version: then it cannot be taken back any more. */
  seen(place: number, cell: number, version: number): void {
    const at = this.#at(place, word.seen + cell);
    for (let known = Atomics.load(this.#words, at); known < version; ) {
      const found = Atomics.compareExchange(this.#words, at, known, version);
      if (found === known) return;
      known = found;
    }
  }

  /**
   * Of somebody who was killed at that place: what was acknowledged must be there, and of what was under way all or nothing.
   *
   * @param isAt whether a cell is in that version.
   */
  settle(place: number, isAt: (cell: number, version: number) => boolean): void {
    let happened: boolean | undefined;
    for (let cell = 0; cell < cells.all; cell++) {
      const [before, after] = [this.acknowledged(place, cell), this.begun(place, cell)];
      const isAfter = before !== after && isAt(cell, after);
      if (!isAfter && !isAt(cell, before))
        throw new Error(`Cell ${cell} of ${place} is neither ${before} nor ${after}`);
      if (before === after) continue;
      if (happened !== undefined && happened !== isAfter) throw new Error(`Half of a write of ${place} has happened`);
      happened = isAfter;
      if (isAfter) this.#store(place, word.acknowledged + cell, after);
      else {
        const seen = this.#load(place, word.seen + cell);
        if (seen > before) throw new Error(`Cell ${cell} of ${place} was seen as ${seen}, and is ${before}`);
        this.#store(place, word.begun + cell, before);
      }
    }
  }

  /** The next one begins to work. */
  takeOver(place: number): void {
    this.#store(place, word.operation, 0);
    this.#store(place, word.works, 1);
  }

  // Counters.

  count(place: number, counter: number, act: () => void): void {
    this.#store(place, word.counted + counter, this.#load(place, word.counted + counter) + 1);
    act();
    this.#store(place, word.countedForSure + counter, this.#load(place, word.countedForSure + counter) + 1);
  }

  /** How often a counter was added to, at least and at most: each death may have been in the middle. */
  counted(counter: number): [least: number, most: number] {
    const sum = (which: number) =>
      Array.from({ length: this.places }, (_, place) => this.#load(place, which)).reduce((a, b) => a + b);
    return [sum(word.countedForSure + counter), sum(word.counted + counter)];
  }

  // Items: each is put once, and taken once.

  /** Puts so many items. Does nothing when there are no more numbers. */
  put(count: number, act: (numbers: number[]) => void): void {
    const numbers = this.#begin(count);
    if (numbers === undefined) return;
    act(numbers);
    for (const number of numbers) Atomics.or(this.#items, number, item.put);
  }

  /** Puts one item, or finds no room. @param leased whether it is taken with a lease, and so never lost. */
  async putOne(leased: boolean, act: (number: number) => Promise<boolean>): Promise<void> {
    const number = this.#begin(1)?.[0];
    if (number === undefined) return;
    if (leased) Atomics.or(this.#items, number, item.leased);
    if (await act(number)) Atomics.or(this.#items, number, item.put);
    else Atomics.store(this.#items, number, 0);
  }

  #begin(count: number): number[] | undefined {
    const first = Atomics.add(this.#words, head.next, count);
    if (first + count > this.#items.length) {
      Atomics.sub(this.#words, head.next, count);
      return undefined;
    }
    const numbers = Array.from({ length: count }, (_, i) => first + i);
    for (const number of numbers) Atomics.store(this.#items, number, item.begun);
    return numbers;
  }

  /**
   * An item has been taken.
   *
   * @param times how often it may have been, with this one.
   */
  taken(number: number, times = 1): void {
    const known = Atomics.add(this.#items, number, item.takenOnce);
    const before = known >> TIMES_SHIFT;
    if ((known & item.begun) === 0) throw new Error(`${number} was never put`);
    if (before >= times) throw new Error(`${number} was taken ${before} times before`);
  }

  /** How many items were put, and of those that nobody has taken, how many were to be leased or not. */
  account(): { put: number; lost: number; lostLeased: number } {
    const account = { put: 0, lost: 0, lostLeased: 0 };
    for (let number = 0; number < this.#words[head.next]!; number++) {
      const known = this.#items[number]!;
      if ((known & item.put) === 0) continue;
      account.put += 1;
      if (known >> TIMES_SHIFT === 0) account[(known & item.leased) === 0 ? 'lost' : 'lostLeased'] += 1;
    }
    return account;
  }
}
