import { ClosedError } from '../errors/index.js';
import { now } from '../heap/internal.js';
import type { PoolStats } from '../pool/index.js';
import { type Call, type Chunk, type Failures, pack, part, type Workforce } from '../pool/internal.js';
import type { TravellingFunction } from '../process/internal.js';
import { Consumer } from './consumer.js';
import { deathsOf, lostError, nameOf, unpackOutcome } from './crew-outcomes.js';
import type { Engine } from './engine.js';
import { closedError } from './line.js';
import type { PoolBoard } from './pool-board.js';
import type { Outcome } from './scripts/pool.js';
import { encodeChunk, type Sealed, seal } from './task-payload.js';

/** So many chunks for each worker are at the server at a time. */
const WINDOW = 8;
/** So many are sent, or asked about, at once. */
const MOST_AT_ONCE = 200;
const MOST_BYTES = 1024 * 1024;

/** A chunk that is at the server. */
interface Sent {
  readonly chunk: Chunk;
  readonly consumer: string;
  /** Whether the server has said that it is there. */
  isHeld: boolean;
}

/** One that is on its way there. */
interface Posted {
  readonly id: string;
  readonly bytes: Buffer;
}

/** What leads to the workers of a pool at a server. The calls are here; their chunks are sent there and come back. */
export class RedisCrew implements Workforce {
  readonly #engine: Engine;
  readonly #board: PoolBoard;
  #window = WINDOW;
  readonly #consumer: Consumer;
  /** Calls that are not done, and how many of their chunks are at the server. */
  readonly #calls = new Map<Call, number>();
  readonly #sent = new Map<string, Sent>();
  /** Chunks of which the outcome is here, and the server has not been told so. */
  #arrived: string[] = [];
  /** Chunks of which there may be an outcome. */
  #hinted = new Set<string>();
  #outbox: Posted[] = [];
  #leave: (() => void) | undefined;
  #gathering = false;
  #wake: () => void = () => {};
  #closed = false;
  #done = 0;
  #failed = 0;
  #workers: PoolStats['workers'] = [];
  #over!: () => void;
  readonly over: Promise<void> = new Promise((resolve) => {
    this.#over = resolve;
  });

  constructor(engine: Engine, board: PoolBoard) {
    this.#engine = engine;
    this.#board = board;
    void engine.closed.then(() => this.#wake());
    this.#consumer = new Consumer(engine, {
      leases: board.leases,
      resign: (consumer, patience) => board.resign(consumer, patience),
      onLost: () => this.#failAll(lostError()),
    });
  }

  /** @param processes how many work for it, as far as is known. */
  expect(processes: number): void {
    this.#window = WINDOW * processes;
  }

  check(): void {
    if (!this.#engine.isOpen) throw closedError();
    if (this.#closed) throw new ClosedError('The pool has been closed, and takes no more tasks.');
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  enlist(call: Call): void {
    if (!this.#calls.has(call)) this.#calls.set(call, 0);
    void this.#send(call);
  }

  finish(call: Call): void {
    this.#calls.delete(call);
    this.#endIfDone();
  }

  abandon(call: Call, end: boolean): void {
    this.#dropIf((sent) => sent.chunk.call === call, end);
    this.finish(call);
  }

  stats(): PoolStats {
    this.#refresh().catch(() => {}); // for the next time
    const unfinished = [...this.#calls.keys()].reduce((sum, call) => sum + call.unfinished, 0);
    const running = Math.min(unfinished, this.#sent.size, this.#workers.length);
    const workers = this.#workers.map((worker) => ({ ...worker }));
    return { queued: unfinished - running, running, done: this.#done, failed: this.#failed, workers };
  }

  close(): void {
    this.#closed = true;
    this.#endIfDone();
  }

  async terminate(): Promise<void> {
    this.#closed = true;
    this.#failAll(new ClosedError('The pool was terminated before this was done.'));
    await this.over;
  }

  /** Asks how the workers are. */
  async #refresh(): Promise<void> {
    const { workers } = await this.#board.collect([], [], true);
    this.#workers = workers.flatMap((text) => JSON.parse(text) as PoolStats['workers']);
  }

  /** How many processes work for it now. */
  async countWorkers(): Promise<number> {
    await this.#refresh();
    return this.#workers.length;
  }

  async #send(call: Call): Promise<void> {
    try {
      await this.#consumer.start();
    } catch (error) {
      return this.#fail(call, error);
    }
    const { fn, spread } = call.job;
    let name: string;
    try {
      name = nameOf(fn as TravellingFunction);
    } catch (error) {
      return this.#fail(call, error);
    }
    while (!call.over && (this.#calls.get(call) ?? this.#window) < this.#window) {
      const chunk = call.take();
      if (chunk === undefined) return;
      this.#submit(name, spread, chunk);
    }
  }

  /** Tasks that cannot travel fail, and the others are sent without them. */
  #submit(name: string, spread: boolean, chunk: Chunk): void {
    const { call, items } = chunk;
    const label = spread ? 'args' : 'item';
    let sealed: Sealed[] = [];
    let from = 0;
    for (let i = 0; i <= items.length; i++) {
      try {
        if (i < items.length) {
          sealed.push(seal(items[i], label));
          continue;
        }
      } catch (error) {
        if (!call.over) this.#settle(part(chunk, i, i + 1), [undefined], [[0, error]]);
      }
      if (sealed.length > 0) this.#post(name, spread, part(chunk, from, i), sealed);
      sealed = [];
      from = i + 1;
    }
  }

  #post(name: string, spread: boolean, chunk: Chunk, sealed: readonly Sealed[]): void {
    const { call, first, deaths } = chunk;
    const consumer = this.#consumer.id;
    const id = `${consumer}.${this.#engine.nextNumber()}`;
    const retries = Math.max(0, call.retries - deaths);
    const bytes = encodeChunk({ name, spread, retries, first, items: pack(sealed) as ArrayLike<Sealed> });
    this.#calls.set(call, (this.#calls.get(call) ?? 0) + 1);
    this.#sent.set(id, { chunk, consumer, isHeld: false });
    // Those of one turn are sent together.
    if (this.#outbox.push({ id, bytes }) === 1) queueMicrotask(() => this.#flush());
    void this.#gather();
  }

  #flush(): void {
    const all = this.#outbox.filter(({ id }) => this.#sent.has(id));
    this.#outbox = [];
    let some: Posted[] = [];
    let size = 0;
    for (const [i, posted] of all.entries()) {
      some.push(posted);
      size += posted.bytes.length;
      if (some.length < MOST_AT_ONCE && size < MOST_BYTES && i < all.length - 1) continue;
      void this.#deliverTo(this.#sent.get(posted.id)!.consumer, some);
      some = [];
      size = 0;
    }
  }

  async #deliverTo(consumer: string, posted: readonly Posted[]): Promise<void> {
    const ends = now() + this.#engine.leases.lease;
    try {
      await this.#board.submit(
        consumer,
        posted.flatMap(({ id, bytes }) => [id, bytes]),
      );
      for (const { id } of posted) {
        const sent = this.#sent.get(id);
        if (sent !== undefined) sent.isHeld = this.#consumer.took(consumer, ends);
      }
    } catch (error) {
      for (const { id } of posted) {
        const sent = this.#take(id);
        if (sent !== undefined) this.#fail(sent.chunk.call, error);
      }
    }
  }

  /** Gets outcomes, as long as there are any to come. */
  async #gather(): Promise<void> {
    if (this.#gathering) return;
    this.#gathering = true;
    const alive = setInterval(() => {}, 2 ** 30); // connections do not keep the process so
    try {
      this.#leave ??= await this.#engine.listen(`${this.#engine.wakes}${this.#engine.client}`, (message) => {
        if (message === undefined) this.#wake();
        else if (this.#sent.has(String(message))) {
          this.#hinted.add(String(message));
          this.#wake();
        }
      });
      let next = 0;
      while (this.#sent.size > 0) {
        const isDue = now() >= next;
        if (isDue || this.#hinted.size > 0) {
          const again = await this.#collect(isDue);
          if (isDue) next = now() + again;
        }
        if (this.#sent.size > 0 && this.#hinted.size === 0) await this.#sleep(next - now());
      }
      if (this.#arrived.length > 0) await this.#board.collect(this.#arrived.splice(0), [], false);
    } catch (error) {
      this.#failAll(error);
    } finally {
      clearInterval(alive);
      this.#gathering = false;
      if (this.#sent.size > 0) void this.#gather();
    }
  }

  /** @param all whether to ask about all chunks. @returns in how many ms to do that again. */
  async #collect(all: boolean): Promise<number> {
    const arrived = this.#arrived.splice(0);
    const wanted = [...(all ? this.#sent.keys() : this.#hinted)].filter((id) => this.#sent.has(id));
    this.#hinted.clear();
    let again = Number.POSITIVE_INFINITY;
    for (let i = 0; i === 0 || i < wanted.length; i += MOST_AT_ONCE) {
      const some = wanted.slice(i, i + MOST_AT_ONCE);
      const found = await this.#board.collect(i === 0 ? arrived : [], some, all && i === 0);
      again = Math.min(again, found.again);
      if (all && i === 0) this.#workers = found.workers.flatMap((text) => JSON.parse(text) as PoolStats['workers']);
      for (const [at, id] of some.entries()) this.#arrive(id, found.outcomes[at]!);
    }
    return again;
  }

  #arrive(id: string, outcome: Outcome): void {
    // One that is on its way there is not there yet.
    if (outcome === 'pending' || (outcome === 'gone' && this.#sent.get(id)?.isHeld === false)) return;
    const sent = this.#take(id);
    if (outcome !== 'gone') this.#arrived.push(id);
    if (sent === undefined) return;
    const { chunk } = sent;
    if (chunk.call.over) return;
    if (outcome === 'lost') this.#mourn(chunk);
    else if (outcome === 'gone') this.#fail(chunk.call, lostError());
    else this.#deliver(chunk, outcome);
    if (!chunk.call.over) void this.#send(chunk.call);
  }

  #deliver(chunk: Chunk, outcome: Buffer): void {
    const { values, failures } = unpackOutcome(outcome, chunk.items.length);
    this.#settle(chunk, values, failures);
  }

  /** The worker was lost with all that it was at. Which of the tasks of a chunk it had begun, nobody knows. */
  #mourn(chunk: Chunk): void {
    const deaths = chunk.deaths + 1;
    const { fn, spread } = chunk.call.job;
    if (deaths <= chunk.call.retries) {
      const name = nameOf(fn as TravellingFunction);
      for (let i = 0; i < chunk.items.length; i++) this.#submit(name, spread, part(chunk, i, i + 1, deaths));
      return;
    }
    this.#settle(chunk, [], deathsOf(chunk));
  }

  #settle(chunk: Chunk, values: ArrayLike<unknown>, failures: Failures): void {
    this.#failed += failures.length;
    this.#done += chunk.items.length - failures.length;
    if (!chunk.call.over) chunk.call.settle(chunk.first, values, failures);
  }

  /** It is not at the server any more. */
  #take(id: string): Sent | undefined {
    const sent = this.#sent.get(id);
    if (sent === undefined) return undefined;
    this.#sent.delete(id);
    if (sent.isHeld) this.#consumer.settled(sent.consumer);
    const count = this.#calls.get(sent.chunk.call);
    if (count !== undefined) this.#calls.set(sent.chunk.call, count - 1);
    return sent;
  }

  #dropIf(isDropped: (sent: Sent) => boolean, end: boolean): void {
    const ids = [...this.#sent].filter(([, sent]) => isDropped(sent)).map(([id]) => id);
    if (ids.length === 0) return;
    for (const id of ids) this.#take(id);
    this.#wake();
    this.#flush(); // before it: or it would be sent afterwards
    for (let i = 0; i < ids.length; i += MOST_AT_ONCE) {
      this.#board.drop(ids.slice(i, i + MOST_AT_ONCE), end).catch(() => {}); // its lease ends
    }
  }

  #fail(call: Call, error: unknown): void {
    if (call.over) return;
    this.#failed += call.unfinished;
    this.#dropIf((sent) => sent.chunk.call === call, true);
    call.fail(error);
    this.finish(call);
  }

  #failAll(error: unknown): void {
    for (const call of [...this.#calls.keys()]) this.#fail(call, error);
    this.#dropIf(() => true, true);
    this.#calls.clear();
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#closed || this.#calls.size > 0) return;
    this.#leave?.();
    this.#leave = undefined;
    this.#over();
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}
