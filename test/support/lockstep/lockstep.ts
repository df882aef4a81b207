import { Worker } from 'node:worker_threads';
import { Heap } from '../../../src/heap/heap.js';
import { collectGarbage } from '../gc.js';
import {
  actor,
  awaitTurn,
  boardBytes,
  command,
  getText,
  MAX_THREADS,
  makeBoard,
  passTurn,
  putText,
  shared,
  state,
  wordOf,
} from './hand-over.js';
import type { Ending, Facts, Scene } from './scene.js';
import { formatSchedule, type Schedule, type Turn } from './schedule.js';
import { Stage } from './stage.js';
import type { Role } from './thread.js';

/** A turn as it was taken. */
export interface Taken {
  readonly thread: number;
  readonly steps: number;
  readonly end: 'paused' | 'blocked' | 'over';
  /** Threads that could have been let on instead. */
  readonly others: readonly number[];
}

export interface Run {
  /** Turns of the schedule that were taken, and all that followed them. */
  readonly turns: readonly Taken[];
  /** The first of `turns` that the schedule leaves open, so that turns from here on could be cut short. */
  readonly open: number;
  /** Steps of each thread. */
  readonly steps: readonly number[];
  readonly died: readonly boolean[];
}

/** What a scene did not bear, with the schedule that shows it again. */
export class ScheduleFailure extends Error {
  readonly schedule: Schedule;

  constructor(scene: Scene, schedule: Schedule, cause: unknown) {
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(`REPLAY='${scene.name} | ${formatSchedule(schedule)}'\n${reason}`, { cause });
    this.schedule = schedule;
  }
}

const UNRESPONSIVE_MS = 20_000;
/** A part that takes so many steps goes round in circles. */
const MOST_STEPS = 20_000;
/** As long as anything of the heap's sleeps before it looks again, and a bit. In µs, as the clock of the threads. */
const SLICE_US = 60_000;
const BLOCK_US = 2_000;
const MOST_SLICES = 50;
const COLLECT_EVERY = 100;

/** Threads in lockstep: one runs at a time, and which one is said step by step. */
export class Lockstep {
  readonly #board = makeBoard(new SharedArrayBuffer(boardBytes));
  readonly #workers: Worker[] = [];
  #ran = 0;
  #stage: { readonly empty: boolean; readonly stage: Stage } | undefined;

  private constructor() {}

  /** @param table the URL of the module with the scenes. */
  static async start(table: string): Promise<Lockstep> {
    const lockstep = new Lockstep();
    for (let me = 1; me <= MAX_THREADS; me++) {
      const worker = new Worker(new URL('thread.js', import.meta.url), {
        workerData: { memory: lockstep.#board.words.buffer, me, table },
      });
      lockstep.#workers.push(worker);
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    }
    return lockstep;
  }

  async end(): Promise<void> {
    this.#endStage();
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /**
   * Lets a scene happen in that order.
   *
   * @throws ScheduleFailure when anything is not as it must be.
   */
  async run(scene: Scene, schedule: Schedule): Promise<Run> {
    this.#ran += 1;
    if (this.#ran % COLLECT_EVERY === 0) await this.#collect();
    Atomics.store(this.#board.words, shared.clock, 0);
    const stage = this.#stageFor(scene);
    const survivor = Heap.join(stage.id, false)!;
    survivor.stopTicking();
    let result: Run;
    try {
      result = this.#runOn(stage, survivor, scene, schedule);
    } catch (error) {
      leaveQuietly(survivor);
      this.#endStage();
      throw new ScheduleFailure(scene, schedule, error);
    }
    if (!stage.restore()) this.#endStage();
    return result;
  }

  #stageFor(scene: Scene): Stage {
    const empty = scene.inEmptyHeap === true;
    if (this.#stage?.empty !== empty) this.#endStage();
    this.#stage ??= { empty, stage: new Stage(empty) };
    return this.#stage.stage;
  }

  #endStage(): void {
    this.#stage?.stage.end();
    this.#stage = undefined;
  }

  #runOn(stage: Stage, survivor: Heap, scene: Scene, schedule: Schedule): Run {
    const { id } = survivor;
    const threads = [...scene.threads.keys()];
    try {
      const facts = scene.prepare?.(survivor) ?? {};
      for (const thread of threads) {
        this.#set(thread, actor.state, state.gone);
        if (scene.threads[thread]!.arm === undefined) continue;
        this.#tell(thread, command.arm, { scene: scene.name, id, facts } satisfies Role);
        Object.assign(facts, getText(this.#board, thread + 1) as Facts);
      }
      const run = new Running(this, threads.length, schedule, { scene: scene.name, id, facts });
      run.follow();
      this.#verify(stage, survivor, scene, facts);
      return {
        turns: run.turns,
        open: run.open,
        steps: threads.map((thread) => this.stepsOf(thread)),
        died: threads.map((thread) => this.stateOf(thread) === state.dead),
      };
    } finally {
      for (const thread of threads) this.#clearAway(thread);
    }
  }

  #verify(stage: Stage, survivor: Heap, scene: Scene, facts: Facts): void {
    const threads = [...scene.threads.keys()];
    const living = threads.filter((thread) => this.stateOf(thread) === state.done);
    const endings = threads.map((thread): Ending => {
      if (!living.includes(thread)) return { died: true, result: undefined };
      const { result } = getText(this.#board, thread + 1) as { result?: number };
      return { died: false, result };
    });
    stage.reap();
    stage.check();
    scene.verify?.(survivor, facts, endings);
    for (const thread of living) this.#tell(thread, command.leave);
    survivor.leave();
    stage.checkEmpty();
  }

  /** After a failure a thread may be anywhere. */
  #clearAway(thread: number): void {
    const now = this.stateOf(thread);
    if (now === state.paused || now === state.blocked) this.order(thread, command.giveUp);
    else if (now === state.done || now === state.ready) this.order(thread, command.leave);
  }

  stateOf(thread: number): number {
    return Atomics.load(this.#board.words, wordOf(thread + 1, actor.state));
  }

  stepsOf(thread: number): number {
    return Atomics.load(this.#board.words, wordOf(thread + 1, actor.steps));
  }

  get clock(): number {
    return Atomics.load(this.#board.words, shared.clock);
  }

  passTime(microseconds: number): void {
    Atomics.add(this.#board.words, shared.clock, microseconds);
  }

  /** Makes a thread ready to act. */
  prepareToAct(thread: number, role: Role, kill: number): void {
    putText(this.#board, thread + 1, role);
    this.#set(thread, actor.state, state.ready);
    this.#set(thread, actor.steps, 0);
    this.#set(thread, actor.kill, kill);
  }

  /** Lets a thread go on for at most so many steps, until it pauses, would wait, or is done. @returns its state. */
  goOn(thread: number, most: number): number {
    this.#set(thread, actor.limit, this.stepsOf(thread) + most);
    return this.order(thread, this.stateOf(thread) === state.ready ? command.act : command.goOn);
  }

  order(thread: number, wanted: number): number {
    this.#set(thread, actor.command, wanted);
    passTurn(this.#board, thread + 1);
    if (!awaitTurn(this.#board, 0, UNRESPONSIVE_MS)) {
      throw new Error(`Thread ${thread} has not come to a step, a wait or its end within ${UNRESPONSIVE_MS} ms.`);
    }
    return this.stateOf(thread);
  }

  failureOf(thread: number): Error {
    return new Error((getText(this.#board, thread + 1) as { failure: string }).failure);
  }

  #tell(thread: number, wanted: number, text?: unknown): void {
    if (text !== undefined) putText(this.#board, thread + 1, text);
    if (this.order(thread, wanted) === state.failed) throw this.failureOf(thread);
  }

  #set(thread: number, word: number, value: number): void {
    Atomics.store(this.#board.words, wordOf(thread + 1, word), value);
  }

  /** Each heap has megabytes mapped in each thread. */
  async #collect(): Promise<void> {
    for (let thread = 0; thread < MAX_THREADS; thread++) this.order(thread, command.collect);
    await collectGarbage();
  }
}

/** A schedule on its way. */
class Running {
  readonly turns: Taken[] = [];
  open = 0;
  readonly #lockstep: Lockstep;
  readonly #threads: readonly number[];
  readonly #schedule: Schedule;
  /** For those that wait: how much had been got done by then. */
  readonly #waiting: (number | undefined)[] = [];
  #done = 0;
  #slices = 0;

  constructor(lockstep: Lockstep, threads: number, schedule: Schedule, role: Role) {
    this.#lockstep = lockstep;
    this.#threads = Array.from({ length: threads }, (_, i) => i);
    this.#schedule = schedule;
    for (const thread of this.#threads) {
      const kill = schedule.kills.find((each) => each.thread === thread);
      lockstep.prepareToAct(thread, role, kill?.step ?? 0);
    }
  }

  /** @throws when a part fails, goes round in circles, or all wait for each other. */
  follow(): void {
    const { turns } = this.#schedule;
    for (const [i, turn] of turns.entries()) {
      const isOpen = i === turns.length - 1 && turn.steps === undefined;
      if (isOpen) this.open = this.turns.length;
      if (this.#isFree(turn.thread)) this.#take(turn);
      if (!isOpen) this.open = this.turns.length;
    }
    let current = this.turns.at(-1)?.thread ?? 0;
    for (;;) {
      const next = this.#nextFrom(current);
      if (next === undefined) break;
      current = next;
      this.#take({ thread: current, steps: undefined });
    }
  }

  /** Who goes on by itself: the one whose turn it is, or the next; or, when all wait, after a while the first of them. */
  #nextFrom(current: number): number | undefined {
    const inTurn = this.#threads.map((i) => (current + i) % this.#threads.length);
    const free = inTurn.find((thread) => this.#isFree(thread));
    if (free !== undefined) return free;
    const waiting = inTurn.filter((thread) => this.#isAlive(thread));
    if (waiting.length === 0) return undefined;
    this.#slices += 1;
    if (this.#slices > MOST_SLICES) throw new Error('All wait for each other.');
    // Then all look again.
    this.#lockstep.passTime(SLICE_US);
    for (const thread of waiting) this.#waiting[thread] = undefined;
    return waiting[0];
  }

  #isAlive(thread: number): boolean {
    const now = this.#lockstep.stateOf(thread);
    return now === state.ready || now === state.paused || now === state.blocked;
  }

  /** Whether it can go on: who waits can, once another has got something done. */
  #isFree(thread: number): boolean {
    return this.#isAlive(thread) && (this.#waiting[thread] === undefined || this.#waiting[thread]! < this.#done);
  }

  #take({ thread, steps }: Turn): void {
    const lockstep = this.#lockstep;
    const others = this.#threads.filter((other) => other !== thread && this.#isAlive(other));
    const before = lockstep.stepsOf(thread);
    const waited = lockstep.stateOf(thread) === state.blocked;
    const now = lockstep.goOn(thread, steps ?? MOST_STEPS);
    if (now === state.failed) throw lockstep.failureOf(thread);
    if (now === state.paused && steps === undefined) throw new Error(`Thread ${thread} goes round in circles.`);
    const end = now === state.paused ? 'paused' : now === state.blocked ? 'blocked' : 'over';
    this.turns.push({ thread, steps: lockstep.stepsOf(thread) - before, end, others });
    if (end === 'blocked') lockstep.passTime(BLOCK_US);
    // Who has looked and waits again has got nothing done that others wait for.
    if (!(waited && end === 'blocked')) {
      this.#done += 1;
      this.#slices = 0;
    }
    this.#waiting[thread] = end === 'blocked' ? this.#done : undefined;
  }
}

function leaveQuietly(heap: Heap): void {
  try {
    heap.leave();
  } catch {
    // what has failed before says more
  }
}
