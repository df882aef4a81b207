import type { Socket } from 'node:net';
import { encode, encodeParts, type Translation } from '../../codec/internal.js';
import { ManagerClosedError, MultiprocessError, NotShareableError } from '../../errors/index.js';
import { signalOf, timeoutOf, type WaitOptions } from '../../heap/internal.js';
import { answerOf, StreamMark } from '../client-messages.js';
import { type Frame, FrameReader, frameOf, textOf } from '../frames.js';
import { LONGEST_TIMER_MS } from '../manager-options.js';
import { answer } from '../protocol.js';
import { GRACE_MS, type Patience, silentError } from './patience.js';
import { takingBack } from './taking-back.js';
import { MANAGER, type ObjectName, type RemoteGreeting, say, WIRE } from './wire.js';

interface Pending {
  readonly asking: Asking;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What may be said of a request. */
interface Asking {
  /** Held until the answer is there, also if nobody waits for it any more. */
  readonly held?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the answer, in ms. Default: for as long as it takes. */
  readonly limit?: number;
  /** Called with an answer that comes when it is not waited for any more. */
  readonly late?: (answer: unknown) => void;
  /** Whether it is waited for whatever happens. */
  readonly patient?: boolean;
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
  readonly #patience: Patience;
  readonly #makeProxy: (connection: RemoteConnection, name: ObjectName) => object;
  readonly #reader = new FrameReader();
  readonly #pending = new Map<number, Pending>();
  /** What is not waited for any more, by the number of the request. */
  readonly #givenUp = new Map<number, Asking>();
  readonly #proxies = new Map<number, { proxy: WeakRef<object>; received: { count: number } }>();
  readonly #onLost = new Set<() => void>();
  #greet!: (greeting: RemoteGreeting) => void;
  #refuse!: (error: unknown) => void;
  #last = 0;
  #waiting = 0;

  /** @param socket of which the other side has proved to be the manager that was meant. */
  constructor(
    socket: Socket,
    address: string,
    patience: Patience,
    makeProxy: (connection: RemoteConnection, name: ObjectName) => object,
  ) {
    this.#socket = socket;
    this.address = address;
    this.#patience = patience;
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
   * @param patient whether the answer is waited for whatever happens, because what the caller has depends on it.
   * @returns what it returns. @throws (rejects) ManagerClosedError; `signal.reason`; RemoteError; what the method throws;
   * NotShareableError for arguments that cannot travel; TimeoutError when the server does not answer. What it does all the same,
   * later, is taken back where it can be.
   */
  async call(
    number: number,
    method: string,
    args: readonly unknown[],
    options?: WaitOptions,
    patient = false,
  ): Promise<unknown> {
    const asked = timeoutOf(options); // wrong options are an error here
    const signal = signalOf(options);
    if (signal?.aborted) throw signal.reason;
    const { signal: _, ...rest } = options ?? {};
    const waits = options !== undefined;
    const late = (answer: unknown) => {
      const back = takingBack(method, waits, answer);
      if (back !== undefined) this.call(number, ...back, {}).catch(() => {}); // gone, and given back by its end
    };
    const { timeout } = this.#patience;
    const limit = waits ? Math.max(0, asked) + Math.min(GRACE_MS, timeout) : timeout;
    const held = [args, this.#proxies.get(number)?.proxy.deref()];
    const asking = { held, signal, limit, late, patient };
    return this.#ask(say.call, waits ? [number, method, args, rest] : [number, method, args], asking);
  }

  /** Calls a method of an object of a registered type, or has one made. @throws (rejects) as `call`. */
  invoke(number: number, method: string, args: readonly unknown[]): Promise<unknown> {
    return this.#ask(say.invoke, [number, method, args], { held: args, limit: this.#patience.callTimeout });
  }

  /** Has the manager make an object of a kind of its own. @throws (rejects) as `call`. */
  make(method: string, args: readonly unknown[]): Promise<unknown> {
    return this.#ask(say.invoke, [MANAGER, method, args], { held: args, limit: this.#patience.timeout });
  }

  /** What comes next of a stream, or (`leave`) nothing any more. @throws (rejects) as `call`. */
  stream(kind: typeof say.next | typeof say.leave, number: number): Promise<unknown> {
    return this.request(kind, [number], { limit: this.#patience.callTimeout });
  }

  async #ask(kind: number, operands: readonly unknown[], asking: Asking): Promise<unknown> {
    try {
      return await this.request(kind, operands, asking);
    } catch (error) {
      if (error instanceof NotShareableError) encode(operands[2], 'args', this); // says where it is as its caller sees it
      throw error;
    }
  }

  /** @throws (rejects) as `call`. */
  async request(kind: number, operands: readonly unknown[], asking: Asking): Promise<unknown> {
    if (!this.isOpen) throw lostError();
    this.#last = (this.#last + 1) >>> 0 || 1;
    const id = this.#last;
    const frame = frameOf(id, kind, encodeParts(operands, 'args', this));
    const { signal, limit = Number.POSITIVE_INFINITY, patient = false } = asking;
    let timer: NodeJS.Timeout | undefined;
    const giveUpIn = (ms: number, error: () => unknown) => {
      if (patient || ms === Number.POSITIVE_INFINITY) return;
      clearTimeout(timer);
      timer = setTimeout(() => this.#giveUp(id, error()), Math.min(ms, LONGEST_TIMER_MS));
    };
    const onAbort = () => {
      this.#say(id, say.cancel, []);
      giveUpIn(Math.min(GRACE_MS, this.#patience.timeout), () => signal!.reason);
    };
    if (this.#waiting === 0) this.#socket.ref();
    this.#waiting += 1;
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { asking, resolve, reject });
        signal?.addEventListener('abort', onAbort);
        giveUpIn(limit, () => silentError(limit));
        this.#socket.write(frame);
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#socket.unref();
    }
  }

  #giveUp(id: number, error: unknown): void {
    const { asking, reject } = this.#pending.get(id)!;
    this.#pending.delete(id);
    this.#givenUp.set(id, asking);
    this.#say(id, say.cancel, []);
    reject(error);
  }

  /** What has come of it all the same. */
  #takeLate(frame: Frame, { late }: Asking): void {
    let answer: unknown;
    try {
      answer = answerOf(frame, this); // so that what it tells of is counted, and dropped
    } catch {
      return; // nothing
    }
    if (answer instanceof StreamMark) this.stream(say.leave, answer.number).catch(() => {});
    else late?.(answer);
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
    // The kernel sends what has been said whether the other side reads it or not.
    const timer = setTimeout(() => this.#socket.destroy(), GRACE_MS);
    await this.closed;
    clearTimeout(timer);
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
    if (pending === undefined) {
      const asking = this.#givenUp.get(frame.id);
      this.#givenUp.delete(frame.id);
      if (asking !== undefined) this.#takeLate(frame, asking);
      return;
    }
    this.#pending.delete(frame.id);
    try {
      pending.resolve(answerOf(frame, this));
    } catch (error) {
      const { signal } = pending.asking;
      pending.reject(signal?.aborted ? signal.reason : error);
    }
  }

  #end(): void {
    const error = lostError();
    this.#refuse(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#givenUp.clear();
    for (const callback of this.#onLost) callback();
  }
}

function lostError(): ManagerClosedError {
  return new ManagerClosedError(
    'The connection to the manager has ended: it was closed here, the manager has ended, or it cannot be reached any more.',
  );
}
