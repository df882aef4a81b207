import type { Socket } from 'node:net';
import { encode, encodeParts, type Translation } from '../../codec/internal.js';
import { ManagerClosedError, MultiprocessError, NotShareableError } from '../../errors/index.js';
import { signalOf, timeoutOf, type WaitOptions } from '../../heap/internal.js';
import { answerOf } from '../client-messages.js';
import { type Frame, FrameReader, frameOf, textOf } from '../frames.js';
import { answer } from '../protocol.js';
import { type ObjectName, type RemoteGreeting, say, WIRE } from './wire.js';

interface Pending {
  /** Held until the answer is there. */
  readonly held: readonly unknown[];
  readonly signal: AbortSignal | undefined;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What a proxy is to its connection. */
export interface Proxied {
  readonly connection: RemoteConnection;
  readonly number: number;
}

const proxied = new WeakMap<object, Proxied>();
const dropped = new FinalizationRegistry<{ connection: RemoteConnection; number: number; received: { count: number } }>(
  ({ connection, number, received }) => connection.drop(number, received.count),
);

/** What a proxy stands for. */
export function proxiedBy(proxy: object): Proxied | undefined {
  return proxied.get(proxy);
}

/** The connection of a remote client to a manager's server. Keeps an event loop alive only while something is asked. */
export class RemoteConnection implements Translation {
  readonly address: string;
  readonly greeting: Promise<RemoteGreeting>;
  /** Never rejects. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #makeProxy: (connection: RemoteConnection, name: ObjectName) => object;
  readonly #reader = new FrameReader();
  readonly #pending = new Map<number, Pending>();
  readonly #proxies = new Map<number, { proxy: WeakRef<object>; received: { count: number } }>();
  readonly #onLost = new Set<() => void>();
  #greet!: (greeting: RemoteGreeting) => void;
  #refuse!: (error: unknown) => void;
  #last = 0;
  #waiting = 0;

  /** @param socket of which the other side has proved to be the manager that was meant. */
  constructor(socket: Socket, address: string, makeProxy: (connection: RemoteConnection, name: ObjectName) => object) {
    this.#socket = socket;
    this.address = address;
    this.#makeProxy = makeProxy;
    this.greeting = new Promise((resolve, reject) => {
      this.#greet = resolve;
      this.#refuse = reject;
    });
    this.greeting.catch(() => {}); // who does not wait for it hears of the end by other means
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end();
        resolve();
      });
    });
    socket.on('error', () => {}); // followed by 'close'
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.unref();
    socket.resume();
  }

  /**
   * Calls a method of an object.
   *
   * @param options of a method that waits. Aborted, the call is given up there; if it was done before the server heard of it,
   * it counts.
   * @returns what it returns. @throws (rejects) ManagerClosedError; `signal.reason`; RemoteError; what the method throws;
   * NotShareableError for arguments that cannot travel.
   */
  async call(number: number, method: string, args: readonly unknown[], options?: WaitOptions): Promise<unknown> {
    timeoutOf(options); // wrong options are an error here
    const signal = signalOf(options);
    if (signal?.aborted) throw signal.reason;
    const { signal: _, ...rest } = options ?? {};
    return this.#ask(say.call, options === undefined ? [number, method, args] : [number, method, args, rest], signal);
  }

  /** Calls a method of an object of a registered type, or of the manager. @throws (rejects) as `call`. */
  invoke(number: number, method: string, args: readonly unknown[]): Promise<unknown> {
    return this.#ask(say.invoke, [number, method, args]);
  }

  async #ask(kind: number, operands: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    try {
      return await this.request(kind, operands, signal);
    } catch (error) {
      if (error instanceof NotShareableError) encode(operands[2], 'args', this); // says where it is as its caller sees it
      throw error;
    }
  }

  /** @throws (rejects) as `call`. */
  async request(kind: number, operands: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    if (!this.isOpen) throw lostError();
    this.#last = (this.#last + 1) >>> 0 || 1;
    const id = this.#last;
    const frame = frameOf(id, kind, encodeParts(operands, 'args', this));
    const onAbort = () => this.#say(id, say.cancel, []);
    if (this.#waiting === 0) this.#socket.ref();
    this.#waiting += 1;
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { held: operands, signal, resolve, reject });
        signal?.addEventListener('abort', onAbort);
        this.#socket.write(frame);
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#socket.unref();
    }
  }

  /** Calls back when the connection has ended, unless that is taken back. */
  onLost(callback: () => void): () => void {
    this.#onLost.add(callback);
    return () => this.#onLost.delete(callback);
  }

  nameOf(shared: object): string | undefined {
    const known = proxied.get(shared);
    return known?.connection === this ? String(known.number) : undefined;
  }

  named(text: string): object {
    const name = JSON.parse(text) as ObjectName;
    const [number] = name;
    const known = this.#proxies.get(number);
    const proxy = known?.proxy.deref();
    if (known !== undefined && proxy !== undefined) {
      known.received.count += 1;
      return proxy;
    }
    const made = this.#makeProxy(this, name);
    const received = { count: 1 };
    proxied.set(made, { connection: this, number });
    this.#proxies.set(number, { proxy: new WeakRef(made), received });
    dropped.register(made, { connection: this, number, received });
    return made;
  }

  /** Nobody here has the object any more. */
  drop(number: number, received: number): void {
    if (this.#proxies.get(number)?.proxy.deref() === undefined) this.#proxies.delete(number);
    this.#say(0, say.drop, [number, received]);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && !this.#socket.writableEnded;
  }

  /** Goes of its own accord. What is under way is rejected. */
  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#say(0, say.bye, []);
    this.#waiting += 1; // for the end, which what is under way and is answered now must not leave unawaited
    this.#socket.ref();
    this.#socket.end();
    await this.closed;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #say(id: number, kind: number, operands: readonly unknown[]): void {
    if (!this.isOpen) return;
    this.#socket.write(frameOf(id, kind, encodeParts(operands)));
  }

  #receive(chunk: Buffer): void {
    try {
      this.#reader.read(chunk, (frame) => this.#settle(frame));
    } catch (error) {
      this.#refuse(error);
      this.#socket.destroy();
    }
  }

  #settle(frame: Frame): void {
    if (frame.kind === answer.greeting) {
      const greeting = JSON.parse(textOf(frame)) as RemoteGreeting;
      if (greeting.wire !== WIRE) throw new MultiprocessError('The manager runs another version of this library.');
      return this.#greet(greeting);
    }
    const pending = this.#pending.get(frame.id);
    if (pending === undefined) return;
    this.#pending.delete(frame.id);
    try {
      pending.resolve(answerOf(frame, this));
    } catch (error) {
      pending.reject(pending.signal?.aborted ? pending.signal.reason : error);
    }
  }

  #end(): void {
    const error = lostError();
    this.#refuse(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    for (const callback of this.#onLost) callback();
  }
}

function lostError(): ManagerClosedError {
  return new ManagerClosedError(
    'The connection to the manager has ended: it was closed here, the manager has ended, or it cannot be reached any more.',
  );
}
