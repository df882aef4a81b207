import { inspect } from 'node:util';
import { encode, type FunctionLocation, locateFunction, registerSharedKind } from '../codec/internal.js';
import { ManagerNotStartedError, ProcessStateError, ValueError } from '../errors/index.js';
import { openAsOwn, parsePlace } from '../heap/internal.js';
import { type Handle, isImporting, markUncloneable, refuseJson } from '../shared-memory/internal.js';
import { closedError } from './closed.js';
import { askToEnd, endsInTime } from './end-server.js';
import { knownLink, type Link, linkAt, openLink } from './link.js';
import {
  checkInitializer,
  checkOptions,
  DEFAULT_LINGER_MS,
  DEFAULT_TIMEOUT_MS,
  type ManagerOptions,
} from './manager-options.js';
import { meet } from './meet.js';
import './remote.js';
import { parseAddress } from './network/address.js';
import { type Authkey, bytesOfAuthkey } from './network/authkey.js';
import { ask } from './protocol.js';
import type { Remote } from './remote.js';
import { ServerProcess } from './server-process.js';
import { socketDirectory } from './socket-directory.js';
import { addType, locateTypes, typesOf } from './type-registry.js';

type Fn = (...args: any[]) => any;
type Class<T> = abstract new (...args: any[]) => T;

/** How a manager is served to other machines. */
export interface ServeOptions {
  authkey: Authkey;
  /** For node:tls's `createServer`. */
  tls?: object | undefined;
}

/** For constructors: a manager that is there already, and the names of its types. */
class Found {
  readonly link: Link;
  readonly typeids: readonly string[];

  constructor(link: Link, typeids: readonly string[]) {
    this.link = link;
    this.typeids = typeids;
  }
}

/** The one wrapper of each manager in this environment. */
const wrappers = new WeakMap<Link, WeakRef<BaseManager>>();

/**
 * A manager without types of its own; {@link SyncManager} has those of this library.
 *
 * Its server is a process: there live the objects of the types that are registered with it. It is started by `start()`, and of
 * a manager without a name it ends when the process that started it does.
 *
 * @example
 * ```ts
 * import { BaseManager, isMainProcess } from 'multiprocess';
 *
 * export class Counter {
 *   #count = 0;
 *   increment(by = 1): number {
 *     this.#count += by;
 *     return this.#count;
 *   }
 *   *below(): Generator<number> {
 *     for (let i = 0; i < this.#count; i++) yield i;
 *   }
 * }
 *
 * export class CounterManager extends BaseManager.with({ Counter }) {}
 *
 * if (isMainProcess) {
 *   const manager = new CounterManager();
 *   await manager.start();
 *   const counter = await manager.Counter(); // lives in the server
 *   console.log(await counter.increment(), counter.incrementSync(2)); // 1 3
 *   for await (const n of counter.below()) if (n > 1) console.log(n); // 2
 *   await manager.shutdown();
 * }
 * ```
 */
export class BaseManager {
  readonly #options: ManagerOptions;
  #link: Link | undefined;
  #server: ServerProcess | undefined;
  #starting = false;
  /** Whether it was closed before it was started. */
  #closedEarly = false;

  /** @throws TypeError, RangeError for wrong options. */
  constructor(options?: ManagerOptions) {
    markUncloneable(this);
    const found: unknown = options;
    if (found instanceof Found) {
      this.#options = {};
      this.#link = found.link;
      wrappers.set(found.link, new WeakRef<BaseManager>(this));
      for (const typeid of found.typeids) if (!(typeid in this)) defineFactory(this, typeid);
      return;
    }
    this.#options = checkOptions(options);
  }

  /**
   * Registers a class, so that managers of this class, and of those that extend it, make objects of it in their servers:
   * `await manager.Counter(…)`. The class has to be exported by a module, which the server imports.
   *
   * @param options.exposed the names of the methods that clients may call. Default: all that do not begin with `_`.
   * @throws TypeError for what is no class; ValueError for what is no JavaScript name; NameConflictError when another class is
   * registered by that name, or managers have something of that name.
   */
  static register(typeid: string, type: Class<object>, options?: { exposed?: readonly string[] }): void {
    // biome-ignore lint/complexity/noThisInStatic: the class on which it is called
    registerType(this, typeid, type, options);
  }

  /** The class with more types, known to the compiler: `class My extends SyncManager.with({ Counter }) {}`. @throws as `register`. */
  static with<T extends Record<string, Class<object>>, M extends new (...args: any[]) => BaseManager>(
    this: M,
    types: T,
  ): M &
    (new (
      ...args: any[]
    ) => { [K in keyof T]: (...args: ConstructorParameters<T[K]>) => Promise<Remote<InstanceType<T[K]>>> }) {
    // biome-ignore lint/complexity/noThisInStatic: the class on which it is called
    return extendedBy(this, types) as never;
  }

  /**
   * Starts the server, or meets the one that serves the name. What is given here goes before what the constructor was given.
   *
   * @throws (rejects) ProcessStateError when it has been started before, or in a child that still imports its module;
   * ManagerClosedError after `shutdown()` or `close()`; TypeError for an initializer that is no function; NotShareableError for
   * one, or for a class, that no module exports, and for arguments that cannot travel; RemoteError for what the initializer
   * throws; NameConflictError when the manager that was met knows another type by a name of this one's; ValueError for a name
   * that cannot be used; TimeoutError when somebody else's server of that name does not answer, or one's own does not serve, in
   * time; the reason of an aborted `signal`; system errors: `EACCES` when the directory of the sockets is not this user's alone, `ENAMETOOLONG`,
   * `ENOSPC`.
   */
  async start(initializer?: Fn, initargs?: readonly unknown[]): Promise<void> {
    checkInitializer(initializer, initargs);
    if (this.#closedEarly || this.#link?.isClosed) throw closedError();
    if (this.#starting || this.#link !== undefined) {
      throw new ProcessStateError('STARTED', 'The manager has been started already. Make a new one to start another.');
    }
    if (isImporting()) {
      throw new ProcessStateError(
        'IMPORTING',
        'A child process cannot start a manager while it imports its own module. Put it under `if (isMainProcess)`.',
      );
    }
    const first = initializer ?? this.#options.initializer;
    const args = initargs ?? this.#options.initargs ?? [];
    this.#starting = true;
    try {
      await this.#start(first === undefined ? undefined : locateFunction(first), args);
    } finally {
      this.#starting = false;
    }
    if (this.#closedEarly) {
      await this.#end();
      throw closedError();
    }
  }

  async #start(initializer: FunctionLocation | undefined, args: readonly unknown[]): Promise<void> {
    socketDirectory(); // refused before anything is started
    const types = locateTypes(typesOf(this.constructor));
    const {
      name,
      linger = DEFAULT_LINGER_MS,
      maxBytes,
      callTimeout,
      timeout = DEFAULT_TIMEOUT_MS,
      signal,
    } = this.#options;
    const config = {
      types,
      initargs: encode(args, 'initargs').bytes,
      ...(initializer === undefined ? {} : { initializer }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(callTimeout === undefined ? {} : { callTimeout }),
    };
    if (name === undefined) {
      signal?.throwIfAborted();
      const server = new ServerProcess({ ...config, files: [] });
      const { place, path } = await server.serves(timeout, signal);
      this.#server = server;
      this.#link = openLink(parsePlace(place), path);
      this.#link.connect();
    } else {
      const { connection, greeting, path } = await meet(name, { linger, timeout, signal }, config);
      try {
        await Promise.all(types.map((type) => connection.request(ask.register, type, { timeout: this.#patience })));
        const place = parsePlace(greeting.place);
        this.#link = knownLink(place) ?? openLink(place, path, linger, connection);
      } catch (error) {
        connection.close();
        throw error;
      }
    }
    if (callTimeout !== undefined) this.#link.callTimeout = callTimeout;
    wrappers.set(this.#link, new WeakRef<BaseManager>(this));
  }

  /**
   * Opens a door to other machines, which come in by `connect(address, { authkey })`. It is open until the manager ends, also
   * when this process has let go of it. Whoever knows the key can do what this process can.
   *
   * @param address `tcp://host:port`, of this machine; with port 0 the system chooses one.
   * @param options.authkey what both sides know: text, or bytes, which nobody can guess. It is never sent.
   * @param options.tls options for node:tls's `createServer` (`key`, `cert`…). Without them, what is said can be read and
   * changed by whoever is on the way: only for networks that you trust.
   * @returns the address, with the real port.
   * @throws (rejects) AuthenticationError without a key, or with an empty one; TypeError, ValueError for a wrong address or
   * wrong options; NotShareableError for functions in `tls`; ManagerNotStartedError; ManagerClosedError; TimeoutError when the
   * server does not answer within 30 s, or a longer `timeout` of the manager's, because it is stopped or busy: the door may be open all the
   * same, later; system errors (`EADDRINUSE`, `EACCES`, `ENOTFOUND`).
   *
   * @example
   * ```ts
   * import { connect, Manager } from 'multiprocess';
   *
   * const manager = await Manager();
   * const address = await manager.serve('tcp://127.0.0.1:0', { authkey: 'what both know' });
   *
   * const remote = await connect(address, { authkey: 'what both know' }); // usually on another machine
   * const visits = await remote.dict<string, number>(null, { name: 'visits' });
   * console.log(await visits.increment('/')); // 1
   * console.log(manager.dict(null, { name: 'visits' }).get('/')); // 1
   *
   * await remote.close();
   * await manager.shutdown();
   * ```
   */
  async serve(address: string, options: ServeOptions): Promise<string> {
    parseAddress(address);
    if (options !== undefined && (typeof options !== 'object' || options === null)) {
      throw new TypeError('The options are an object, { authkey, tls }.');
    }
    const { authkey, tls } = options ?? ({} as Partial<ServeOptions>);
    const key = bytesOfAuthkey(authkey);
    if (tls !== undefined && (typeof tls !== 'object' || tls === null)) throw new TypeError('tls is an object.');
    const asking = { timeout: this.#patience };
    return (await this.#started().connect().request(ask.serve, [address, key, tls], asking)) as string;
  }

  /**
   * Ends the server, for all. What was made in it goes on working for as long as somebody has it; objects of registered types
   * are gone. Idempotent.
   *
   * @throws (rejects) TimeoutError when a named manager's server does not end within 30 s, or a longer `timeout` of the options,
   * because it is stopped (SIGSTOP) or busy. A private one is ended by force.
   */
  async shutdown(): Promise<void> {
    if (this.#link === undefined || this.#link.isClosed) {
      this.#closedEarly = true;
      await this.#server?.end();
      return;
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    const link = this.#link!;
    const asked = askToEnd(link);
    // A server that is busy for long is ended all the same, by who started it.
    await (this.#server?.end() ?? endsInTime(asked, this.#patience));
    link.close();
  }

  /**
   * Lets go of it here: this object makes nothing any more. The server goes on: a private one until the process that started it
   * ends, a named one for as long as it has clients. Idempotent.
   */
  async close(): Promise<void> {
    this.#closedEarly = true;
    this.#link?.close();
  }

  /** The path of the server's socket. @throws ManagerNotStartedError */
  get address(): string {
    return this.#started().path;
  }

  /**
   * Resolves when the server has ended, however it has, or this object is closed. Whoever asks for it keeps running until then.
   *
   * @throws ManagerNotStartedError
   */
  get closed(): Promise<void> {
    const link = this.#started();
    try {
      void link.connect().ended();
    } catch {
      // it has ended, and nobody has to be told
    }
    return link.closed;
  }

  /** @throws ManagerNotStartedError */
  get handle(): Handle<BaseManager> {
    return formatManager('basemanager', this) as Handle<BaseManager>;
  }

  /** By its creator, shuts a manager without a name down; otherwise closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server !== undefined) return this.shutdown();
    return this.close();
  }

  /** @throws TypeError: it is no data. */
  toJSON(): never {
    return refuseJson(this.constructor.name);
  }

  [inspect.custom](): string {
    const link = this.#link;
    const state = link === undefined ? 'not started' : link.isClosed ? 'closed' : link.path;
    return `${this.constructor.name} { ${state} }`;
  }

  /** For answers of a server that takes no time for them, in ms; who does not want to wait for somebody else's to be met still has. */
  get #patience(): number {
    return Math.max(this.#options.timeout ?? 0, DEFAULT_TIMEOUT_MS);
  }

  #started(): Link {
    if (this.#link !== undefined) return this.#link;
    if (this.#closedEarly) throw closedError();
    throw new ManagerNotStartedError('The manager has not been started. Await start() first, or Manager().');
  }

  /** For the rooms of managers alone: what others have no name for. */
  static linkOf(manager: BaseManager): Link {
    return manager.#started();
  }
}

function registerType(manager: typeof BaseManager, typeid: string, type: Class<object>, options?: unknown): void {
  if (addType(manager, typeid, type, options)) defineFactory(manager.prototype, typeid);
}

function extendedBy(base: new (...args: any[]) => BaseManager, types: Record<string, Class<object>>): unknown {
  class WithTypes extends base {}
  Object.defineProperty(WithTypes, 'name', { value: base.name });
  for (const [typeid, type] of Object.entries(types)) registerType(WithTypes as typeof BaseManager, typeid, type);
  return WithTypes;
}

function defineFactory(target: object, typeid: string): void {
  const value = async function (this: BaseManager, ...args: unknown[]) {
    const link = BaseManager.linkOf(this);
    return link.connect().request(ask.create, [typeid, args], { timeout: link.callTimeout });
  };
  Object.defineProperty(value, 'name', { value: typeid });
  Object.defineProperty(target, typeid, { value, writable: true, configurable: true });
}

type ManagerClass = abstract new (...args: never[]) => BaseManager;

export function formatManager(kind: string, manager: BaseManager): string {
  const typeids = new Set([...typesOf(manager.constructor).keys(), ...Object.getOwnPropertyNames(manager)]);
  return `mp:${kind}:${[...typeids].join(',')}:${BaseManager.linkOf(manager).fields}`;
}

/** How managers of a class travel: as a handle of their server, which the receiver sees through a wrapper of the same class. */
export function registerManagerKind(kind: string, type: ManagerClass, module: string): void {
  registerSharedKind<BaseManager>({
    kind,
    type,
    module,
    handle: (manager) => formatManager(kind, manager),
    places: (manager) => [BaseManager.linkOf(manager).place],
    open: (fields) => {
      const [, typeids, rest] = /^([\w$,]*):(.*)$/s.exec(fields) ?? [];
      if (typeids === undefined || rest === undefined)
        throw new ValueError(`This is no manager: '${fields.slice(0, 80)}'.`);
      const link = openAsOwn(() => linkAt(rest));
      const known = wrappers.get(link)?.deref();
      if (known instanceof type) return known;
      const made = type as unknown as new (found: Found) => BaseManager;
      return new made(new Found(link, typeids === '' ? [] : typeids.split(',')));
    },
  });
}

registerManagerKind('basemanager', BaseManager, import.meta.url);
