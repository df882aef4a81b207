import { randomUUID } from 'node:crypto';
import { ClosedError, ManagerClosedError, RemoteError } from '../../errors/index.js';
import type { RootAddress } from '../../heap/internal.js';
import type { PoolStats } from '../../pool/index.js';
import {
  type Call,
  type Chunk,
  type Failures,
  pack,
  type Sealed,
  seal,
  unseal,
  unsealError,
  type Workforce,
} from '../../pool/internal.js';
import { StreamMark } from '../client-messages.js';
import type { Link } from '../link.js';
import { ask } from '../protocol.js';
import type { Board, BoardState } from './board.js';
import type { ChunkOutcome } from './served-call.js';

/** So many chunks for each worker are with the server at a time. */
const WINDOW = 8;

/** A call that is under way. */
interface Underway {
  readonly id: string;
  /** What the server was asked to begin it by; with the number by which it is left. */
  readonly begun: Promise<number | undefined>;
  inFlight: number;
  /** Tasks whose outcomes have come back. */
  done: number;
}

/** What leads to the crew of a pool in a manager's server. The calls are here; their chunks are sent there and come back. */
export class RemoteCrew implements Workforce {
  readonly #link: Link;
  readonly #at: RootAddress;
  readonly #board: Board;
  readonly #window: number;
  readonly #calls = new Map<Call, Underway>();
  #closedHere = false;
  /** Held while something is under way. */
  #pool: object | undefined;

  constructor(link: Link, at: RootAddress, board: Board) {
    this.#link = link;
    this.#at = at;
    this.#board = board;
    this.#window = WINDOW * (board.get('facts') as { processes: number }).processes;
  }

  worksFor(pool: object): void {
    this.#pool = pool;
  }

  check(): void {
    this.#link.check();
    if (this.isClosed) throw new ClosedError('The pool has been closed, and takes no more tasks.');
  }

  get isClosed(): boolean {
    return this.#closedHere || this.#state.closed;
  }

  enlist(call: Call): void {
    let underway = this.#calls.get(call);
    if (underway === undefined) {
      const id = randomUUID();
      underway = { id, begun: this.#begin(call, id), inFlight: 0, done: 0 };
      this.#calls.set(call, underway);
    }
    this.#send(call, underway);
  }

  finish(call: Call): void {
    const underway = this.#calls.get(call);
    if (underway === undefined) return;
    this.#calls.delete(call);
    void underway.begun.then((number) => {
      if (number !== undefined) this.#tell(ask.leave, [number]);
    });
  }

  abandon(call: Call, end: boolean): void {
    const underway = this.#calls.get(call);
    if (underway === undefined) return;
    this.#tell(ask.call, [this.#at.address, this.#at.serial, 'abandon', [underway.id, end]]);
    this.finish(call);
  }

  stats(): PoolStats {
    this.#link.check();
    const { closed: _, ...stats } = this.#state;
    return stats;
  }

  close(): void {
    this.#closedHere = true;
    this.#tell(ask.call, [this.#at.address, this.#at.serial, 'close', []]);
  }

  async terminate(): Promise<void> {
    this.#closedHere = true;
    const ended = this.#ask('terminate', []);
    try {
      await ended;
    } catch (error) {
      if (!(error instanceof ManagerClosedError)) throw error; // with the server its pools have ended
    }
  }

  get over(): Promise<void> {
    return this.#ask('join', []).then(
      () => {},
      () => {}, // with the server its pools have ended
    );
  }

  get #state(): BoardState {
    return this.#board.get('state') as BoardState;
  }

  async #begin(call: Call, id: string): Promise<number | undefined> {
    try {
      const answer = await this.#ask('begin', [id, call.job, call.retries]);
      if (answer instanceof StreamMark) return answer.number;
      this.#fail(call, (answer as { failed: unknown }).failed);
    } catch (error) {
      this.#fail(call, error);
    }
    return undefined;
  }

  #send(call: Call, underway: Underway): void {
    while (!call.over && underway.inFlight < this.#window) {
      const chunk = call.take();
      if (chunk === undefined) return;
      for (const run of this.#sealed(chunk)) void this.#work(call, underway, run);
    }
  }

  /** The tasks of a chunk, sealed, in runs: those that cannot travel fail, and the others are sent without them. */
  #sealed({ call, first, items }: Chunk): { first: number; items: Sealed[] }[] {
    const label = call.job.spread ? 'args' : 'item';
    const runs: { first: number; items: Sealed[] }[] = [];
    let run: Sealed[] | undefined;
    for (let i = 0; i < items.length; i++) {
      try {
        const sealed = seal(items[i], label);
        if (run === undefined) {
          run = [];
          runs.push({ first: first + i, items: run });
        }
        run.push(sealed);
      } catch (error) {
        run = undefined;
        if (!call.over) call.settle(first + i, [undefined], [[0, error]]);
      }
    }
    return runs;
  }

  async #work(call: Call, underway: Underway, { first, items }: { first: number; items: Sealed[] }): Promise<void> {
    underway.inFlight += 1;
    let outcome: ChunkOutcome;
    try {
      outcome = (await this.#ask('work', [
        underway.id,
        first,
        pack(items),
        underway.done + call.unfinished,
      ])) as ChunkOutcome;
    } catch (error) {
      // What is too large for a message fails by itself; otherwise the pool is gone, or its server.
      outcome = error instanceof RangeError ? [[], items.map((_, i) => [i, error] as const)] : { failed: error };
    }
    underway.inFlight -= 1;
    underway.done += items.length;
    if (call.over) return;
    if ('failed' in outcome) return this.#fail(call, outcome.failed);
    this.#settle(call, first, outcome);
    this.#send(call, underway);
  }

  #settle(call: Call, first: number, [sealed, failures]: readonly [ArrayLike<unknown>, Failures]): void {
    const failed = new Map(failures);
    const values: unknown[] = [];
    const errors: (readonly [number, unknown])[] = [];
    for (let i = 0; i < sealed.length || i < failures.length; i++) {
      try {
        if (failed.has(i)) throw unsealError(failed.get(i));
        values.push(unseal(sealed[i] as Sealed));
      } catch (error) {
        values.push(undefined);
        errors.push([i, error]);
      }
    }
    call.settle(first, values, errors);
  }

  #fail(call: Call, error: unknown): void {
    if (call.over) return;
    call.fail(error instanceof RemoteError && error.cause !== undefined ? error.cause : error);
  }

  async #ask(method: string, args: readonly unknown[]): Promise<unknown> {
    const operands = [this.#at.address, this.#at.serial, method, args];
    return this.#link.connect().request(ask.call, operands, { asker: this.#pool });
  }

  /** Nobody waits for the answer: if the server is gone, so is what it is told of. */
  #tell(kind: number, operands: readonly unknown[]): void {
    try {
      this.#link
        .connect()
        .request(kind, operands, { asker: this.#pool })
        .catch(() => {});
    } catch {}
  }
}
