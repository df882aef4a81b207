import { ManagerClosedError, MultiprocessError, UncertainOutcomeError } from '../errors/index.js';
import { now } from '../heap/internal.js';
import { type Argument, type Connection, DIAL_MS, type Dial, LostError, type Reply, ReplyError } from './port.js';
import type { Script } from './script.js';
import { errorOfReaching, errorOfReply } from './server-errors.js';

/** How long a call waits for a server that cannot be reached, in ms. */
export const PATIENCE_MS = 10_000;
/** What has not been answered for so long will not be: the connection is given up. A server may be stopped for a while. */
const UNANSWERED_MS = 20_000;
const LOOK_MS = 5000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;
const OLDEST_MAJOR = 7;

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

export interface Up {
  readonly connection: Connection;
  /** Which process of which server. */
  readonly run: string;
}

/** A connection to the server, made anew whenever it is lost. Keeps an event loop alive only while something is asked. */
export class Line {
  readonly #dial: Dial;
  readonly #address: string;
  #up: Promise<Up> | undefined;
  #current: Connection | undefined;
  #failure: unknown;
  readonly #asked = new Set<{ since: number }>();
  #watch: NodeJS.Timeout | undefined;
  #closed = false;
  #wakeDialling: () => void = () => {};

  constructor(dial: Dial, address: string) {
    this.#dial = dial;
    this.#address = address;
  }

  /** @throws (rejects) when it does not succeed at the first try. */
  async open(): Promise<void> {
    let up: Up;
    try {
      up = await meet(this.#dial, true);
    } catch (error) {
      throw error instanceof ReplyError ? errorOfReply(error) : this.#cannot(error);
    }
    this.#use(up);
  }

  /**
   * Runs a script.
   *
   * @param note told whether it was asked for more than once.
   * @throws (rejects) ManagerClosedError; UncertainOutcomeError; a system error while the server cannot be reached; what the
   * server's refusal stands for.
   */
  async run(call: Call, note?: { repeated: boolean }): Promise<Reply> {
    const { again, patience = PATIENCE_MS } = call;
    const deadline = now() + patience;
    let sentTo: string | undefined;
    for (;;) {
      const { connection, run } = await this.#reach(deadline, sentTo !== undefined && again === 'once');
      if (sentTo !== undefined && sentTo !== run && again === 'once') throw uncertain();
      if (sentTo !== undefined && note !== undefined) note.repeated = true;
      try {
        return await this.#ask(connection, call);
      } catch (error) {
        if (error instanceof ReplyError) {
          if (error.word !== 'READONLY' || now() > deadline) throw errorOfReply(error);
          connection.end(); // it was a primary before: where the address leads now may be one
          this.#lost(connection);
          await this.#pause(LONGEST_PAUSE_MS);
          continue;
        }
        if (this.#closed) throw closedError();
        this.#lost(connection);
        sentTo = run;
      }
    }
  }

  /** Ends it: what has been asked for is rejected. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.#current?.end();
    this.#wakeDialling();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  async #ask(connection: Connection, { script, keys, args }: Call): Promise<Reply> {
    const asked = { since: now() };
    if (this.#asked.size === 0) connection.ref();
    this.#asked.add(asked);
    this.#watch ??= setInterval(() => this.#look(), LOOK_MS).unref();
    try {
      return await connection.call(['EVALSHA', script.hash, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!(error instanceof ReplyError) || error.word !== 'NOSCRIPT') throw error;
      return await connection.call(['EVAL', script.text, keys.length, ...keys, ...args]);
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
      if (now() - since > UNANSWERED_MS) return this.#current?.end();
    }
  }

  /** The connection, when there is one. */
  async #reach(deadline: number, isUncertain: boolean): Promise<Up> {
    if (this.#closed) throw closedError();
    this.#up ??= this.#redial();
    if (deadline === Number.POSITIVE_INFINITY) return this.#up;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = () => reject(isUncertain ? uncertain() : this.#cannot(this.#failure));
      timer = setTimeout(fail, Math.max(0, deadline - now()));
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
        this.#current = up.connection;
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
    this.#current = up.connection;
    void up.connection.ended.then(() => this.#lost(up.connection));
  }

  #lost(connection: Connection): void {
    if (this.#current !== connection) return;
    this.#current = undefined;
    this.#up = undefined;
  }

  #cannot(error: unknown): Error {
    return error instanceof MultiprocessError ? error : errorOfReaching(error, this.#address);
  }
}

/** Connects, and finds out who is there. */
export async function meet(dial: Dial, isFirst: boolean): Promise<Up> {
  const dialling = dial();
  let connection: Connection;
  try {
    connection = await inTime(dialling);
  } catch (error) {
    dialling.then(
      (late) => late.end(),
      () => {},
    );
    throw error;
  }
  try {
    const facts = String(await inTime(connection.call(['INFO', 'server'])));
    const role = String(await inTime(connection.call(['INFO', 'replication'])));
    const [, version = '?', major = '0'] = /^redis_version:((\d+)[\w.]*)/m.exec(facts) ?? [];
    if (Number(major) < OLDEST_MAJOR) {
      throw new MultiprocessError(`The server is of version ${version}; needed is Redis 7, or Valkey 7.2, or later.`, {
        code: 'ERR_MULTIPROCESS_ENGINE',
      });
    }
    if (/^role:slave/m.test(role) && isFirst) throw new ReplyError('READONLY');
    const [, run = ''] = /^run_id:(\w+)/m.exec(facts) ?? [];
    connection.unref();
    return { connection, run };
  } catch (error) {
    connection.end();
    throw error;
  }
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LostError(`no answer within ${DIAL_MS} ms`)), DIAL_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function closedError(): ManagerClosedError {
  return new ManagerClosedError('The connection to the server has been closed.');
}

function uncertain(): UncertainOutcomeError {
  return new UncertainOutcomeError(
    'The connection was lost before the answer, and whether it was done cannot be told any more. Look, and do it again if not.',
  );
}
