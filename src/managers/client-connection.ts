import { Socket } from 'node:net';
import { connectUnix, putOffUntilBlocking, takeBack } from '../os/index.js';
import { answerOf, encodeRequest } from './client-messages.js';
import { closedError } from './closed.js';
import { type Frame, FrameReader, makeFrame } from './frames.js';
import { answer, ask, type Greeting, readGreeting } from './protocol.js';

interface Pending {
  /** Arguments are held until the answer is there: from then on the server has what it wants of them. */
  readonly operands: readonly unknown[];
  readonly asker: object | undefined;
  readonly keepsLoop: boolean;
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
   * @returns the answer. @throws (rejects) ManagerClosedError; RemoteError; what `encodeRequest` throws.
   */
  request(kind: number, operands: readonly unknown[], asker?: object, keepsLoop = true): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) throw closedError();
      this.#last = (this.#last + 1) >>> 0 || 1;
      const frame = encodeRequest(this.#last, kind, operands);
      this.#pending.set(this.#last, { operands, asker, keepsLoop, resolve, reject });
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
    if (pending === undefined) return;
    this.#pending.delete(frame.id);
    if (pending.keepsLoop) this.#letLoopGo();
    try {
      pending.resolve(answerOf(frame));
    } catch (error) {
      pending.reject(error);
    } finally {
      if (frame.kind === answer.held && !this.#socket.destroyed) {
        this.#write(makeFrame({ id: frame.id, kind: ask.taken, payload: Buffer.alloc(0) }));
      }
    }
  }

  #end(): void {
    const error = closedError();
    this.#greet.reject(error);
    for (const { reject } of this.#pending.values()) reject(error); // nothing keeps the loop: the socket is closed
    this.#pending.clear();
  }
}
