import type { Socket } from 'node:net';
import { decode, encodeParts } from '../../codec/internal.js';
import { MultiprocessError, NotShareableError } from '../../errors/index.js';
import type { Lease } from '../../queues/index.js';
import { type Frame, FrameReader, frameOf, makeFrame } from '../frames.js';
import type { Instances } from '../instances.js';
import { answer, encodeRefusal, encodeThrown } from '../protocol.js';
import type { SyncManager } from '../sync-manager.js';
import { isStream, type Stream, Streams, Thrown, userCode } from '../user-code.js';
import { ClientObjects } from './client-objects.js';
import type { CommonObjects } from './common-objects.js';
import { isFactory, Made, makeFor } from './making.js';
import { remoteMethods } from './methods.js';
import { type Actor, operations } from './operations.js';
import { MANAGER, say } from './wire.js';

/** What all sessions of a server share. */
export interface SessionHost {
  readonly manager: SyncManager;
  readonly instances: Instances;
  readonly common: CommonObjects;
  nextToken(): bigint;
  closed(session: Session): void;
}

class StreamStarted {
  readonly stream: Stream;

  constructor(stream: Stream) {
    this.stream = stream;
  }
}

type Call = [number: number, method: string, args: unknown[], options?: { timeout?: number } & Record<string, unknown>];

/** A remote client that has been let in, as the server sees it. What it does is done here, in its name. */
export class Session implements Actor {
  readonly leases = new Map<number, Lease<unknown>>();
  readonly #socket: Socket;
  readonly #host: SessionHost;
  readonly #reader = new FrameReader();
  readonly #objects: ClientObjects;
  readonly #streams = new Streams();
  /** What ends the calls that are under way, by the number of the request. */
  readonly #calls = new Map<number, AbortController>();
  #saidBye = false;
  #ended = false;

  constructor(socket: Socket, host: SessionHost, greeting: object) {
    this.#socket = socket;
    this.#host = host;
    this.#objects = new ClientObjects(host.common);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('close', () => this.#end());
    this.#write(makeFrame({ id: 0, kind: answer.greeting, payload: Buffer.from(JSON.stringify(greeting)) }));
    socket.resume();
  }

  nextToken(): bigint {
    return this.#host.nextToken();
  }

  /** Ends it when what has been answered has gone out. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once('close', () => resolve());
      this.#socket.end();
    });
  }

  /** Ends it now, before the process does. */
  destroy(): void {
    this.#socket.destroy();
    this.#end();
  }

  #receive(chunk: Buffer): void {
    try {
      this.#reader.read(chunk, (frame) => void this.#handle(frame));
    } catch {
      this.#socket.destroy(); // what comes after bytes that are no frame is none either
    }
  }

  async #handle({ id, kind, payload }: Frame): Promise<void> {
    if (this.#ended) return;
    if (kind === say.cancel) return this.#calls.get(id)?.abort();
    if (kind === say.bye) {
      this.#saidBye = true;
      return;
    }
    try {
      const value = await this.#answer(id, kind, payload);
      if (kind !== say.drop) this.#send(id, value);
    } catch (error) {
      if (error instanceof Thrown) this.#write(frameOf(id, answer.thrown, encodeThrown(error.error)));
      else this.#write(frameOf(id, answer.refused, encodeRefusal(error)));
    }
  }

  // Not an async function where it can be helped: calls of one client begin in the order in which they were made.
  #answer(id: number, kind: number, payload: Uint8Array): unknown {
    const operands = decode(payload, kind === say.invoke ? this.#objects.own : this.#objects) as unknown[];
    if (!Array.isArray(operands)) throw new MultiprocessError('A request is a list of operands.');
    switch (kind) {
      case say.call:
        return this.#call(id, operands as Call);
      case say.invoke:
        return this.#invoke(operands as Call);
      case say.drop:
        return this.#objects.drop(operands[0] as number, operands[1] as number);
      case say.next:
        return this.#streams.next(operands[0] as number);
      case say.leave:
        return this.#streams.leave(operands[0] as number);
      default:
        throw new MultiprocessError(`A manager knows no request of kind ${kind}.`);
    }
  }

  #call(id: number, [number, method, args, options]: Call): unknown {
    if (!Array.isArray(args) || typeof method !== 'string') throw new MultiprocessError('This is no call of a method.');
    const { kind, target } = this.#objects.find(number);
    const known = remoteMethods[kind];
    if (known === undefined) throw notExposed(method);
    const waits = Object.hasOwn(known.waiting, method);
    if (!waits && method !== 'dispose' && !known.plain.includes(method)) throw notExposed(method);
    const own = Object.hasOwn(operations[kind]!, method) ? operations[kind]![method]! : undefined;
    const call = (all: object) =>
      own === undefined
        ? (target as Record<string, (...args: unknown[]) => unknown>)[method]!(...args, ...(waits ? [all] : []))
        : own.call(this, target as never, args as never, all);
    return waits ? this.#wait(id, options, call) : call({});
  }

  /** Something that is given up when the client is gone, or does not want it any more. */
  async #wait(id: number, options: object | undefined, call: (options: object) => unknown): Promise<unknown> {
    const ending = new AbortController();
    this.#calls.set(id, ending);
    try {
      return await call({ ...options, signal: ending.signal });
    } finally {
      this.#calls.delete(id);
    }
  }

  #invoke([number, method, args]: Call): unknown {
    if (!Array.isArray(args) || typeof method !== 'string') throw new MultiprocessError('This is no call of a method.');
    if (number !== MANAGER) return this.#callExposed(number, method, args);
    if (isFactory(method)) return makeFor(this.#host.manager, method, args);
    const makeInstance = this.#host.instances.maker(method);
    return userCode(() => makeInstance(args));
  }

  async #callExposed(number: number, method: string, args: unknown[]): Promise<unknown> {
    const { target, exposed } = this.#objects.find(number);
    if (!exposed.includes(method)) throw notExposed(method);
    const value = await userCode(() => (target as Record<string, (...args: unknown[]) => unknown>)[method]!(...args));
    return isStream(value) ? new StreamStarted(value) : value;
  }

  #send(id: number, value: unknown): void {
    if (value instanceof StreamStarted) {
      if (this.#ended) return void value.stream.return?.(undefined);
      this.#streams.add(id, value.stream);
      return this.#write(frameOf(id, answer.stream, encodeParts([id])));
    }
    try {
      if (this.#ended) return;
      const told = value instanceof Made ? value.object : value;
      this.#write(frameOf(id, answer.value, encodeParts(told, 'result', this.#objects)));
    } catch (error) {
      throw error instanceof NotShareableError ? new Thrown(error) : error;
    } finally {
      if (value instanceof Made) value.letGo();
      this.#host.instances.letGo();
    }
  }

  #write(frame: Buffer): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    // Whoever does not read what he has asked for is not asked what he wants more.
    if (!this.#socket.write(frame)) this.#socket.pause();
  }

  /** The client has gone, however it ended: what it waits for is given up, and what it has is given back. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const call of this.#calls.values()) call.abort();
    this.#streams.end();
    this.leases.clear();
    this.#objects.end(!this.#saidBye);
    this.#host.closed(this);
  }
}

function notExposed(method: string): TypeError {
  return new TypeError(`The method '${method.slice(0, 80)}' cannot be called from another machine.`);
}
