import { Socket } from 'node:net';
import { connectUnix, DirectWriter, errorCode } from '../os/index.js';

const AGAIN_MS = 10;
const ROOM_BYTES = 65_536;

/** Who is told what comes, and that nothing comes any more. */
interface Receiver {
  /** @param bytes change when the next come. */
  receive(bytes: Uint8Array): void;
  ended(): void;
}

/** A connection to a Unix socket that keeps an event loop alive only when told to. */
export class UnixStream {
  readonly #path: string;
  readonly #receiver: Receiver;
  #socket: Socket | undefined;
  #writer: DirectWriter | undefined;
  /** What has been said before there is a connection. */
  #early: Uint8Array[] = [];
  #again: NodeJS.Timeout | undefined;
  #keepsLoop = false;
  #destroyed = false;

  /**
   * @param wait whether to try again, without blocking, when more want to connect than the kernel queues: those who listen there
   * are stopped, or busy.
   * @throws a system error when nobody listens there; `EAGAIN` when it would have to wait and is not to.
   */
  constructor(path: string, wait: boolean, receiver: Receiver) {
    this.#path = path;
    this.#receiver = receiver;
    try {
      this.#connect();
    } catch (error) {
      if (!wait || errorCode(error) !== 'EAGAIN') throw error;
      this.#tryLater();
    }
  }

  get destroyed(): boolean {
    return this.#socket?.destroyed ?? this.#destroyed;
  }

  write(bytes: Uint8Array): void {
    if (this.#writer !== undefined) this.#writer.write(bytes);
    else if (!this.#destroyed) this.#early.push(bytes);
  }

  writeAll(parts: readonly Uint8Array[]): void {
    if (this.#writer !== undefined) this.#writer.writeAll(parts);
    else for (const part of parts) this.write(part);
  }

  ref(): void {
    this.#keepsLoop = true;
    this.#again?.ref();
    this.#socket?.ref();
  }

  unref(): void {
    this.#keepsLoop = false;
    this.#again?.unref();
    this.#socket?.unref();
  }

  destroy(): void {
    if (this.#socket !== undefined) return void this.#socket.destroy();
    if (this.#destroyed) return;
    this.#destroyed = true;
    clearTimeout(this.#again);
    this.#early = [];
    process.nextTick(() => this.#receiver.ended());
  }

  #connect(): void {
    const fd = connectUnix(this.#path);
    const onread = {
      buffer: new Uint8Array(ROOM_BYTES),
      callback: (count: number, room: Uint8Array) => {
        this.#receiver.receive(room.subarray(0, count));
        return true;
      },
    };
    // Types know `onread` only where Node connects by itself.
    const socket = new Socket({ fd, readable: true, writable: true, onread } as ConstructorParameters<
      typeof Socket
    >[0]);
    socket.on('error', () => {}); // followed by 'close'
    socket.on('close', () => this.#receiver.ended());
    if (!this.#keepsLoop) socket.unref();
    this.#socket = socket;
    this.#writer = new DirectWriter(socket, fd);
  }

  #tryLater(): void {
    this.#again = setTimeout(() => this.#tryAgain(), AGAIN_MS);
    if (!this.#keepsLoop) this.#again.unref();
  }

  #tryAgain(): void {
    try {
      this.#connect();
    } catch (error) {
      return errorCode(error) === 'EAGAIN' ? this.#tryLater() : this.destroy();
    }
    this.#writer!.writeAll(this.#early);
    this.#early = [];
  }
}
