import { encode } from '../codec/internal.js';
import { ClosedError, type WorkerDiedError } from '../errors/index.js';
import type { Call, Chunk, Failures } from './chunk.js';
import { part } from './chunk.js';
import { type Initializer, type Lost, Member } from './member.js';
import type { PoolStats } from './pool-stats.js';
import type { Workforce } from './workforce.js';

/** So many workers in a row that end before they are ready break the pool: the next ones would, too. */
const MOST_FAILED_STARTS = 8;
/** So often a chunk is handed on that no worker lived to begin. */
const MOST_DEATHS_BEFORE = 8;
/** An idle worker takes over what another one has waiting that has been at its chunk for so long. */
const BALANCE_MS = 4;

/** For so long nobody is woken who has been given something, while others are. */
const MOST_ASLEEP_MS = 0.1;

/** A worker that is just taking something is asked again for what it has. */
const RETRY_MS = 1;
const TRIES_TO_TAKE_BACK = 20;

/** What all members of a crew have in common. */
export interface CrewSettings {
  readonly size: number;
  readonly initializer: Initializer;
  /** After so many chunks a member is replaced. */
  readonly maxTasks: number;
  /** Flags for Node, besides those of this process. */
  readonly flags: readonly string[];
}

let workers = 0;

/** The workers of a pool: hands out chunks of the calls, gathers the outcomes, replaces who dies. */
export class Crew implements Workforce {
  readonly #settings: CrewSettings;
  readonly #members = new Set<Member>();
  /** Calls that are not done. */
  readonly #calls = new Set<Call>();
  /** Those of them that have chunks to hand out; who has had one goes to the end. */
  readonly #waiting = new Set<Call>();
  /** Chunks that were handed out and came back. */
  readonly #returned: Chunk[] = [];
  #failedStarts = 0;
  #done = 0;
  #failed = 0;
  #closed = false;
  #broken: { readonly error: unknown } | undefined;
  #balancing: NodeJS.Timeout | undefined;
  /** Keeps the event loop alive while tasks are not done, whoever is at them: workers come and go. */
  readonly #alive = setInterval(() => {}, 2 ** 30).unref();
  #over!: () => void;
  /** All members have ended, and none will come. */
  readonly over: Promise<void> = new Promise((resolve) => {
    this.#over = resolve;
  });

  /** @throws what `Process.start()` throws. */
  constructor(settings: CrewSettings) {
    this.#settings = settings;
    try {
      for (let i = 0; i < settings.size; i++) this.#hire();
    } catch (error) {
      for (const member of this.#members) member.kill();
      this.#closed = true;
      throw error;
    }
  }

  /** @throws what the pool is broken by; ClosedError. */
  check(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
    if (this.#closed) throw new ClosedError('The pool has been closed, and takes no more tasks.');
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  enlist(call: Call): void {
    if (this.#broken !== undefined) return call.fail(this.#broken.error);
    this.#calls.add(call);
    this.#waiting.add(call);
    this.#handOut();
  }

  finish(call: Call): void {
    this.#calls.delete(call);
    this.#waiting.delete(call);
    this.#stayAlive();
    this.#endIfDone();
  }

  #stayAlive(): void {
    for (const { unfinished } of this.#calls) if (unfinished > 0) return void this.#alive.ref();
    this.#alive.unref();
  }

  abandon(call: Call, end: boolean): void {
    this.#drop((chunk) => chunk.call === call);
    for (const member of this.#members) this.#abandonAt(member, call, end);
    this.finish(call);
    this.#handOut();
  }

  #abandonAt(member: Member, call: Call, end: boolean, tries = 0): void {
    if (member.load === 0) return;
    if (member.load > 1 || !end) {
      const back = member.takeBack();
      if (back === undefined && tries < TRIES_TO_TAKE_BACK) {
        setTimeout(() => this.#abandonAt(member, call, end, tries + 1), RETRY_MS);
        return;
      }
      this.#returned.unshift(...(back ?? []).filter((chunk) => chunk.call !== call));
    }
    if (end && member.current?.call === call) member.kill();
    if (tries > 0) this.#handOut();
  }

  close(): void {
    this.#closed = true;
    this.#endIfDone();
  }

  async terminate(): Promise<void> {
    this.#closed = true;
    this.#failAll(new ClosedError('The pool was terminated before this was done.'));
    await Promise.all([...this.#members].map((member) => member.terminate()));
    this.#endIfDone();
    await this.over;
  }

  stats(): PoolStats {
    const members = [...this.#members];
    const unfinished = [...this.#calls].reduce((sum, call) => sum + call.unfinished, 0);
    const running = members.filter((member) => member.isAtWork).length;
    return {
      queued: Math.max(0, unfinished - running),
      running,
      done: this.#done,
      failed: this.#failed,
      workers: members.map((member) => ({ pid: member.pid, tasks: member.tasksDone, busy: member.busy })),
    };
  }

  #hire(): void {
    workers += 1;
    this.#members.add(
      new Member(`PoolWorker-${workers}`, this.#settings, {
        done: (member, chunk, values, failures) => this.#settle(member, chunk, values, failures),
        ready: () => this.#handOut(),
        refused: (error) => this.#break(error),
        ended: (member) => void this.#bury(member),
      }),
    );
  }

  #settle(member: Member, chunk: Chunk, values: ArrayLike<unknown>, failures: Failures): void {
    this.#failedStarts = 0;
    const all = failures.find(([index]) => index < 0);
    this.#deliver(chunk, values, all === undefined ? failures : chunk.items.map((_, i) => [i, all[1]] as const));
    if (member.load === 0 && member.given >= this.#settings.maxTasks) member.retire();
  }

  #deliver(chunk: Chunk, values: ArrayLike<unknown>, failures: Failures): void {
    this.#failed += failures.length;
    this.#done += chunk.items.length - failures.length;
    if (!chunk.call.over) chunk.call.settle(chunk.first, values, failures);
    this.#stayAlive();
  }

  /**
   * Gives chunks to who has room, the idlest first. They are woken when all have been given something: on a machine with few
   * processors, one that is woken takes this one's from this process, and the others wait.
   */
  #handOut(): void {
    this.#stayAlive();
    let since = performance.now();
    try {
      for (;;) {
        const member = this.#idlest();
        if (member === undefined) return;
        const chunk = this.#next();
        if (chunk === undefined) return this.#balanceSoon();
        try {
          member.give(chunk);
          if (member.given >= this.#settings.maxTasks) member.retire();
        } catch (error) {
          this.#sort(chunk, error);
        }
        const now = performance.now();
        if (now - since < MOST_ASLEEP_MS) continue;
        since = now;
        this.#wakeAll();
      }
    } finally {
      this.#wakeAll();
    }
  }

  #wakeAll(): void {
    for (const member of this.#members) member.wake();
  }

  #idlest(): Member | undefined {
    let idlest: Member | undefined;
    for (const member of this.#members) {
      if (!member.hasRoom || member.given >= this.#settings.maxTasks) continue;
      if (idlest === undefined || member.load < idlest.load) idlest = member;
    }
    return idlest;
  }

  #next(): Chunk | undefined {
    for (let chunk = this.#returned.shift(); chunk !== undefined; chunk = this.#returned.shift()) {
      if (!chunk.call.over) return chunk;
    }
    for (const call of this.#waiting) {
      this.#waiting.delete(call);
      const chunk = call.over ? undefined : call.take();
      if (chunk === undefined) continue;
      this.#waiting.add(call);
      return chunk;
    }
    return undefined;
  }

  /** A chunk could not be sent: tasks that cannot travel fail, and the others are sent without them. */
  #sort(chunk: Chunk, reason: unknown): void {
    const label = chunk.call.job.spread ? 'args' : 'item';
    const fitting: number[] = [];
    for (const [i, item] of chunk.items.entries()) {
      try {
        encode(item, label);
        fitting.push(i);
      } catch (error) {
        this.#deliver(part(chunk, i, i + 1), [undefined], [[0, error]]);
      }
    }
    if (fitting.length === chunk.items.length) {
      // It is not the tasks: the function, or there is no room for so much.
      return this.#deliver(
        chunk,
        [],
        chunk.items.map((_, i) => [i, reason] as const),
      );
    }
    for (const i of fitting) this.#returned.push(part(chunk, i, i + 1));
  }

  /** When somebody has nothing to do, and somebody else has something waiting for a while, that is taken over. */
  #balanceSoon(): void {
    if (this.#balancing !== undefined || !this.#isUneven()) return;
    this.#balancing = setTimeout(() => {
      this.#balancing = undefined;
      if (!this.#isUneven()) return;
      const slow = [...this.#members].filter((member) => member.load > 1 && member.atIt > BALANCE_MS);
      for (const member of slow) this.#returned.unshift(...(member.takeBack() ?? []));
      if (slow.length > 0) this.#handOut();
      this.#balanceSoon();
    }, BALANCE_MS);
  }

  #isUneven(): boolean {
    let idle = false;
    let waiting = false;
    for (const member of this.#members) {
      if (member.load === 0 && member.hasRoom && member.given < this.#settings.maxTasks) idle = true;
      if (member.load > 1) waiting = true;
    }
    return idle && waiting;
  }

  #drop(isDropped: (chunk: Chunk) => boolean): void {
    const kept = this.#returned.filter((chunk) => !isDropped(chunk));
    this.#returned.length = 0;
    this.#returned.push(...kept);
  }

  async #bury(member: Member): Promise<void> {
    this.#members.delete(member);
    const lost = member.lost();
    const isDead = !member.isRetiring || lost.chunks.length > 0;
    if (isDead && !member.isReady) this.#failedStarts += 1;
    if (this.#failedStarts >= MOST_FAILED_STARTS) this.#break(await member.death(undefined));
    this.#replace();
    if (lost.chunks.length > 0) await this.#mourn(member, lost);
    this.#handOut();
    this.#endIfDone();
  }

  #replace(): void {
    if (this.#broken !== undefined || (this.#closed && this.#calls.size === 0)) return;
    try {
      while (this.#members.size < this.#settings.size) this.#hire();
    } catch (error) {
      this.#break(error);
    }
  }

  /** The task that a worker died of fails, or is tried again by itself; what was not begun goes to others. */
  async #mourn(member: Member, { chunks, at }: Lost): Promise<void> {
    const [first, ...rest] = chunks as [Chunk, ...Chunk[]];
    this.#returned.unshift(...rest);
    const { retries } = first.call;
    const deaths = first.deaths + 1;
    if (at === undefined) {
      // Nobody has begun it. But if all who are to begin it die, it may be its fault.
      if (deaths <= Math.max(retries, MOST_DEATHS_BEFORE)) this.#returned.unshift({ ...first, deaths });
      else this.#failLost(first, await member.death(first.first));
      return;
    }
    const after = part(first, at + 1, first.items.length);
    if (after.items.length > 0) this.#returned.unshift(after);
    if (deaths > retries) {
      // What it had done before is lost with it: that may not be done twice.
      this.#failLost(part(first, 0, at + 1), await member.death(first.first + at));
      return;
    }
    this.#returned.unshift(part(first, at, at + 1, deaths));
    if (at > 0) this.#returned.unshift(part(first, 0, at, deaths));
  }

  #failLost(chunk: Chunk, error: WorkerDiedError): void {
    this.#deliver(
      chunk,
      [],
      chunk.items.map((_, i) => [i, error] as const),
    );
  }

  #break(error: unknown): void {
    if (this.#broken !== undefined) return;
    this.#broken = { error };
    this.#failAll(error);
    for (const member of this.#members) member.kill();
  }

  #failAll(error: unknown): void {
    this.#returned.length = 0;
    for (const call of [...this.#calls]) {
      this.#failed += call.unfinished;
      call.fail(error);
    }
    this.#calls.clear();
    this.#waiting.clear();
    this.#stayAlive();
  }

  #endIfDone(): void {
    if (!this.#closed || this.#calls.size > 0) return;
    for (const member of this.#members) member.retire();
    if (this.#members.size === 0) {
      clearTimeout(this.#balancing);
      clearInterval(this.#alive);
      this.#over();
    }
  }
}
