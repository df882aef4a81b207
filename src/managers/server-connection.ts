import type { Socket } from 'node:net';
import { open } from '../codec/index.js';
import { decode, type EncodedParts, encodeParts, type FunctionLocation, type Translation } from '../codec/internal.js';
import { MultiprocessError } from '../errors/index.js';
import type { Place } from '../heap/internal.js';
import { DirectWriter, errorCode, putOffUntilBlocking, takeBack } from '../os/index.js';
import type { ShareableItem } from '../shared-memory/index.js';
import { type Frame, FrameReader, frameOf, makeFrame } from './frames.js';
import type { Instances } from './instances.js';
import type { KeptMemory } from './kept-memory.js';
import type { PoolRequest } from './pool/served-pool.js';
import { answer, ask, encodeRefusal, encodeThrown } from './protocol.js';
import { isStream, isThenable, Streams, Thrown, userCode } from './user-code.js';

/** What a connection is told by the server, and tells it. */
export interface Host {
  readonly instances: Instances;
  readonly kept: KeptMemory;
  hello(connection: ServerConnection, linger: number): void;
  /** @throws (rejects) what `Gateway.serve` throws. */
  serve(address: string, authkey: Uint8Array, tls: object | undefined): Promise<string>;
  /** @throws (rejects) what `Process.start()` throws. */
  pool(request: PoolRequest): Promise<object>;
  /** A shared object has come by, which may be garbage now. */
  passed(): void;
  shutdown(): void;
  closed(connection: ServerConnection): void;
}

/** One client, as the server sees it. */
export class ServerConnection {
  readonly #socket: Socket;
  readonly #writer: DirectWriter;
  readonly #host: Host;
  readonly #reader = new FrameReader();
  readonly #streams = new Streams();
  /** By the number of the answer: what has been sent, and must exist until it has been opened. */
  readonly #held = new Map<number, { value: unknown; places: readonly Place[] }>();

  /** What goes out together, while there is such a thing. */
  #together: Buffer[] | undefined;

  /** Shared objects are opened by their handles. */
  readonly #noticing: Translation = {
    nameOf: () => undefined,
    named: (handle) => {
      this.#host.passed();
      return open(handle) as object;
    },
  };

  constructor(socket: Socket, host: Host, greeting: Buffer) {
    this.#socket = socket;
    this.#writer = new DirectWriter(socket);
    this.#host = host;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => {}); // followed by 'close'
    socket.on('close', () => this.#end());
    this.#write(makeFrame({ id: 0, kind: answer.greeting, payload: greeting }));
  }

  /** Ends it when what has been answered has gone out. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('close', resolve);
      this.#socket.end(resolve);
    });
  }

  #receive(chunk: Buffer): void {
    // What many requests are answered at once goes out together.
    this.#together = [];
    putOffUntilBlocking(this.#flush);
    try {
      this.#reader.read(chunk, this.#handle);
    } catch {
      this.#socket.destroy(); // what comes after bytes that are no frame is none either
    } finally {
      this.#flush();
    }
  }

  readonly #flush = (): void => {
    takeBack(this.#flush);
    const frames = this.#together;
    this.#together = undefined;
    if (frames !== undefined) this.#writer.writeAll(frames);
  };

  readonly #handle = (frame: Frame): void => {
    const { id, kind } = frame;
    if (kind === ask.taken) {
      const held = this.#held.get(id);
      this.#held.delete(id);
      if (held !== undefined) release(held.places);
      this.#host.passed();
      return;
    }
    try {
      const value = this.#answer(frame);
      if (isThenable(value)) {
        value.then(
          (settled) => this.#settle(frame, settled),
          (error: unknown) => this.#refuse(id, error),
        );
      } else this.#settle(frame, value);
    } catch (error) {
      this.#refuse(id, error);
    }
  };

  #settle({ id, kind }: Frame, value: unknown): void {
    try {
      if (isStream(value) && kind === ask.call) {
        this.#streams.add(id, value);
        this.#write(frameOf(id, answer.stream, encodeParts([id])));
      } else this.#send(id, value);
    } catch (error) {
      this.#refuse(id, error);
    }
    if (kind === ask.shutdown) this.#host.shutdown();
  }

  /** In the step in which a value is there it is encoded, and held for the client. */
  #send(id: number, value: unknown): void {
    try {
      const parts = encodeResult(value);
      const { places, blocks } = parts;
      if (places.size + blocks.size === 0) return this.#write(frameOf(id, answer.value, parts));
      if (this.#socket.destroyed) return;
      const frame = frameOf(id, answer.held, parts); // before anything else is encoded
      this.#held.set(id, { value, places: hold(places) });
      this.#write(frame);
    } finally {
      this.#host.instances.letGo();
    }
  }

  #refuse(id: number, error: unknown): void {
    const frame = () =>
      error instanceof Thrown
        ? frameOf(id, answer.thrown, encodeThrown(error.error))
        : frameOf(id, answer.refused, encodeRefusal(error));
    try {
      this.#write(frame());
    } catch (tooLarge) {
      this.#write(frameOf(id, answer.refused, encodeRefusal(tooLarge)));
    }
  }

  // No async function: requests of one client begin in the order in which they were sent, and what is there at once is
  // answered at once.
  #answer({ kind, payload }: Frame): unknown {
    const operands = decode(payload, this.#noticing) as unknown[];
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
        const [address, serial, method, args] = operands as [number, number, string, unknown[]];
        const { object, exposed, typeid } = instances.find(address, serial);
        if (!exposed.methods.includes(method)) throw notExposed(typeid, method);
        return userCode(() => (object as Record<string, (...args: unknown[]) => unknown>)[method]!(...args));
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

  #write(frame: Buffer): void {
    if (this.#together !== undefined) this.#together.push(frame);
    else this.#writer.write(frame);
  }

  /** The client has gone, however it ended: nothing of what was kept for it is needed. */
  #end(): void {
    for (const { places } of this.#held.values()) release(places);
    this.#held.clear();
    this.#streams.end();
    this.#host.closed(this);
  }
}

function encodeResult(value: unknown): EncodedParts {
  try {
    return encodeParts(value, 'result');
  } catch (error) {
    // No room for what the result refers to: nothing that the user's code has done.
    if (errorCode(error) === 'ENOSPC') throw error;
    throw new Thrown(error);
  }
}

function notExposed(typeid: string, method: unknown): TypeError {
  return new TypeError(`The method '${method}' of ${typeid} is not exposed to clients of the manager.`);
}

/** All or none. @throws StaleHandleError */
function hold(places: ReadonlySet<Place>): Place[] {
  const held: Place[] = [];
  try {
    for (const place of places) {
      place.heap.open(place.at);
      held.push(place);
    }
  } catch (error) {
    release(held);
    throw error;
  }
  return held;
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
