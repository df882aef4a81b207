import { inspect } from 'node:util';
import { isShared, registerSharedKind } from '../codec/internal.js';
import { ClosedError, QueueClosedError, ValueError } from '../errors/index.js';
import {
  closeWrapper,
  Place,
  placeOf,
  type SyncWaitOptions,
  signalOf,
  timeoutOf,
  treeHeap,
  type WaitOptions,
} from '../heap/internal.js';
import type { Handle } from '../shared-memory/internal.js';
import { Primitive } from '../synchronize/internal.js';
import { prepare } from '../values/internal.js';
import { Line } from './line.js';
import { openAs } from './open-as.js';
import { createPipe, PipeEnd } from './pipe-end.js';
import { empty } from './queue-object.js';
import type { Taken } from './take.js';
import { turnIfDue } from './turns.js';
import { notYet, tryUntil } from './waiting.js';

/**
 * One end of a pipe: what is sent here is received at the other end, in the order in which it was sent.
 *
 * An end may be passed to another process, and be used by several. When the last one that has it closes it, exits or is
 * killed, the other end receives what was sent, and then QueueClosedError. A process that has passed its end on closes its own
 * connection, or it is itself one that has it.
 */
export interface Connection extends AsyncIterable<unknown> {
  /**
   * Sends a value, as Queue's `put`; never waits, because the pipe has room for as much as there is memory for.
   *
   * @throws (rejects) QueueClosedError when nobody has the other end any more; ValueError for an end that can only be read;
   * ClosedError when it has been closed here; NotShareableError; StaleHandleError; a system error `ENOSPC`.
   */
  send(value: unknown): Promise<void>;
  sendSync(value: unknown): void;
  /**
   * Receives the next value; waits for one if there is none.
   *
   * @throws (rejects) QueueEmptyError when none came in time; QueueClosedError when none is left and nobody has the other end
   * any more; ValueError for an end that can only be written; ClosedError when it has been closed here; `signal.reason`;
   * StaleHandleError when this end, or an object in the value, exists no more.
   */
  recv(options?: WaitOptions): Promise<any>;
  /** The same, blocking this thread. */
  recvSync(options?: SyncWaitOptions): any;
  /** Sends a copy of these bytes, also of shared memory, which `send` would pass on as such. @throws as `send`; TypeError. */
  sendBytes(bytes: Uint8Array): Promise<void>;
  /**
   * Receives bytes.
   *
   * @throws (rejects) as `recv`; RangeError when they are more than `maxLength`, TypeError when the next value is something
   * else: then it is lost.
   */
  recvBytes(options?: WaitOptions & { maxLength?: number }): Promise<Uint8Array>;
  /**
   * Whether there is something to receive, or QueueClosedError would be thrown. Looks once; with a timeout it waits so long.
   */
  poll(options?: WaitOptions): Promise<boolean>;
  /** Whether it has been closed here. */
  readonly closed: boolean;
  readonly readable: boolean;
  readonly writable: boolean;
  /** Lets go of it here. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
  /** What is received, until nobody has the other end any more. */
  [Symbol.asyncIterator](): AsyncIterableIterator<unknown>;
  readonly handle: Handle<Connection>;
  /** Ends this end for all who have it. */
  dispose(): void;
}

const dropped = new FinalizationRegistry<Place>(({ heap, at }) => {
  try {
    heap.release(at.address);
  } catch {
    // Declared dead, or out of memory: its reaper gives the hold back.
  }
});

class ConnectionClass extends Primitive implements Connection {
  static {
    Object.defineProperty(ConnectionClass, 'name', { value: 'Connection' });
  }

  readonly #end: PipeEnd;
  readonly #line: Line;
  readonly #receive = () => this.#attempt(() => this.#end.tryReceive());
  #closed = false;

  constructor(place: Place) {
    super('Connection', place);
    this.#end = new PipeEnd(place);
    dropped.register(this, this.#end.pipe, this);
    this.#line = new Line(this.#end.incoming);
  }

  async send(value: unknown): Promise<void> {
    this.sendSync(value);
    await turnIfDue();
  }

  sendSync(value: unknown): void {
    this.#check();
    if (!this.writable) throw new ValueError('This end of the pipe can only be read: send at the other one.');
    const prepared = prepare(this.place.heap, value, 'value');
    try {
      this.#end.send(prepared);
    } finally {
      prepared.release();
    }
  }

  async recv(options?: WaitOptions): Promise<unknown> {
    this.#checkReadable();
    timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted) throw signal.reason;
    return (await this.#received(options)).value;
  }

  recvSync(options?: SyncWaitOptions): unknown {
    const timeout = timeoutOf(options);
    this.#checkReadable();
    const promising = () => this.#end.seemsWorthReceiving();
    const attempt = () => this.#end.tryReceive();
    const taken = tryUntil(this.#end.incoming, { attempt, promising }, timeout);
    if (taken === notYet) throw empty();
    return taken.value;
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('sendBytes takes a Uint8Array.');
    const { buffer, byteOffset, byteLength } = bytes;
    const isOwn = buffer instanceof ArrayBuffer && !isShared(buffer);
    await this.send(isOwn ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint8Array(bytes));
  }

  async recvBytes(options?: WaitOptions & { maxLength?: number }): Promise<Uint8Array> {
    const maxLength = options?.maxLength ?? Number.POSITIVE_INFINITY;
    if (typeof maxLength !== 'number') throw new TypeError(`maxLength is a number of bytes; got ${typeof maxLength}.`);
    if (!(maxLength >= 0)) throw new RangeError(`maxLength is a number of bytes, at least 0; got ${maxLength}.`);
    const value = await this.recv(options);
    if (!(value instanceof Uint8Array))
      throw new TypeError('What was received was sent by send(), not by sendBytes().');
    if (value.length > maxLength) throw new RangeError(`${value.length} bytes were received, of at most ${maxLength}.`);
    return value;
  }

  async poll(options: WaitOptions = {}): Promise<boolean> {
    this.#checkReadable();
    const attempt = () => this.#attempt(() => this.#end.tryPoll());
    return (await this.#line.wait(attempt, { ...options, timeout: options.timeout ?? 0 })) !== notYet;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get readable(): boolean {
    return this.#end.readable;
  }

  get writable(): boolean {
    return this.#end.writable;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#line.everybodyTries();
    dropped.unregister(this);
    this.place.heap.release(this.#end.pipe.at.address);
    closeWrapper(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    for (;;) {
      let taken: Taken;
      this.#checkReadable();
      try {
        taken = await this.#received();
      } catch (error) {
        if (error instanceof QueueClosedError) return;
        throw error;
      }
      yield taken.value;
    }
  }

  get handle(): Handle<Connection> {
    this.#check();
    return `mp:connection:${this.fields}` as Handle<Connection>;
  }

  [inspect.custom](): string {
    if (this.#closed) return 'Connection { closed }';
    if (!this.place.heap.exists(this.place.at)) return 'Connection { disposed }';
    return `Connection { ${this.readable ? `${this.#end.waiting} to receive` : 'writable'} }`;
  }

  async #received(options?: WaitOptions): Promise<Taken> {
    const taken = await this.#line.wait(this.#receive, options);
    if (taken === notYet) throw empty();
    await turnIfDue();
    return taken;
  }

  #check(): void {
    this.used();
    if (this.#closed) throw new ClosedError('This connection has been closed here.');
  }

  #checkReadable(): void {
    this.#check();
    if (!this.readable) throw new ValueError('This end of the pipe can only be written: receive at the other one.');
  }

  /** Of somebody who may have waited: meanwhile it may have been closed. */
  #attempt<T>(attempt: () => T): T {
    this.#check();
    return attempt();
  }
}

/** For `open(handle, Connection)`, and `instanceof`; connections are made by {@link Pipe}. */
export const Connection = ConnectionClass as unknown as (abstract new () => Connection) & {
  readonly prototype: Connection;
};

/**
 * Makes a pipe: two connected ends, to be used by two processes.
 *
 * @param duplex whether both ends send and receive; otherwise the first only receives, and the second only sends.
 * @throws TypeError for a `duplex` that is no boolean; UnsupportedPlatformError, system errors (`ENOSPC`), and
 * TooManyParticipantsError.
 *
 * @example
 * ```ts
 * import { Pipe } from 'multiprocess';
 *
 * const [here, there] = Pipe();
 * await there.send({ hello: 'world' }); // in another process, which has been given `there`
 * console.log(await here.recv()); // { hello: 'world' }
 * await here.sendBytes(new Uint8Array([1, 2, 3]));
 * console.log(await there.poll(), await there.recvBytes({ maxLength: 10 })); // true Uint8Array(3) [ 1, 2, 3 ]
 * there.close(); // nobody has the other end any more
 * for await (const value of here) console.log('never', value);
 * ```
 */
export function Pipe(duplex = true): [Connection, Connection] {
  if (typeof duplex !== 'boolean') throw new TypeError(`duplex is true or false; got ${typeof duplex}.`);
  const heap = treeHeap();
  const [one, other] = createPipe(heap, duplex);
  return [new ConnectionClass(new Place(heap, one)), new ConnectionClass(new Place(heap, other))];
}

registerSharedKind<ConnectionClass>({
  kind: 'connection',
  type: ConnectionClass,
  handle: (connection) => connection.handle,
  places: (connection) => [placeOf(connection)],
  open: (fields) => openAs(fields, ConnectionClass),
});
