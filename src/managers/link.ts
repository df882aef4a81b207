import { StaleHandleError, ValueError } from '../errors/index.js';
import { enterWrapper, formatPlace, type Heap, type Place, parsePlace, root, rootKind } from '../heap/internal.js';
import { errorCode, removeFile } from '../os/index.js';
import { BlockingConnection } from './blocking-connection.js';
import { callTimeoutAt } from './call-timeout.js';
import { ClientConnection } from './client-connection.js';
import { closedError, noAnswer } from './closed.js';

const PLACE_FIELDS = 4;
const links = new Map<string, WeakRef<Link>>();

/** What this environment has of a manager: its heap, and connections to its server, made when they are needed. */
export class Link {
  readonly place: Place;
  readonly path: string;
  /** The server, as a participant of the heap. */
  readonly #server: number;
  readonly closed: Promise<void>;
  #close!: () => void;
  #isClosed = false;
  #connection: ClientConnection | undefined;
  #blocking: BlockingConnection | undefined;
  readonly #linger: number;
  /** How long an object of a registered type may take to answer, in ms. */
  callTimeout: number;

  constructor(place: Place, path: string, linger = 0, connection?: ClientConnection) {
    this.place = place;
    this.path = path;
    this.#linger = linger;
    this.#server = place.heap.memory.load(place.at.address + root.a);
    this.callTimeout = callTimeoutAt(place);
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    enterWrapper(this, place);
    links.set(formatPlace(place), new WeakRef(this));
    if (connection !== undefined) this.#adopt(connection);
  }

  get heap(): Heap {
    return this.place.heap;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether this very process is the server. */
  get isHere(): boolean {
    return this.#server === this.heap.participant.token;
  }

  /** The part of a handle that says how to get here. */
  get fields(): string {
    return `${formatPlace(this.place)}:${Buffer.from(this.path).toString('base64url')}`;
  }

  /** @throws ManagerClosedError when the server is gone, even if the event loop has not turned since, or after `close`. */
  check(): void {
    if (!this.#isClosed && this.heap.participant.isGone(this.#server, true)) this.#lost();
    if (this.#isClosed) throw closedError();
  }

  /** @throws ManagerClosedError */
  connect(): ClientConnection {
    // A connection says itself when the server has gone: the kernel need not be asked each time.
    if (this.#connection !== undefined && !this.#isClosed) return this.#connection;
    this.check();
    try {
      this.#adopt(new ClientConnection(this.path, this.#linger));
    } catch (cause) {
      throw closedError(cause);
    }
    return this.#connection!;
  }

  /**
   * A connection on which this thread blocks.
   *
   * @param timeout how long to wait, in ms, when more clients than the kernel queues wait for a server that accepts none.
   * @throws ManagerClosedError; TimeoutError
   */
  connectSync(timeout: number): BlockingConnection {
    if (this.#blocking !== undefined && !this.#blocking.broken && !this.#isClosed) return this.#blocking;
    this.check();
    this.#blocking?.close();
    try {
      this.#blocking = new BlockingConnection(this.path, this.#linger, performance.now() + timeout);
    } catch (cause) {
      if (errorCode(cause) === 'EAGAIN') throw noAnswer(timeout);
      throw closedError(cause);
    }
    return this.#blocking;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection?.close();
    this.#blocking?.close();
    this.#close();
  }

  #adopt(connection: ClientConnection): void {
    this.#connection = connection;
    void connection.closed.then(() => this.#lost());
  }

  #lost(): void {
    if (this.#isClosed) return;
    this.close();
    // Of a server that was killed; a private one's name is never used again.
    try {
      if (this.path.endsWith(`/${this.heap.id}`)) removeFile(this.path);
    } catch {}
  }
}

/**
 * The link that this environment has to a manager, or a new one.
 *
 * @param fields what `Link.fields` is. @throws ValueError; StaleHandleError when the manager is gone.
 */
export function linkAt(fields: string): Link {
  const { place, rest } = splitPlace(fields);
  const path = Buffer.from(rest, 'base64url').toString();
  if (!path.startsWith('/')) throw new ValueError(`This is not the handle of a manager: '${fields.slice(0, 80)}'.`);
  const link = knownLink(place) ?? openLink(place, path);
  // A named manager goes on for as long as somebody is connected; the server itself does not count.
  if (!link.isHere && link.path.endsWith('.named')) {
    try {
      link.connect();
    } catch {}
  }
  return link;
}

/** @throws ValueError for text that does not begin with a place. */
export function splitPlace(fields: string): { place: Place; rest: string } {
  const parts = fields.split(':');
  return { place: parsePlace(parts.slice(0, PLACE_FIELDS).join(':')), rest: parts.slice(PLACE_FIELDS).join(':') };
}

export function knownLink(place: Place): Link | undefined {
  const known = links.get(formatPlace(place))?.deref();
  return known?.isClosed ? undefined : known;
}

/** A new link to a server that is there. */
export function openLink(place: Place, path: string, linger?: number, connection?: ClientConnection): Link {
  const { heap, at } = place;
  if (heap.open(at) !== rootKind.manager) {
    heap.release(at.address);
    throw new StaleHandleError('This is not the handle of a manager.');
  }
  return new Link(place, path, linger, connection);
}
