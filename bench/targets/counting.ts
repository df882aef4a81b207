import { type Process, RawArray } from 'multiprocess';
import { check, secondsSince } from '../harness/serve.js';
import { Baton, type BatonParts } from './baton.js';
import { bindToProcessor } from './processors.js';

// Which element is what; each in a cache line of its own.
const GOAL = 0;
const READY = 16;
const GO = 32;
const THEIRS = 48;
const LENGTH = 64;

/** Counts until the goal is reached. @returns how many steps were this process's. */
type CountTo = (goal: number) => number;

/**
 * Two processes that count together to a number: an operation is a step, whoever makes it. Between runs the second one
 * sleeps, so as not to take from the others that are measured.
 */
export class Counting {
  readonly #baton: Baton;
  readonly #partner: Process;
  readonly #words: Int32Array;

  private constructor(baton: Baton, partner: Process, words: Int32Array) {
    this.#baton = baton;
    this.#partner = partner;
    this.#words = words;
  }

  /** Starts the second process, whose `target` calls `countAlong`. */
  static async start<A extends readonly unknown[]>(
    target: (baton: BatonParts, words: Int32Array, ...args: A) => unknown,
    ...args: A
  ): Promise<Counting> {
    const words = RawArray('i', LENGTH);
    const { baton, partner } = await Baton.start(target, words, ...args);
    bindToProcessor('first');
    return new Counting(baton, partner, words);
  }

  /** @returns how many seconds the two take to count from 0. */
  run(goal: number, countTo: CountTo): number {
    const words = this.#words;
    words[GOAL] = goal;
    Atomics.store(words, READY, 0);
    Atomics.store(words, GO, 0);
    this.#baton.pass();
    while (Atomics.load(words, READY) === 0);
    const start = performance.now();
    Atomics.store(words, GO, 1);
    const mine = countTo(goal);
    const seconds = secondsSince(start);
    this.#baton.take();
    check(mine + words[THEIRS]! === goal, 'the counts differ');
    return seconds;
  }

  async end(): Promise<void> {
    this.#words[GOAL] = -1;
    this.#baton.pass();
    await this.#partner.join();
  }
}

/** The second process: counts along, on its turns, until it is told to end. */
export function countAlong(parts: BatonParts, words: Int32Array, countTo: CountTo): void {
  bindToProcessor('last');
  const baton = Baton.join(parts);
  for (;;) {
    baton.take();
    const goal = words[GOAL]!;
    if (goal < 0) return;
    Atomics.store(words, READY, 1);
    while (Atomics.load(words, GO) === 0);
    words[THEIRS] = countTo(goal);
    baton.pass();
  }
}
