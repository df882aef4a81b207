import { BlockingSocket } from '../os/index.js';
import { answerOf, encodeRequest } from './client-messages.js';
import { closedError, noAnswer } from './closed.js';
import { type Frame, FrameReader, makeFrame } from './frames.js';
import { answer, ask } from './protocol.js';

/** A connection on which this thread waits for the answer to each request. */
export class BlockingConnection {
  readonly #socket: BlockingSocket;
  readonly #reader = new FrameReader();
  #last = 0;
  #closed = false;
  #busy = false;

  /**
   * @param deadline of `performance.now()`.
   * @throws a system error when nobody listens there; `EAGAIN` when too many wait there until the deadline.
   */
  constructor(path: string, linger: number, deadline: number) {
    this.#socket = new BlockingSocket(path, deadline);
    // Whether it answers is found out by the first request, which may have a limit.
    this.#send(encodeRequest(++this.#last, ask.hello, [linger]));
  }

  /**
   * @param timeout how long to wait for the answer, in ms, since a value of `performance.now()`.
   * @throws ManagerClosedError when the server is gone; TimeoutError; RemoteError; what `encodeRequest` throws.
   */
  request(
    kind: number,
    operands: readonly unknown[],
    timeout = Number.POSITIVE_INFINITY,
    since = performance.now(),
  ): unknown {
    const id = ++this.#last;
    const frame = encodeRequest(id, kind, operands);
    // Cut short in the middle of an exchange (a `vm` timeout), the connection is good for nothing any more.
    if (this.#closed || this.#busy) throw this.#lost();
    this.#busy = true;
    const found = this.#exchange(frame, id, since + timeout);
    this.#busy = false;
    if (found === undefined) throw noAnswer(timeout);
    try {
      return answerOf(found);
    } finally {
      if (found.kind === answer.held) {
        this.#send(makeFrame({ id, kind: ask.taken, payload: Buffer.alloc(0) }));
      }
    }
  }

  get broken(): boolean {
    return this.#busy || this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  /** @returns undefined when the time is over before an answer has come. */
  #exchange(frame: Buffer, id: number, deadline: number): Frame | undefined {
    if (!this.#send(frame, deadline)) {
      this.close(); // in the middle of a message
      return undefined;
    }
    let found: Frame | undefined;
    const take = (arrived: Frame) => {
      if (arrived.id === id) found = arrived;
      else this.#takeLate(arrived);
    };
    while (found === undefined) {
      const bytes = this.#receive(deadline);
      if (bytes === 'late') return undefined;
      this.#reader.read(bytes, take);
    }
    return found;
  }

  /** The greeting, or an answer for which nobody waits any more: nothing is kept for it there. */
  #takeLate({ id, kind }: Frame): void {
    if (id !== 0 && kind === answer.held) this.#send(makeFrame({ id, kind: ask.taken, payload: Buffer.alloc(0) }));
    if (id !== 0 && kind === answer.stream) this.#send(encodeRequest(0, ask.leave, [id]));
  }

  #send(frame: Buffer, deadline?: number): boolean {
    try {
      return this.#socket.send(frame, deadline);
    } catch (cause) {
      throw this.#lost(cause);
    }
  }

  #receive(deadline: number): Uint8Array | 'late' {
    let bytes: Uint8Array | 'late' | undefined;
    try {
      bytes = this.#socket.receive(deadline);
    } catch (cause) {
      throw this.#lost(cause);
    }
    if (bytes === undefined) throw this.#lost();
    return bytes;
  }

  #lost(cause?: unknown): Error {
    this.close();
    return closedError(cause);
  }
}
