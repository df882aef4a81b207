import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ManagerClosedError, TimeoutError } from '../errors/index.js';
import { fileFacts, openFileFacts, removeFile, sameFile, tryLockFile } from '../os/index.js';
import { ClientConnection } from './client-connection.js';
import { DEFAULT_TIMEOUT_MS, LONGEST_TIMER_MS } from './manager-options.js';
import type { Greeting } from './protocol.js';
import type { ServerConfig } from './server-config.js';
import { ServerProcess } from './server-process.js';
import { namedFiles, socketDirectory } from './socket-directory.js';

// Processes that have nothing in common meet at a socket. Who finds nobody there takes the lock of that name, and starts the
// server with it: the server inherits the open file and with it the lock, so the kernel lets go of it when the last of the two
// has ended, and never before. So there is one server at most, whoever is killed at whatever moment.

const POLL_MS = 5;
export const LOCK_BYTE = 0n;

interface Met {
  readonly connection: ClientConnection;
  readonly greeting: Greeting;
  readonly path: string;
}

/** What a client asks for. */
export interface Meeting {
  readonly linger: number;
  /** For a server that somebody else has started: how long it may take to answer. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Connects to the manager of that name, which is started if there is none.
 *
 * @throws (rejects) what starting it throws; TimeoutError; the signal's reason; system errors.
 */
export async function meet(name: string, meeting: Meeting, start: Omit<ServerConfig, 'path' | 'files'>): Promise<Met> {
  const { socket: path, lock } = namedFiles(name);
  const { signal } = meeting;
  // The time that an initializer takes is its own.
  const startTimeout = Math.max(meeting.timeout, DEFAULT_TIMEOUT_MS);
  let deadline = performance.now() + meeting.timeout;
  for (;;) {
    signal?.throwIfAborted();
    const met = await connectTo(path, meeting.linger, deadline, signal);
    if (met !== undefined) return met;
    const server = startUnlessStarted(path, lock, start);
    if (server !== undefined) {
      await server.serves(startTimeout, signal);
      deadline = performance.now() + DEFAULT_TIMEOUT_MS;
    } else if (performance.now() > deadline) throw late(name);
    await delay(POLL_MS);
    socketDirectory(); // still there, and still ours
  }
}

function late(name: string): TimeoutError {
  return new TimeoutError(
    `The server of the manager '${name}' is there, and does not answer: it is stopped (SIGSTOP), busy, or not through with its ` +
      'initializer. Let it go on, end it, or wait longer: Manager({ name, timeout }).',
  );
}

/** @returns undefined when there is none, or it does not answer in time. */
async function connectTo(
  path: string,
  linger: number,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Met | undefined> {
  let connection: ClientConnection;
  try {
    connection = new ClientConnection(path, linger, false);
  } catch {
    return undefined;
  }
  const giveUp = () => connection.close();
  const timer = setTimeout(giveUp, Math.min(deadline - performance.now(), LONGEST_TIMER_MS));
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return { connection, greeting: await connection.greeted(), path };
  } catch (error) {
    connection.close();
    signal?.throwIfAborted();
    if (!(error instanceof ManagerClosedError)) throw error;
    return undefined; // it was about to end
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

/** @returns undefined when it serves, or is being started, already. */
function startUnlessStarted(
  path: string,
  lock: string,
  start: Omit<ServerConfig, 'path' | 'files'>,
): ServerProcess | undefined {
  const fd = openSync(lock, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    if (!tryLockFile(fd, 'exclusive', LOCK_BYTE)) return undefined;
    // A server removes the file when it ends; then this one is nobody's lock.
    if (!sameFile(openFileFacts(fd), fileFacts(lock))) return undefined;
    removeFile(path); // of a server that was killed
    return new ServerProcess({ ...start, path, files: [lock] }, fd);
  } finally {
    closeSync(fd);
  }
}
