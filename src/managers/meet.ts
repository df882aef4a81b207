import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ManagerClosedError } from '../errors/index.js';
import { fileFacts, openFileFacts, removeFile, sameFile, tryLockFile } from '../os/index.js';
import { ClientConnection } from './client-connection.js';
import type { Greeting } from './protocol.js';
import type { ServerConfig } from './server-config.js';
import { ServerProcess } from './server-process.js';
import { namedFiles, socketDirectory } from './socket-directory.js';

// Processes that have nothing in common meet at a socket. Who finds nobody there takes the lock of that name, and starts the
// server with it: the server inherits the open file and with it the lock, so the kernel lets go of it when the last of the two
// has ended, and never before. So there is one server at most, whoever is killed at whatever moment.

const POLL_MS = 5;
const LOCK_BYTE = 0n;

interface Met {
  readonly connection: ClientConnection;
  readonly greeting: Greeting;
  readonly path: string;
}

/**
 * Connects to the manager of that name, which is started if there is none.
 *
 * @throws (rejects) what starting it throws; system errors.
 */
export async function meet(name: string, linger: number, start: Omit<ServerConfig, 'path' | 'files'>): Promise<Met> {
  const { socket: path, lock } = namedFiles(name);
  for (;;) {
    const met = await connectTo(path, linger);
    if (met !== undefined) return met;
    await startUnlessStarted(path, lock, start);
    await delay(POLL_MS);
    socketDirectory(); // still there, and still ours
  }
}

async function connectTo(path: string, linger: number): Promise<Met | undefined> {
  let connection: ClientConnection;
  try {
    connection = new ClientConnection(path, linger);
  } catch {
    return undefined;
  }
  try {
    return { connection, greeting: await connection.greeted(), path };
  } catch (error) {
    connection.close();
    if (!(error instanceof ManagerClosedError)) throw error;
    return undefined; // it was about to end
  }
}

async function startUnlessStarted(
  path: string,
  lock: string,
  start: Omit<ServerConfig, 'path' | 'files'>,
): Promise<void> {
  const fd = openSync(lock, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  let server: ServerProcess;
  try {
    if (!tryLockFile(fd, 'exclusive', LOCK_BYTE)) return;
    // A server removes the file when it ends; then this one is nobody's lock.
    if (!sameFile(openFileFacts(fd), fileFacts(lock))) return;
    removeFile(path); // of a server that was killed
    server = new ServerProcess({ ...start, path, files: [lock] }, fd);
  } finally {
    closeSync(fd);
  }
  await server.ready;
}
