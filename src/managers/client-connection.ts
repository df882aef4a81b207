import { putOffUntilBlocking, takeBack } from '../os/index.js';
import { answerOf, encodeRequest, StreamMark } from './client-messages.js';
import { closedError, noAnswer } from './closed.js';
import { type Frame, FrameReader, makeFrame } from './frames.js';
import { LONGEST_TIMER_MS } from './manager-options.js';
import { answer, ask, type Greeting, readGreeting } from './protocol.js';
import { UnixStream } from './unix-stream.js';

const nothing = new Uint8Array(0);

/** What a client may say of a request. */
export interface Asking {
  /** Held until the answer is there, as the operands are. */
  readonly asker?: object | undefined;
  /** Whether the event loop stays alive until then. Default: true. */
  readonly keepsLoop?: boolean;
  /** How long to wait for the answer, in ms. Default: as long as it takes. */
  readonly timeout?: number;
  /** What becomes of an answer that can be asked for more, piece by piece. */
  readonly begin?: ((stream: StreamMark) => unknown) | undefined;
}

interface Pending {
  /** Arguments are held until the answer is there: from then on the server has what it wants of them. */
  readonly operands: readonly unknown[];
  readonly asking: Asking;
  timer?: NodeJS.Timeout | undefined;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The connection that a process has to a manager's server: many requests at a time. Keeps no event loop alive by itself. */
export class ClientConnection {
  readonly greeting: Promise<Greeting>;
  /** Never rejects. */
  readonly closed: Promise<void>;
  readonly #stream: UnixStream;
  readonly #reader = new FrameReader(true);
  readonly #pending = new Map<number, Pending>();
  #greet!: Pick<Pending, 'resolve' | 'reject'>;
  #last = 0;
  #waiting = 0;
  /** Whether something has been said since something arrived, or since the loop turned. */
  #hasWritten = false;
  #heldBack: Buffer[] = [];

  /**
   * @param wait whether to wait, without blocking, when more clients than the kernel can queue wait there for a server that
   * accepts none.
   * @throws a system error when nobody listens there; `EAGAIN` when this one would have to wait.
   */
  constructor(path: string, linger: number, wait = true) {
    this.greeting = new Promise((resolve, reject) => {
      this.#greet = { resolve: resolve as (value: unknown) => void, reject };
    });
    this.greeting.catch(() => {}); // who does not wait for it hears of the end by other means
    let close!: () => void;
    this.closed = new Promise((resolve) => {
      close = resolve;
    });
    this.#stream = new UnixStream(path, wait, {
      receive: (bytes) => this.#receive(bytes),
      ended: () => {
        this.#end();
        close();
      },
    });
    this.request(ask.hello, [linger], { keepsLoop: false }).catch(() => {});
  }

  /**
   * Sends a request.
   *
   * @returns the answer. @throws (rejects) ManagerClosedError; TimeoutError; RemoteError; what `encodeRequest` throws.
   */
  request(kind: number, operands: readonly unknown[], asking: Asking = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#stream.destroyed) throw closedError();
      this.#last = (this.#last + 1) >>> 0 || 1;
      const frame = encodeRequest(this.#last, kind, operands);
      const { timeout } = asking;
      const timer =
        timeout === undefined || timeout === Number.POSITIVE_INFINITY
          ? undefined
          : setTimeout(this.#giveUp, Math.min(timeout, LONGEST_TIMER_MS), this.#last, timeout);
      this.#pending.set(this.#last, { operands, asking, timer, resolve, reject });
      if (asking.keepsLoop !== false) this.#keepLoop();
      this.#write(frame);
    });
  }

  /** Until the first message of the server is there, for somebody who waits for it. */
  async greeted(): Promise<Greeting> {
    this.#keepLoop();
    try {
      return await this.greeting;
    } finally {
      this.#letLoopGo();
    }
  }

  /** Until the server has ended the connection, for somebody who waits for it. */
  async ended(): Promise<void> {
    this.#keepLoop();
    await this.closed;
  }

  close(): void {
    this.#stream.destroy();
  }

  // The first goes out at once. What is said next in the same turn of the loop goes out together, which takes a fraction of
  // the time, at its end or before this thread blocks.
  #write(frame: Buffer): void {
    if (!this.#hasWritten) {
      this.#hasWritten = true;
      return this.#stream.write(frame);
    }
    if (this.#heldBack.push(frame) > 1) return;
    process.nextTick(this.#flush);
    putOffUntilBlocking(this.#flush);
  }

  readonly #flush = (): void => {
    if (this.#heldBack.length === 0) return;
    const frames = this.#heldBack;
    this.#heldBack = [];
    this.#hasWritten = false;
    takeBack(this.#flush);
    this.#stream.writeAll(frames);
  };

  #keepLoop(): void {
    if (this.#waiting === 0) this.#stream.ref();
    this.#waiting += 1;
  }

  #letLoopGo(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#stream.unref();
  }

  #receive(bytes: Uint8Array): void {
    this.#hasWritten = this.#heldBack.length > 0;
    try {
      this.#reader.read(bytes, this.#settle);
    } catch (error) {
      this.#greet.reject(error);
      this.#stream.destroy();
    }
  }

  readonly #settle = (frame: Frame): void => {
    if (frame.kind === answer.greeting) return this.#greet.resolve(readGreeting(frame));
    const pending = this.#pending.get(frame.id);
    if (pending === undefined) return this.#takeLate(frame);
    this.#pending.delete(frame.id);
    const { asking, timer } = pending;
    if (timer !== undefined) clearTimeout(timer);
    if (asking.keepsLoop !== false) this.#letLoopGo();
    try {
      const value = answerOf(frame);
      pending.resolve(asking.begin !== undefined && value instanceof StreamMark ? asking.begin(value) : value);
    } catch (error) {
      pending.reject(error);
    } finally {
      if (frame.kind === answer.held) this.#taken(frame.id);
    }
  };

  #taken(id: number): void {
    if (!this.#stream.destroyed) this.#write(makeFrame({ id, kind: ask.taken, payload: nothing }));
  }

  readonly #giveUp = (id: number, timeout: number): void => {
    const pending = this.#pending.get(id)!;
    this.#pending.delete(id);
    if (pending.asking.keepsLoop !== false) this.#letLoopGo();
    pending.reject(noAnswer(timeout));
  };

  /** Nobody waits for it any more: nothing is kept for it there. */
  #takeLate({ id, kind }: Frame): void {
    if (kind === answer.held) this.#taken(id);
    if (kind === answer.stream && !this.#stream.destroyed) this.#write(encodeRequest(0, ask.leave, [id]));
  }

  #end(): void {
    const error = closedError();
    this.#greet.reject(error);
    // Nothing keeps the loop any more: the socket is closed.
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
  }
}
