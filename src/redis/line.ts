import { ManagerClosedError, MultiprocessError, UncertainOutcomeError } from '../errors/index.js';
import { now } from '../heap/internal.js';
import { checkMode, meet, type Up } from './meet.js';
import { type Argument, type Connection, type Dial, LostError, type Reply, ReplyError } from './port.js';
import type { Script } from './script.js';
import { errorOfReaching, errorOfReply } from './server-errors.js';

/** How long a call waits for a server that cannot be reached, in ms. */
export const PATIENCE_MS = 10_000;
/** What has not been answered for so long will not be: the connection is given up. A server may be stopped for a while. */
const UNANSWERED_MS = 20_000;
const LOOK_MS = 5000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;

/** What becomes of a call whose connection was lost before the answer. */
export type Again =
  /** It may be asked for again: the second time changes nothing. */
  | 'repeatable'
  /** The server remembers what it has answered: the same server may be asked again, not one that may have lost it. */
  | 'once';

export interface Call {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly Argument[];
  readonly again: Again;
  /** Default: PATIENCE_MS; Infinity for what waits. */
  readonly patience?: number;
}

/** How far a call has come, at whichever server. */
export interface Progress {
  /** The server that it was sent to, and that has not answered. */
  sentTo: string | undefined;
  repeated: boolean;
}

/** There was no connection in time. */
export class Unreached extends Error {}

/** What is asked for goes to where its keys are. */
export interface Line {
  /** @throws (rejects) when it does not succeed at the first try. */
  open(): Promise<void>;
  /**
   * Runs a script.
   *
   * @param note told whether it was asked for more than once.
   * @throws (rejects) ManagerClosedError; UncertainOutcomeError; a system error while the server cannot be reached; what the
   * server's refusal stands for.
   */
  run(call: Call, note?: { repeated: boolean }): Promise<Reply>;
  /** A connection of its own, for messages. */
  dialAny(): Promise<Connection>;
  /** Ends it: what has been asked for is rejected. */
  close(): void;
}

/** A connection to one server, made anew whenever it is lost. Keeps an event loop alive only while something is asked. */
export class ServerLine implements Line {
  readonly #dial: Dial;
  readonly #address: string;
  readonly #isOfCluster: boolean;
  #up: Promise<Up> | undefined;
  /** What `#up` has come to, while it is connected. */
  #current: Up | undefined;
  #failure: unknown;
  readonly #asked = new Set<{ since: number }>();
  #watch: NodeJS.Timeout | undefined;
  #closed = false;
  #wakeDialling: () => void = () => {};

  /** @param isOfCluster whether it is to be a server of a cluster. */
  constructor(dial: Dial, address: string, isOfCluster = false) {
    this.#dial = dial;
    this.#address = address;
    this.#isOfCluster = isOfCluster;
  }

  async open(): Promise<void> {
    let up: Up;
    try {
      up = await meet(this.#dial, !this.#isOfCluster);
    } catch (error) {
      throw this.#cannot(error);
    }
    try {
      checkMode(up.isCluster, this.#isOfCluster);
    } catch (error) {
      up.connection.end();
      throw error;
    }
    this.#use(up);
  }

  async run(call: Call, note?: { repeated: boolean }): Promise<Reply> {
    const progress: Progress = { sentTo: undefined, repeated: false };
    try {
      return await this.attempt(call, progress, now() + (call.patience ?? PATIENCE_MS));
    } catch (error) {
      if (error instanceof ReplyError) throw errorOfReply(error);
      if (error instanceof Unreached) throw isUncertain(call, progress) ? uncertain() : this.failure;
      throw error;
    } finally {
      if (progress.repeated && note !== undefined) note.repeated = true;
    }
  }

  /**
   * Runs a script, as long as there is time.
   *
   * @param asking whether to be let in at a server of a cluster that is just taking over what is asked for.
   * @throws (rejects) ManagerClosedError; UncertainOutcomeError; Unreached; ReplyError.
   */
  async attempt(call: Call, progress: Progress, deadline: number, asking = false): Promise<Reply> {
    for (;;) {
      const { connection, run } = await this.#reach(deadline);
      if (isUncertain(call, progress) && progress.sentTo !== run) throw uncertain();
      if (progress.sentTo !== undefined) progress.repeated = true;
      try {
        return await this.#ask(connection, call, asking);
      } catch (error) {
        if (error instanceof ReplyError) {
          if (error.word !== 'READONLY' || now() > deadline) throw error;
          connection.end(); // it was a primary before: where the address leads now may be one
          this.#lost(connection);
          await this.#pause(LONGEST_PAUSE_MS);
          continue;
        }
        if (this.#closed) throw closedError();
        this.#lost(connection);
        progress.sentTo = run;
      }
    }
  }

  /** Asks a server of a cluster about it. @throws (rejects) Unreached; ReplyError; LostError. */
  async command(args: readonly Argument[], deadline: number): Promise<Reply> {
    const { connection } = await this.#reach(deadline);
    return this.#watched(connection, () => connection.call(args));
  }

  dialAny(): Promise<Connection> {
    return this.#dial();
  }

  /** Why there has been no connection. */
  get failure(): Error {
    return this.#cannot(this.#failure ?? new LostError('it does not answer'));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.#current?.connection.end();
    this.#wakeDialling();
  }

  #ask(connection: Connection, { script, keys, args }: Call, asking: boolean): Promise<Reply> {
    const call = (command: string, what: string) => {
      if (asking) connection.call(['ASKING']).catch(() => {}); // what it is for is told by the answer to the next
      return connection.call([command, what, keys.length, ...keys, ...args]);
    };
    return this.#watched(connection, async () => {
      try {
        return await call('EVALSHA', script.hash);
      } catch (error) {
        if (!(error instanceof ReplyError) || error.word !== 'NOSCRIPT') throw error;
        return await call('EVAL', script.text);
      }
    });
  }

  /** Does not wait for an answer for ever, and keeps the process alive meanwhile. */
  async #watched(connection: Connection, ask: () => Promise<Reply>): Promise<Reply> {
    const asked = { since: now() };
    if (this.#asked.size === 0) connection.ref();
    this.#asked.add(asked);
    this.#watch ??= setInterval(() => this.#look(), LOOK_MS).unref();
    try {
      return await ask();
    } finally {
      this.#asked.delete(asked);
      if (this.#asked.size === 0) {
        connection.unref();
        clearInterval(this.#watch);
        this.#watch = undefined;
      }
    }
  }

  #look(): void {
    for (const { since } of this.#asked) {
      if (now() - since > UNANSWERED_MS) return this.#current?.connection.end();
    }
  }

  /** The connection, when there is one. */
  async #reach(deadline: number): Promise<Up> {
    if (this.#closed) throw closedError();
    if (this.#current !== undefined) return this.#current; // most calls need no timer
    this.#up ??= this.#redial();
    if (deadline === Number.POSITIVE_INFINITY) return this.#up;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Unreached()), Math.max(0, deadline - now()));
    });
    try {
      return await Promise.race([this.#up, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #redial(): Promise<Up> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      if (this.#closed) throw closedError();
      try {
        const up = await meet(this.#dial, false);
        if (this.#closed) {
          up.connection.end();
          throw closedError();
        }
        this.#current = up;
        void up.connection.ended.then(() => this.#lost(up.connection));
        return up;
      } catch (error) {
        if (this.#closed) throw closedError();
        this.#failure = error;
      }
      await this.#pause(pause);
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref(); // whoever waits keeps the process alive by other means
      this.#wakeDialling = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #use(up: Up): void {
    this.#up = Promise.resolve(up);
    this.#current = up;
    void up.connection.ended.then(() => this.#lost(up.connection));
  }

  #lost(connection: Connection): void {
    if (this.#current?.connection !== connection) return;
    this.#current = undefined;
    this.#up = undefined;
  }

  #cannot(error: unknown): Error {
    if (error instanceof MultiprocessError) return error;
    return error instanceof ReplyError ? errorOfReply(error) : errorOfReaching(error, this.#address);
  }
}

/** Whether nobody knows what has become of it. */
export function isUncertain({ again }: Call, { sentTo }: Progress): boolean {
  return again === 'once' && sentTo !== undefined;
}

export function closedError(): ManagerClosedError {
  return new ManagerClosedError('The connection to the server has been closed.');
}

export function uncertain(): UncertainOutcomeError {
  return new UncertainOutcomeError(
    'The connection was lost before the answer, and whether it was done cannot be told any more. Look, and do it again if not.',
  );
}
