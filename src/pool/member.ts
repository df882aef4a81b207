import { ProcessDiedError, QueueClosedError, WorkerDiedError } from '../errors/index.js';
import { Process } from '../process/index.js';
import { endOf, inheritedExecArgv, startWithBell, type TravellingFunction } from '../process/internal.js';
import { Queue } from '../queues/index.js';
import { putQuietly, wakeGetter } from '../queues/internal.js';
import { RawArray } from '../sharedctypes/index.js';
import type { Chunk, Failures } from './chunk.js';
import {
  FUNCTION,
  gate,
  type Job,
  microseconds,
  place,
  type READY,
  type Report,
  type WorkerSetup,
} from './messages.js';
import { isList, packBriefly } from './packed.js';
import type { Sealed } from './sealed.js';

const WORKER = new URL('./pool-worker.js', import.meta.url);
const GRACE_MS = 1000;
/** Work for so long is handed to a worker before it asks, so that it need not wait for the next. */
const AHEAD_MS = 1;
const FEWEST_AHEAD = 4;
const MOST_AHEAD = 32;
/** For so long a worker that has more to do need not tell of what it has done. */
const QUIET_MS = 0.8;
/** Taking a task out of a queue takes less, unless the worker waits for one, and then there is nothing to take back. */
const TAKING_MS = 0.1;
/** Results that are there already are dealt with so many at a time, then the event loop has a turn. */
const RESULTS_PER_TURN = 32;

/** What a worker does before its first task. */
export interface Initializer {
  readonly fn: TravellingFunction | Sealed | null;
  readonly args: readonly unknown[] | Sealed;
  /** Whether both are sealed. */
  readonly sealed: boolean;
}

/** How a member is started. */
export interface MemberSettings {
  readonly initializer: Initializer;
  /** Flags for Node, besides those of this process. */
  readonly flags: readonly string[];
}

/** What a member tells of itself. */
export interface MemberEvents {
  done(member: Member, chunk: Chunk, values: ArrayLike<unknown>, failures: Failures): void;
  /** It could take more than it has. */
  ready(member: Member): void;
  /** Its initializer has thrown. */
  refused(error: unknown): void;
  ended(member: Member): void;
}

/** How a worker has ended that had work to do. */
export interface Lost {
  /** In order. */
  readonly chunks: readonly Chunk[];
  /** Which task of the first of them it was at, if it had begun it. */
  readonly at: number | undefined;
}

/**
 * One worker, as the pool sees it. Each has two queues of its own, so whatever it does or suffers is known exactly from what
 * it was sent, what came back, and the words in which it says where it is.
 */
export class Member {
  readonly #events: MemberEvents;
  readonly #process: Process;
  /** The initializer and its arguments: apart, so that what is taken back of the tasks is tasks alone. */
  readonly #first = new Queue<unknown>();
  readonly #tasks = new Queue<unknown>();
  readonly #results = new Queue<unknown>();
  readonly #place = RawArray('i', place.words);
  /** What the worker has not answered, in order; announcements among the chunks. */
  readonly #sent: (Chunk | typeof FUNCTION)[] = [];
  #chunks = 0;
  #announced: Job | undefined;
  #given = 0;
  #answered = 0;
  #tasksDone = 0;
  #busy = 0;
  #since = 0;
  #pace = Number.POSITIVE_INFINITY;
  #isReady = false;
  #isWoken = true;
  #isRetiring = false;
  #isDying = false;
  #hasEnded = false;
  #draining = false;
  #looking = false;
  #quietUntil = 0;

  /** @throws what `Process.start()` throws. */
  constructor(name: string, { initializer, flags }: MemberSettings, events: MemberEvents) {
    this.#events = events;
    this.#first.tryPut(initializer.fn);
    this.#first.tryPut(initializer.args);
    const setup: WorkerSetup = {
      first: this.#first,
      tasks: this.#tasks,
      results: this.#results,
      place: this.#place,
      sealed: initializer.sealed,
    };
    this.#process = new Process({
      target: { module: WORKER, export: 'work' },
      args: [setup],
      name,
      daemon: true,
      execArgv: [...inheritedExecArgv(), ...flags],
    }) as Process;
    const bell = startWithBell(this.#process);
    bell.on('data', () => this.#drainInTurns());
    bell.on('error', () => {}); // of one that has been killed, whose end is told otherwise
    bell.unref(); // calls that are not done keep the event loop alive
    void endOf(this.#process).then(() => this.#end());
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** How many chunks it has. */
  get load(): number {
    return this.#chunks;
  }

  /** How many it was given in all. */
  get given(): number {
    return this.#given;
  }

  /** How many tasks it has done. */
  get tasksDone(): number {
    return this.#tasksDone;
  }

  /** For how many ms it has had work. */
  get busy(): number {
    return this.#busy + (this.#isReady && this.#chunks > 0 ? performance.now() - this.#since : 0);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether it is at a task. */
  get isAtWork(): boolean {
    return this.#isReady && !this.#isDying && this.#chunks > 0;
  }

  get isRetiring(): boolean {
    return this.#isRetiring;
  }

  /** Whether it could do with more. */
  get hasRoom(): boolean {
    if (this.#isRetiring || this.#isDying || this.#hasEnded) return false;
    return this.#chunks < Math.min(MOST_AHEAD, Math.max(FEWEST_AHEAD, Math.ceil(AHEAD_MS / this.#pace)));
  }

  /** For how many ms it has been at its first chunk. */
  get atIt(): number {
    return this.#isReady && this.#chunks > 0 ? performance.now() - this.#since : 0;
  }

  /**
   * Puts a chunk into its queue; `wake()` follows in the same turn.
   *
   * @throws what putting the tasks into a queue throws; then it was not given the chunk.
   */
  give(chunk: Chunk): void {
    const { job } = chunk.call;
    if (this.#announced !== job) {
      this.#announced = undefined;
      putQuietly(this.#tasks, FUNCTION);
      this.#isWoken = false;
      this.#sent.push(FUNCTION);
      try {
        putQuietly(this.#tasks, job);
        this.#announced = job;
      } catch (error) {
        putQuietly(this.#tasks, null); // what was announced
        throw error;
      } finally {
        this.#sent.push(FUNCTION);
      }
    }
    putQuietly(this.#tasks, packBriefly(chunk.items));
    this.#isWoken = false;
    this.#sent.push(chunk);
    if (this.#chunks === 0) this.#since = performance.now();
    this.#chunks += 1;
    this.#given += 1;
    this.#lookSoon();
  }

  /** Wakes it, if it has been given something since. */
  wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    wakeGetter(this.#tasks);
  }

  /** The worker need not ring for what it has done in a moment: it is looked for a little later. */
  #lookSoon(): void {
    Atomics.store(this.#place, place.quiet, (microseconds() + QUIET_MS * 1000) | 0);
    // In this order, or this process might be paused in between, and look before the worker has to ring again.
    this.#quietUntil = performance.now() + QUIET_MS;
    if (this.#looking) return;
    this.#looking = true;
    const look = (): void => {
      if (performance.now() <= this.#quietUntil) return void setTimeout(look, 1).unref();
      this.#looking = false;
      this.#drainInTurns();
    };
    setTimeout(look, 1).unref();
  }

  /** Takes back what it has not begun. @returns undefined while it is just taking something itself. */
  takeBack(): Chunk[] | undefined {
    if (!this.#shut()) return undefined;
    let count = 0;
    try {
      while (this.#hasMore()) count += 1;
    } finally {
      Atomics.store(this.#place, place.gate, gate.open);
    }
    this.#announced = undefined;
    const back = this.#sent.splice(this.#sent.length - count, count).filter((sent) => sent !== FUNCTION);
    // The worker has taken an announcement, and what was announced has been taken back. If that was its last, it ends.
    if (this.#announces() && !this.#isRetiring) {
      this.#tasks.tryPut(null);
      this.#sent.push(FUNCTION);
    }
    this.#chunks -= back.length;
    this.#given -= back.length;
    return back;
  }

  /** Keeps the worker from taking tasks: otherwise what is taken back would not be the last that it was sent. */
  #shut(): boolean {
    const until = performance.now() + TAKING_MS;
    do {
      if (Atomics.compareExchange(this.#place, place.gate, gate.open, gate.shut) === gate.open) return true;
    } while (performance.now() < until);
    return false;
  }

  /** Whether the last of what it has been sent is an announcement: they come in pairs with what they announce. */
  #announces(): boolean {
    let count = 0;
    while (this.#sent.at(-1 - count) === FUNCTION) count += 1;
    return count % 2 === 1;
  }

  #hasMore(): boolean {
    try {
      return this.#tasks.tryGet() !== undefined;
    } catch (error) {
      return !(error instanceof QueueClosedError); // what cannot be unpacked is gone, too
    }
  }

  /** The chunk that it is at, or will begin next. */
  get current(): Chunk | undefined {
    return this.#sent.find((sent) => sent !== FUNCTION);
  }

  /** Lets it finish what it has, and end. */
  retire(): void {
    if (this.#isRetiring || this.#hasEnded) return;
    this.#isRetiring = true;
    this.#tasks.end();
  }

  kill(): void {
    if (this.#hasEnded) return;
    this.#isDying = true;
    this.#process.kill();
  }

  /** Ends it, whatever it is at. */
  async terminate(): Promise<void> {
    if (this.#hasEnded) return;
    this.#isRetiring = true;
    this.#process.terminate();
    if (!(await this.#process.join({ timeout: GRACE_MS }))) this.#process.kill();
    await this.#process.join();
  }

  /** What it had when it ended. */
  lost(): Lost {
    const chunks = this.#sent.filter((sent) => sent !== FUNCTION);
    const begun = this.#place[place.chunks]! > this.#answered;
    return { chunks, at: begun ? this.#place[place.index]! : undefined };
  }

  /** The error of a task that died with it. */
  async death(task: number | undefined): Promise<WorkerDiedError> {
    const { exitCode, signalCode } = this.#process;
    const how = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`;
    const what = task === undefined ? 'before it was ready for tasks' : `at task ${task}`;
    let cause: unknown;
    try {
      await this.#process.result();
    } catch (error) {
      if (!(error instanceof ProcessDiedError)) cause = error;
    }
    const hint = signalCode === 'SIGABRT' ? ' If it ran out of memory, raise its resourceLimits.' : '';
    return new WorkerDiedError(
      `The worker ${this.#process.name} (${this.pid}) of a pool ended ${how} ${what}.${hint}`,
      {
        exitCode,
        signalCode,
        task,
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }

  /** The bell has rung: there are results. Not all of them at once, so that others have their turns. */
  #drainInTurns(): void {
    if (this.#draining || this.#hasEnded) return;
    // Before looking: what is put in after the last look rings again.
    Atomics.store(this.#place, place.rung, 0);
    const all = this.#drain(RESULTS_PER_TURN);
    this.#events.ready(this);
    if (all) return;
    this.#draining = true;
    setImmediate(() => {
      this.#draining = false;
      this.#drainInTurns();
    });
  }

  /** Deals with the results that are there. @returns whether these were all. */
  #drain(most: number): boolean {
    for (let i = 0; i < most; i++) {
      if (this.#isReady && this.#chunks === 0) return true;
      let message: () => unknown;
      try {
        const taken = this.#results.tryGet();
        if (taken === undefined) return true;
        message = () => taken.value;
      } catch (error) {
        message = () => {
          throw error;
        };
      }
      this.#receive(message);
    }
    return false;
  }

  #receive(message: () => unknown): void {
    let report: typeof READY | ArrayLike<unknown> | Report;
    try {
      report = message() as typeof report;
    } catch (error) {
      report = { values: [], failures: [[-1, error]] };
    }
    const { values, failures }: { values: ArrayLike<unknown>; failures: Failures } =
      typeof report === 'string'
        ? { values: [], failures: [] }
        : isList(report)
          ? { values: report, failures: [] }
          : (report as Report);
    if (!this.#isReady) return this.#started(failures[0]?.[1]);
    // It may have had no function: then it is told again before the next chunk.
    if (failures.length > 0 && failures[0]![0] < 0) this.#announced = undefined;
    let sent = this.#sent.shift();
    while (sent === FUNCTION) sent = this.#sent.shift();
    if (sent === undefined) return;
    this.#chunks -= 1;
    this.#answered += 1;
    this.#tasksDone += sent.items.length;
    const time = performance.now();
    const took = time - this.#since;
    this.#pace = this.#pace === Number.POSITIVE_INFINITY ? took : this.#pace * 0.75 + took * 0.25;
    this.#busy += took;
    this.#since = time;
    this.#events.done(this, sent, values, failures);
  }

  #started(error: unknown): void {
    if (error !== undefined) return this.#events.refused(error);
    this.#isReady = true;
    this.#since = performance.now();
  }

  #end(): void {
    this.#drain(Number.POSITIVE_INFINITY);
    this.#hasEnded = true;
    this.#events.ended(this);
    this.#first.dispose();
    this.#tasks.dispose();
    this.#results.dispose();
  }
}
