import { Socket } from 'node:net';
import { connectUnix, putOffUntilBlocking, takeBack } from '../os/index.js';
import { answerOf, encodeRequest } from './client-messages.js';
import { closedError, noAnswer } from './closed.js';
import { type Frame, FrameReader, makeFrame } from './frames.js';
import { LONGEST_TIMER_MS } from './manager-options.js';
import { answer, ask, type Greeting, readGreeting } from './protocol.js';

const nothing = new Uint8Array(0);

interface Pending {
  /** Arguments are held until the answer is there: from then on the server has what it wants of them. */
  readonly operands: readonly unknown[];
  readonly asker: object | undefined;
  readonly keepsLoop: boolean;
  timer?: NodeJS.Timeout;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The connection that a process has to a manager's server: many requests at a time. Keeps no event loop alive by itself. */
export class ClientConnection {
  readonly greeting: Promise<Greeting>;
  /** Never rejects. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #pending = new Map<number, Pending>();
  #greet!: Pick<Pending, 'resolve' | 'reject'>;
  #last = 0;
  #waiting = 0;
  /** Whether something has been said since something arrived, or since the loop turned. */
  #hasWritten = false;
  #isHeldBack = false;

  /**
   * @param wait whether to wait when more clients than the kernel can queue wait there for a server that accepts none.
   * @throws a system error when nobody listens there; `EAGAIN` when this one would have to wait.
   */
  constructor(path: string, linger: number, wait = true) {
    this.#socket = new Socket({ fd: connectUnix(path, wait), readable: true, writable: true });
    this.#socket.unref();
    this.greeting = new Promise((resolve, reject) => {
      this.#greet = { resolve: resolve as (value: unknown) => void, reject };
    });
    this.greeting.catch(() => {}); // who does not wait for it hears of the end by other means
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#end();
        resolve();
      });
    });
    this.#socket.on('error', () => {}); // followed by 'close'
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.request(ask.hello, [linger], undefined, false).catch(() => {});
  }

  /**
   * Sends a request.
   *
   * @param asker held until the answer is there, as the operands are.
   * @param keepsLoop whether the event loop stays alive until then.
   * @param timeout how long to wait for the answer, in ms.
   * @returns the answer. @throws (rejects) ManagerClosedError; TimeoutError; RemoteError; what `encodeRequest` throws.
   */
  request(
    kind: number,
    operands: readonly unknown[],
    asker?: object,
    keepsLoop = true,
    timeout = Number.POSITIVE_INFINITY,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) throw closedError();
      this.#last = (this.#last + 1) >>> 0 || 1;
      const frame = encodeRequest(this.#last, kind, operands);
      const pending: Pending = { operands, asker, keepsLoop, resolve, reject };
      this.#pending.set(this.#last, pending);
      if (timeout !== Number.POSITIVE_INFINITY) {
        pending.timer = setTimeout(this.#giveUp, Math.min(timeout, LONGEST_TIMER_MS), this.#last, timeout);
      }
      if (keepsLoop) this.#keepLoop();
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
    this.#socket.destroy();
  }

  // The first goes out at once. What is said next in the same turn of the loop goes out together, which takes a fraction of
  // the time, at its end or before this thread blocks.
  #write(frame: Buffer): void {
    if (this.#hasWritten && !this.#isHeldBack) {
      this.#isHeldBack = true;
      this.#socket.cork();
      process.nextTick(this.#flush);
      putOffUntilBlocking(this.#flush);
    }
    this.#hasWritten = true;
    this.#socket.write(frame);
  }

  readonly #flush = (): void => {
    if (!this.#isHeldBack) return;
    this.#isHeldBack = false;
    this.#hasWritten = false;
    takeBack(this.#flush);
    this.#socket.uncork();
  };

  #keepLoop(): void {
    if (this.#waiting === 0) this.#socket.ref();
    this.#waiting += 1;
  }

  #letLoopGo(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#socket.unref();
  }

  #receive(chunk: Buffer): void {
    this.#hasWritten = this.#isHeldBack;
    try {
      this.#reader.read(chunk, (frame) => this.#settle(frame));
    } catch (error) {
      this.#greet.reject(error);
      this.#socket.destroy();
    }
  }

  #settle(frame: Frame): void {
    if (frame.kind === answer.greeting) return this.#greet.resolve(readGreeting(frame));
    const pending = this.#pending.get(frame.id);
    if (pending === undefined) return this.#takeLate(frame);
    this.#pending.delete(frame.id);
    clearTimeout(pending.timer);
    if (pending.keepsLoop) this.#letLoopGo();
    try {
      pending.resolve(answerOf(frame));
    } catch (error) {
      pending.reject(error);
    } finally {
      if (frame.kind === answer.held) this.#taken(frame.id);
    }
  }

  #taken(id: number): void {
    if (!this.#socket.destroyed) this.#write(makeFrame({ id, kind: ask.taken, payload: nothing }));
  }

  readonly #giveUp = (id: number, timeout: number): void => {
    const pending = this.#pending.get(id)!;
    this.#pending.delete(id);
    if (pending.keepsLoop) this.#letLoopGo();
    pending.reject(noAnswer(timeout));
  };

  /** Nobody waits for it any more: nothing is kept for it there. */
  #takeLate({ id, kind }: Frame): void {
    if (kind === answer.held) this.#taken(id);
    if (kind === answer.stream && !this.#socket.destroyed) this.#write(encodeRequest(0, ask.leave, [id]));
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
