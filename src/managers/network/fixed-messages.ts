import type { Socket } from 'node:net';
import { ManagerClosedError } from '../../errors/index.js';

/** Reads messages of known sizes from a socket of which nothing else is read meanwhile. */
export class FixedMessages {
  readonly #socket: Socket;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.pause();
    socket.on('readable', this.#look);
    socket.on('end', this.#ended);
    socket.on('close', this.#ended);
    socket.on('error', this.#failed);
  }

  /** @throws (rejects) ManagerClosedError when the other side has ended before; a system error. */
  async read(bytes: number): Promise<Buffer> {
    for (;;) {
      const found = this.#socket.read(bytes) as Buffer | null;
      if (found !== null && found.length === bytes) return found;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Whether more has come than was read. */
  get hasMore(): boolean {
    return this.#socket.readableLength > 0;
  }

  /** Whoever comes next reads the rest. */
  end(): void {
    this.#socket.off('readable', this.#look);
    this.#socket.off('end', this.#ended);
    this.#socket.off('close', this.#ended);
    this.#socket.off('error', this.#failed);
  }

  readonly #look = () => this.#wake();

  readonly #ended = () => this.#failed(new ManagerClosedError('The other side has ended the connection.'));

  readonly #failed = (error: Error) => {
    this.#failure ??= error;
    this.#wake();
  };
}
