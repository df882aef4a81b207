import { BlockingSocket } from '../os/index.js';
import { answerOf, encodeRequest } from './client-messages.js';
import { closedError } from './closed.js';
import { type Frame, FrameReader, makeFrame } from './frames.js';
import { answer, ask } from './protocol.js';

/** A connection on which this thread waits for the answer to each request. */
export class BlockingConnection {
  readonly #socket: BlockingSocket;
  readonly #reader = new FrameReader();
  #last = 0;
  #closed = false;
  #busy = false;

  /** @throws a system error when nobody listens there. */
  constructor(path: string, linger: number) {
    this.#socket = new BlockingSocket(path);
    this.request(ask.hello, [linger]);
  }

  /** @throws ManagerClosedError when the server is gone; RemoteError; what `encodeRequest` throws. */
  request(kind: number, operands: readonly unknown[]): unknown {
    const id = ++this.#last;
    const frame = encodeRequest(id, kind, operands);
    // Cut short in the middle of an exchange (a `vm` timeout), the connection is good for nothing any more.
    if (this.#closed || this.#busy) throw this.#lost();
    this.#busy = true;
    const found = this.#exchange(frame, id);
    this.#busy = false;
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

  #exchange(frame: Buffer, id: number): Frame {
    this.#send(frame);
    let found: Frame | undefined;
    const take = (arrived: Frame) => {
      if (arrived.id === id) found = arrived; // and not the greeting
    };
    while (found === undefined) this.#reader.read(this.#receive(), take);
    return found;
  }

  #send(frame: Buffer): void {
    try {
      this.#socket.send(frame);
    } catch (cause) {
      throw this.#lost(cause);
    }
  }

  #receive(): Uint8Array {
    let bytes: Uint8Array | undefined;
    try {
      bytes = this.#socket.receive();
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
