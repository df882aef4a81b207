import { createConnection, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { TimeoutError } from '../../errors/index.js';
import { formatAddress, type NetworkAddress } from './address.js';
import { introduce } from './introduction.js';
import type { Patience } from './patience.js';
import { makeProxy } from './proxies.js';
import { RemoteConnection } from './remote-connection.js';
import { makeRemoteManager, type RemoteManager } from './remote-manager.js';
import { watchConnection } from './watched-connection.js';

const REACH_MS = 10_000;

/**
 * Connects to a manager.
 *
 * @throws (rejects) AuthenticationError; TimeoutError; MultiprocessError when it is no manager; ManagerClosedError when it
 * goes meanwhile; a system error.
 */
export async function reach(
  { host, port }: NetworkAddress,
  key: Uint8Array,
  tls: object | undefined,
  patience: Patience,
): Promise<RemoteManager> {
  const socket =
    tls === undefined
      ? createConnection({ host, port, noDelay: true })
      : connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...tls });
  socket.setNoDelay(true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TimeoutError(`What listens at ${host}:${port} did not answer as a manager within ${REACH_MS} ms.`));
    }, REACH_MS);
  });
  try {
    const address = formatAddress({ host, port });
    const connection = await Promise.race([meet(socket, key, tls !== undefined, address, patience), late]);
    const { types } = await Promise.race([connection.greeting, late]);
    return makeRemoteManager(connection, types);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function meet(
  socket: Socket,
  key: Uint8Array,
  secure: boolean,
  address: string,
  patience: Patience,
): Promise<RemoteConnection> {
  await new Promise<void>((resolve, reject) => {
    socket.once(secure ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed'))); // after 'error', which says why
  });
  await introduce(socket, key);
  watchConnection(socket);
  return new RemoteConnection(socket, address, patience, makeProxy);
}
