import { timeoutOf } from '../../heap/internal.js';
import { isEngineAddress } from '../../redis/address.js';
import { parseAddress } from './address.js';
import { type Authkey, bytesOfAuthkey } from './authkey.js';
import type { EngineManager } from './engine-manager.js';
import { DEFAULT_PATIENCE } from './patience.js';
import type { RemoteFactories, RemoteManager, RemoteTypes } from './remote-manager.js';

/** The URL of a server of Redis or Valkey. */
export type EngineUrl = `${'redis' | 'rediss' | 'valkey' | 'valkeys'}://${string}`;

/** How a server of Redis or Valkey is used. */
export interface EngineOptions {
  /**
   * A client of ioredis or of node-redis, of a server or a cluster: its settings are used instead of the URL, which only says
   * what kind of server it is.
   * Connections are made beside its own.
   */
  client?: unknown;
  /** What all keys at the server begin with. Only those meet who use the same one. Default: `mp:`. */
  prefix?: string | undefined;
  /**
   * Milliseconds after which others take what is held by a client that has not been heard of: one that was killed, stopped, or
   * cut off. From 100. Default: 10 000.
   */
  lease?: number | undefined;
}

/** How a manager on another machine is reached. */
export interface ConnectOptions extends EngineOptions {
  /** What both sides know: see `serve`. */
  authkey?: Authkey | undefined;
  /** For node:tls's `connect`, when the manager is served with `tls`: `ca`, `servername`… */
  tls?: object | undefined;
  /**
   * How long this process waits for the manager to answer what it does at once, in ms; then the call throws TimeoutError. A manager
   * that is stopped (SIGSTOP) or busy answers nobody. Default: 30 000.
   */
  timeout?: number | undefined;
  /**
   * The same for methods of objects of registered types, and for such objects to be made, which may rightly take long. Default: as
   * long as they take.
   */
  callTimeout?: number | undefined;
}

/**
 * Connects to a server of Redis (7 or later) or Valkey. What is made there is used through the same objects as those of a
 * manager on another machine; it stays at the server until it is disposed of, and is found by its name. Locks are held by
 * leases: docs/beyond-one-machine.md says what is guaranteed, and what is not.
 *
 * The program needs a client library among its own dependencies: `ioredis` or `redis`.
 *
 * @param address `redis://user:password@host:port/database`, `rediss:` for TLS; `valkey:` and `valkeys:` are the same. Of a
 * cluster, a list of such URLs: some of its servers, from which the others are learnt. Where no user and no password are given,
 * those of the same host and port in the environment variable `MULTIPROCESS_REDIS_URL` are taken.
 * @throws (rejects) MultiprocessError: `ERR_MULTIPROCESS_NO_CLIENT` without a client library, `ERR_MULTIPROCESS_READ_ONLY` for
 * a replica, `ERR_MULTIPROCESS_ENGINE` for a server that is too old; AuthenticationError for a wrong password; TypeError,
 * RangeError, ValueError for a wrong address or wrong options; system errors (`ECONNREFUSED`…).
 */
export async function connect(
  address: EngineUrl | readonly EngineUrl[],
  options?: EngineOptions,
): Promise<EngineManager>;
/**
 * Connects to a manager that another process, usually on another machine, serves by `manager.serve()`. What is made there is
 * used from here through objects whose methods return promises; blocking operations are done there, in the name of this
 * connection. When it ends, however it does, what it holds is given back and what it waits for is given up.
 *
 * Objects of registered types are made by methods of their names, which the compiler knows if it is told the types:
 * `connect<{ Counter: typeof Counter }>(…)`; their modules need not exist here.
 *
 * @param address `tcp://host:port`.
 * @throws (rejects) AuthenticationError without a key, with an empty one, and when the other side has another; TimeoutError
 * when it does not answer as a manager within 10 s; MultiprocessError when it is none, or of another version; TypeError,
 * ValueError for a wrong address or wrong options; system errors (`ECONNREFUSED`…), those of TLS among them.
 *
 * @example
 * ```ts
 * import { connect, Manager } from 'multiprocess';
 *
 * const manager = await Manager();
 * const address = await manager.serve('tcp://127.0.0.1:0', { authkey: 'what both know' });
 *
 * const remote = await connect(address, { authkey: 'what both know' }); // on any machine that reaches it
 * const lock = await remote.Lock({ name: 'door' });
 * const jobs = await remote.Queue<string>();
 * await lock.run(async () => {
 *   await jobs.put('sweep');
 * });
 * console.log(await jobs.get(), await lock.locked()); // sweep false
 * console.log(manager.Lock({ name: 'door' })); // Lock { free }
 *
 * await remote.close();
 * await manager.shutdown();
 * ```
 */
export async function connect<T extends RemoteTypes = Record<never, never>>(
  address: string,
  options?: ConnectOptions,
): Promise<RemoteManager & RemoteFactories<T>>;
export async function connect(
  address: string | readonly string[],
  options?: ConnectOptions,
): Promise<RemoteManager | EngineManager> {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new TypeError('The options are an object, { authkey, tls }.');
  }
  const { authkey, tls, client, prefix, lease, timeout, callTimeout } = options ?? {};
  // Most programs reach no other machine: they need not load what that takes.
  if (isEngineAddress(address)) {
    if ([authkey, tls, timeout, callTimeout].some((option) => option !== undefined)) {
      throw new TypeError(
        'authkey, tls, timeout and callTimeout are for managers: a server is told of in its URL, or by { client }.',
      );
    }
    const { openServer } = await import('../../redis/index.js');
    const manager: EngineManager = await openServer(address, client, { prefix, lease });
    return manager;
  }
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) throw new TypeError('tls is an object.');
  const where = parseAddress(address);
  if (client !== undefined || prefix !== undefined || lease !== undefined) {
    throw new TypeError('client, prefix and lease are for servers of Redis or Valkey: give their URL, redis://….');
  }
  const key = bytesOfAuthkey(authkey);
  const patience = {
    timeout: timeoutOf({ timeout: timeout ?? DEFAULT_PATIENCE.timeout }),
    callTimeout: timeoutOf({ timeout: callTimeout }),
  };
  const { reach } = await import('./on-demand.js');
  return await reach(where, key, tls, patience);
}
