import { parseAddress } from './address.js';
import { type Authkey, bytesOfAuthkey } from './authkey.js';
import type { RemoteFactories, RemoteManager, RemoteTypes } from './remote-manager.js';

/** How a manager on another machine is reached. */
export interface ConnectOptions {
  /** What both sides know: see `serve`. */
  authkey?: Authkey | undefined;
  /** For node:tls's `connect`, when the manager is served with `tls`: `ca`, `servername`… */
  tls?: object | undefined;
}

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
): Promise<RemoteManager & RemoteFactories<T>> {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new TypeError('The options are an object, { authkey, tls }.');
  }
  const { authkey, tls } = options ?? {};
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) throw new TypeError('tls is an object.');
  const where = parseAddress(address);
  const key = bytesOfAuthkey(authkey);
  // Most programs reach no other machine: they need not load what that takes.
  const { reach } = await import('./on-demand.js');
  return (await reach(where, key, tls)) as RemoteManager & RemoteFactories<T>;
}
