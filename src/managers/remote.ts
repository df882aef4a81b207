import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { DeadlockError, MultiprocessError, ValueError } from '../errors/index.js';
import { enterWrapper, openAsOwn, type Place, placeOf, rootKind, wrapperAt } from '../heap/internal.js';
import { markUncloneable, refuseJson } from '../shared-memory/internal.js';
import type { Asking } from './client-connection.js';
import { StreamMark } from './client-messages.js';
import type { Exposed } from './exposed.js';
import { type Link, linkAt, splitPlace } from './link.js';
import { ask } from './protocol.js';
import { servedHere } from './served-here.js';

// An object of a registered type, as a client sees it. Its class is made of what the server says that it exposes, so that it
// has these methods and no other property with a name.

type Fn = (...args: any[]) => any;
export type AsyncForm<F> = F extends (...args: infer A) => infer R
  ? [R] extends [never]
    ? (...args: A) => Promise<never>
    : R extends Generator<infer Y> | AsyncGenerator<infer Y>
      ? (...args: A) => AsyncIterableIterator<Y>
      : (...args: A) => Promise<Awaited<R>>
  : never;
type SyncForm<F> = F extends (...args: infer A) => infer R
  ? [R] extends [never]
    ? (...args: A) => never
    : R extends Generator<infer Y> | AsyncGenerator<infer Y>
      ? (...args: A) => IterableIterator<Y>
      : (...args: A) => Awaited<R>
  : never;
export type Methods<T> = { [K in keyof T as T[K] extends Fn ? (K extends string ? K : never) : never]: T[K] };

/**
 * An object that lives in a manager's server, seen from a client: each method returns a promise, and has a twin that blocks,
 * with `Sync` behind its name, where the class has no method of that name. Generators become async iterables, and their twins
 * iterables; what one takes is fetched piece by piece.
 *
 * Arguments and results are copied, but shared objects arrive as the same ones. All methods throw RemoteError for what the
 * method has thrown there, with the error as its `cause`; NotShareableError for arguments that cannot travel;
 * ManagerClosedError when the server is gone, StaleHandleError when the object has been disposed of.
 *
 * A call takes as long as its method does, however long that is. A server that is stopped (SIGSTOP) is not gone: calls wait for
 * it to go on, unless the manager was started with a `callTimeout`.
 */
export type Remote<T> = { [K in keyof Methods<T>]: AsyncForm<Methods<T>[K]> } & {
  [K in keyof Methods<T> as `${K & string}Sync` extends keyof Methods<T> ? never : `${K & string}Sync`]: SyncForm<
    Methods<T>[K]
  >;
};

export interface RemoteFields {
  readonly place: string;
  readonly typeid: string;
  readonly exposed: Exposed;
  /** How the manager is reached. */
  readonly manager: string;
}

export function formatRemote({ place, typeid, exposed, manager }: RemoteFields): string {
  const methods = Buffer.from(JSON.stringify([exposed.methods, exposed.generators])).toString('base64url');
  return `mp:remote:${place}:${typeid}:${methods}:${manager}`;
}

/** What the handle of an object of a registered type says of it. @throws ValueError */
export function readRemote(handle: string): { typeid: string; methods: string[]; generators: string[] } {
  const { rest } = splitPlace(handle.slice('mp:remote:'.length));
  const [typeid = '', methods = ''] = rest.split(':');
  const { exposed, generators } = readMethods(methods);
  return { typeid, methods: exposed, generators };
}

/** The object itself where it lives, otherwise the one wrapper that this environment has of it. */
export function openRemote(fields: string): object {
  return openAsOwn(() => openOwn(fields));
}

function openOwn(fields: string): object {
  const { place, rest } = splitPlace(fields);
  const here = servedHere();
  const [, typeid, methods, manager] = /^([A-Za-z_$][\w$]*):([\w-]*):(.*)$/s.exec(rest) ?? [];
  if (typeid === undefined || methods === undefined || manager === undefined) {
    throw new ValueError(`This is not the handle of a manager's object: '${fields.slice(0, 80)}'.`);
  }
  const link = linkAt(manager);
  // Calls say where in the manager's heap it is.
  if (place.heap !== link.heap) throw new ValueError('This is the handle of an object of another manager.');
  if (link.isHere && here !== undefined) return here.find(place.at.address, place.at.serial).object;
  const Shape = shapeOf(typeid, methods);
  return wrapperAt(place, rootKind.instance, (found) => new Shape(found, link, `mp:remote:${fields}`));
}

const shapes = new Map<string, new (place: Place, link: Link, handle: string) => RemoteObject>();

/** Not for users: none of what it has of its own has a name that a method could have. */
class RemoteObject {
  readonly #link: Link;
  readonly #handle: string;
  readonly #at: Place['at'];

  constructor(place: Place, link: Link, handle: string) {
    this.#link = link;
    this.#handle = handle;
    this.#at = place.at;
    enterWrapper(this, place);
    markUncloneable(this);
  }

  static handleOf(remote: RemoteObject): string {
    return remote.#handle;
  }

  static call(remote: RemoteObject, method: string, args: unknown[]): Promise<unknown> {
    return remote.#request(method, args, (stream) => iterate(remote, remote.#link, stream));
  }

  static async *iterate(remote: RemoteObject, method: string, args: unknown[]): AsyncGenerator<unknown> {
    const found = await remote.#request(method, args);
    if (!(found instanceof StreamMark)) throw noStream(method);
    yield* iterate(remote, remote.#link, found);
  }

  static callSync(remote: RemoteObject, method: string, args: unknown[]): unknown {
    const found = askSync(remote.#link, ask.call, [remote.#at.address, remote.#at.serial, method, args]);
    return found instanceof StreamMark ? iterateSync(remote.#link, found) : found;
  }

  static *iterateSync(remote: RemoteObject, method: string, args: unknown[]): Generator<unknown> {
    const found = askSync(remote.#link, ask.call, [remote.#at.address, remote.#at.serial, method, args]);
    if (!(found instanceof StreamMark)) throw noStream(method);
    yield* iterateSync(remote.#link, found);
  }

  #request(method: string, args: unknown[], begin?: Asking['begin']): Promise<unknown> {
    try {
      const { address, serial } = this.#at;
      const link = this.#link;
      const asking = { asker: this, timeout: link.callTimeout, begin };
      return link.connect().request(ask.call, [address, serial, method, args], asking);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  [inspect.custom](): string {
    return `${this.constructor.name} { in a manager }`;
  }
}

function shapeOf(typeid: string, methods: string): new (place: Place, link: Link, handle: string) => RemoteObject {
  const key = `${typeid}:${methods}`;
  const known = shapes.get(key);
  if (known !== undefined) return known;
  const { exposed, generators } = readMethods(methods);
  class Shape extends RemoteObject {}
  Object.defineProperty(Shape, 'name', { value: typeid });
  const define = (name: string, value: Fn) => {
    Object.defineProperty(value, 'name', { value: name });
    Object.defineProperty(Shape.prototype, name, { value, writable: true, configurable: true });
  };
  define('toJSON', () => refuseJson(typeid));
  for (const name of exposed) {
    const iterates = generators.includes(name);
    const { call, callSync, iterate, iterateSync } = RemoteObject;
    define(name, function (this: RemoteObject, ...args: unknown[]) {
      return iterates ? iterate(this, name, args) : call(this, name, args);
    });
    if (exposed.includes(`${name}Sync`)) continue;
    define(`${name}Sync`, function (this: RemoteObject, ...args: unknown[]) {
      return iterates ? iterateSync(this, name, args) : callSync(this, name, args);
    });
  }
  shapes.set(key, Shape);
  return Shape;
}

function readMethods(text: string): { exposed: string[]; generators: string[] } {
  const bad = () => new ValueError('This is not the handle of an object of a manager.');
  let lists: unknown;
  try {
    lists = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    throw bad();
  }
  if (!Array.isArray(lists) || lists.length !== 2) throw bad();
  const [exposed, generators] = lists as unknown[];
  const areNames = (list: unknown) => Array.isArray(list) && list.every((name) => typeof name === 'string');
  if (!areNames(exposed) || !areNames(generators)) throw bad();
  return { exposed: exposed as string[], generators: generators as string[] };
}

/** @throws DeadlockError in the server itself. */
export function askSync(link: Link, kind: number, operands: readonly unknown[]): unknown {
  if (link.isHere) {
    throw new DeadlockError(
      'This process is the server: a blocking call would wait for itself. Call the method without Sync.',
    );
  }
  const since = performance.now();
  return link.connectSync(link.callTimeout).request(kind, operands, link.callTimeout, since);
}

type Piece = [done: boolean, value: unknown];

async function* iterate(asker: object, link: Link, { number }: StreamMark): AsyncGenerator<unknown> {
  const connection = link.connect();
  let over = false;
  try {
    for (;;) {
      over = true; // if it fails there, there is nothing to leave
      const [done, value] = (await connection.request(ask.next, [number], {
        asker,
        timeout: link.callTimeout,
      })) as Piece;
      if (done) return;
      over = false;
      yield value;
    }
  } finally {
    if (!over) await connection.request(ask.leave, [number], { timeout: link.callTimeout });
  }
}

function* iterateSync(link: Link, { number }: StreamMark): Generator<unknown> {
  const connection = link.connectSync(link.callTimeout);
  let over = false;
  try {
    for (;;) {
      over = true;
      const [done, value] = connection.request(ask.next, [number], link.callTimeout) as Piece;
      if (done) return;
      over = false;
      yield value;
    }
  } finally {
    if (!over) connection.request(ask.leave, [number], link.callTimeout);
  }
}

function noStream(method: string): MultiprocessError {
  return new MultiprocessError(`The method '${method}' did not return the iterator that it returned before.`);
}

registerSharedKind<RemoteObject>({
  kind: 'remote',
  type: RemoteObject as abstract new (...args: never[]) => RemoteObject,
  module: import.meta.url,
  handle: RemoteObject.handleOf,
  places: (remote) => [placeOf(remote)],
  open: (fields) => openRemote(fields) as RemoteObject,
});
