import type { Socket } from 'node:net';
import { decode, type Encoded, encode, type FunctionLocation } from '../codec/internal.js';
import { MultiprocessError } from '../errors/index.js';
import type { Place } from '../heap/internal.js';
import type { ShareableItem } from '../shared-memory/index.js';
import { type Frame, FrameReader, makeFrame } from './frames.js';
import type { Instances } from './instances.js';
import type { KeptMemory } from './kept-memory.js';
import type { PoolRequest } from './pool/served-pool.js';
import { answer, ask, encodeRefusal, encodeThrown } from './protocol.js';
import { isStream, type Stream, Streams, Thrown, userCode } from './user-code.js';

/** What a connection is told by the server, and tells it. */
export interface Host {
  readonly instances: Instances;
  readonly kept: KeptMemory;
  hello(connection: ServerConnection, linger: number): void;
  /** @throws (rejects) what `Gateway.serve` throws. */
  serve(address: string, authkey: Uint8Array, tls: object | undefined): Promise<string>;
  /** @throws (rejects) what `Process.start()` throws. */
  pool(request: PoolRequest): Promise<object>;
  shutdown(): void;
  closed(connection: ServerConnection): void;
}

/** One client, as the server sees it. */
export class ServerConnection {
  readonly #socket: Socket;
  readonly #host: Host;
  readonly #reader = new FrameReader();
  readonly #streams = new Streams();
  /** By the number of the answer: what has been sent, and must exist until it has been opened. */
  readonly #held = new Map<number, { value: unknown; places: readonly Place[] }>();

  constructor(socket: Socket, host: Host, greeting: Buffer) {
    this.#socket = socket;
    this.#host = host;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => {}); // followed by 'close'
    socket.on('close', () => this.#end());
    this.#write({ id: 0, kind: answer.greeting, payload: greeting });
  }

  /** Ends it when what has been answered has gone out. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('close', resolve);
      this.#socket.end(resolve);
    });
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.read(chunk)) void this.#handle(frame);
    } catch {
      this.#socket.destroy(); // what comes after bytes that are no frame is none either
    }
  }

  async #handle(frame: Frame): Promise<void> {
    const { id, kind } = frame;
    if (kind === ask.taken) {
      const held = this.#held.get(id);
      this.#held.delete(id);
      if (held !== undefined) release(held.places);
      return;
    }
    try {
      const value = await this.#answer(frame);
      if (value instanceof StreamStarted) {
        this.#streams.add(id, value.stream);
        this.#write({ id, kind: answer.stream, payload: encode([id]).bytes });
      } else this.#send(id, value);
    } catch (error) {
      const failure = error instanceof Thrown ? encodeThrown(error.error) : encodeRefusal(error);
      this.#write({ id, kind: error instanceof Thrown ? answer.thrown : answer.refused, payload: failure.bytes });
    } finally {
      if (kind === ask.shutdown) this.#host.shutdown();
    }
  }

  /** In the step in which a value is there it is encoded, and held for the client. */
  #send(id: number, value: unknown): void {
    try {
      const { bytes, places, blocks } = encodeResult(value);
      if (places.size + blocks.size === 0) return this.#write({ id, kind: answer.value, payload: bytes });
      if (this.#socket.destroyed) return;
      const held: Place[] = [];
      this.#held.set(id, { value, places: held });
      for (const place of places) {
        place.heap.open(place.at);
        held.push(place);
      }
      this.#write({ id, kind: answer.held, payload: bytes });
    } finally {
      this.#host.instances.letGo();
    }
  }

  // Not an async function where it can be helped: requests of one client begin in the order in which they were sent.
  async #answer({ kind, payload }: Frame): Promise<unknown> {
    const operands = decode(payload) as unknown[];
    const { instances } = this.#host;
    switch (kind) {
      case ask.hello:
        return this.#host.hello(this, operands[0] as number);
      case ask.register: {
        const [typeid, location, exposed] = operands as [string, FunctionLocation, readonly string[] | undefined];
        return userCode(() => instances.register(typeid, location, exposed), MultiprocessError);
      }
      case ask.create: {
        const [typeid, args] = operands as [string, unknown[]];
        const make = instances.maker(typeid);
        return userCode(() => make(args));
      }
      case ask.call: {
        const [place, method, args] = operands as [string, string, unknown[]];
        return call(instances, place, method, args);
      }
      case ask.next:
        return this.#streams.next(operands[0] as number);
      case ask.leave:
        return this.#streams.leave(operands[0] as number);
      case ask.block:
        return this.#host.kept.block(operands[0] as number);
      case ask.list:
        return this.#host.kept.list(operands[0] as ShareableItem[]);
      case ask.serve: {
        const [address, authkey, tls] = operands as [string, Uint8Array, object | undefined];
        return this.#host.serve(address, authkey, tls);
      }
      case ask.pool:
        return this.#host.pool(operands[0] as PoolRequest);
      case ask.shutdown:
        return undefined;
      default:
        throw new MultiprocessError(`A manager knows no request of kind ${kind}.`);
    }
  }

  #write(frame: Frame): void {
    if (this.#socket.destroyed) return;
    try {
      this.#socket.write(makeFrame(frame));
    } catch (error) {
      this.#held.delete(frame.id);
      this.#socket.write(makeFrame({ id: frame.id, kind: answer.refused, payload: encodeRefusal(error).bytes }));
    }
  }

  /** The client has gone, however it ended: nothing of what was kept for it is needed. */
  #end(): void {
    for (const { places } of this.#held.values()) release(places);
    this.#held.clear();
    this.#streams.end();
    this.#host.closed(this);
  }
}

function encodeResult(value: unknown): Encoded {
  try {
    return encode(value, 'result');
  } catch (error) {
    throw new Thrown(error);
  }
}

class StreamStarted {
  readonly stream: Stream;

  constructor(stream: Stream) {
    this.stream = stream;
  }
}

async function call(instances: Instances, place: string, method: string, args: unknown[]): Promise<unknown> {
  const { object, exposed, typeid } = instances.find(place);
  if (!exposed.methods.includes(method)) {
    throw new TypeError(`The method '${method}' of ${typeid} is not exposed to clients of the manager.`);
  }
  const value = await userCode(() => (object as Record<string, (...args: unknown[]) => unknown>)[method]!(...args));
  return isStream(value) ? new StreamStarted(value) : value;
}

function release(places: readonly Place[]): void {
  for (const { heap, at } of places) {
    try {
      heap.release(at.address);
    } catch {
      // declared dead: its reaper gives the hold back
    }
  }
}
