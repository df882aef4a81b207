import { closeSync, constants, openSync } from 'node:fs';
import { createConnection } from 'node:net';
import { fileFacts, openFileFacts, removeFile, sameFile, tryLockFile } from '../os/index.js';
import { FrameReader, textOf } from './frames.js';
import { LOCK_BYTE } from './meet.js';
import { answer, type Greeting } from './protocol.js';
import { listNames, listSockets, namedFiles } from './socket-directory.js';

/** A manager as one sees it without being its client. */
export interface ManagerFacts {
  /** undefined: a private one. */
  readonly name: string | undefined;
  readonly socket: string;
  /** `silent`: somebody listens and does not answer in time, being stopped or busy. `dead`: nobody listens. */
  readonly state: 'serving' | 'silent' | 'dead';
  readonly pid?: number;
  readonly heap?: string;
}

/**
 * The managers of this user whose sockets lie where those of this process would.
 *
 * @param patience how long to wait for the answer of each, in ms; all are asked at the same time.
 * @throws (rejects) a system error `EACCES` when the directory of the sockets is not this user's alone.
 */
export async function listManagers(patience: number): Promise<ManagerFacts[]> {
  return Promise.all(
    listSockets().map(async ({ name, path: socket }) => {
      const found = await greetingAt(socket, patience);
      if (typeof found === 'string') return { name, socket, state: found };
      return { name, socket, state: 'serving' as const, pid: found.pid, heap: found.place.split(':')[0]! };
    }),
  );
}

/** What a server says to whoever connects. Says nothing itself, and so is no client that the server would wait for. */
function greetingAt(path: string, patience: number): Promise<Greeting | 'silent' | 'dead'> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const reader = new FrameReader();
    const timer = setTimeout(() => settle('silent'), patience);
    const settle = (found: Greeting | 'silent' | 'dead') => {
      clearTimeout(timer);
      socket.destroy();
      resolve(found);
    };
    socket.on('error', () => settle('dead'));
    socket.on('close', () => settle('dead'));
    socket.on('data', (chunk) => {
      try {
        reader.read(chunk, (frame) => {
          if (frame.kind === answer.greeting) settle(JSON.parse(textOf(frame)) as Greeting);
        });
      } catch {
        settle('silent'); // another program's socket, or another version's
      }
    });
  });
}

/**
 * Removes the sockets and locks of named managers whose servers were killed.
 *
 * @returns the paths of the sockets.
 */
export function sweepNamed(): string[] {
  return listNames().flatMap((name) => {
    const { socket, lock } = namedFiles(name);
    const fd = openSync(lock, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      // Who has it serves, or is about to. With it, nobody is (meet.ts).
      if (!tryLockFile(fd, 'exclusive', LOCK_BYTE) || !sameFile(openFileFacts(fd), fileFacts(lock))) return [];
      const removed = removeFile(socket);
      removeFile(lock);
      return removed ? [socket] : [];
    } finally {
      closeSync(fd);
    }
  });
}
