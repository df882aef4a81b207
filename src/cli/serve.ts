import { existsSync, readFileSync, statSync } from 'node:fs';
import { ValueError } from '../errors/index.js';
import { SyncManager } from '../managers/index.js';
import { type Command, exitCode, UsageError } from './command.js';

const help = `Usage: multiprocess serve NAME [--tcp HOST:PORT --authkey-file FILE]

Starts the manager of that name, or meets it if there is one, and keeps it running until this command is ended by SIGINT
(Ctrl-C) or SIGTERM; then it shuts the manager down, for all. Programs of the same user meet it by
Manager({ name: 'NAME' }).

If a client shuts the manager down, this command ends with exit code 0; if its server is killed, with 1.

Options:
  --tcp HOST:PORT      serve remote clients, too, which connect('tcp://HOST:PORT', { authkey }); port 0: any that is free
  --authkey-file FILE  a file that nobody but its owner may read: its bytes, without a line break at their end, are the key
                       that remote clients must know
  -h, --help           this text`;

/** The part of a manager that is for remote clients. */
interface Remotable {
  serve(address: string, options: { authkey: Uint8Array }): Promise<string>;
}

export const serve: Command = {
  summary: 'run a named manager in the foreground',
  help,
  options: { tcp: { type: 'string' }, 'authkey-file': { type: 'string' } },
  operands: ['NAME'],
  async run({ tcp, 'authkey-file': file }, [name]) {
    if ((tcp === undefined) !== (file === undefined)) {
      throw new UsageError('--tcp and --authkey-file go together: whoever knows the key may run code in the manager.');
    }
    const address = tcp === undefined ? undefined : tcpAddress(String(tcp));
    const authkey = file === undefined ? undefined : readKey(String(file));
    const stopped = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
    const manager = await start(name!, stopped.signal);
    if (manager === undefined) return exitCode.done;
    try {
      if (address !== undefined && authkey !== undefined) {
        const { serve: serveRemote } = manager as SyncManager & Partial<Remotable>;
        if (serveRemote === undefined) throw new Error('This version serves no remote clients.');
        console.log(`serving ${await serveRemote.call(manager, address, { authkey })}`);
      }
      console.log(`serving '${name}' at ${manager.address}`);
      await Promise.race([manager.closed, aborted(stopped.signal)]);
      if (stopped.signal.aborted) return exitCode.done;
      // A server that ends in order removes its socket.
      const killed = existsSync(manager.address);
      console.error(killed ? `The server of '${name}' was killed.` : `'${name}' was shut down by a client.`);
      return killed ? exitCode.failed : exitCode.done;
    } finally {
      await manager.shutdown();
    }
  },
};

/** @returns undefined when it was stopped before. @throws UsageError for a name that no manager can have. */
async function start(name: string, signal: AbortSignal): Promise<SyncManager | undefined> {
  const manager = new SyncManager({ name, linger: 0, signal });
  try {
    await manager.start();
    return manager;
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof ValueError) throw new UsageError(error.message);
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** @throws UsageError */
function tcpAddress(text: string): string {
  const { port = '' } = /^(\[[0-9a-fA-F:.]+\]|[^:/@\s]+):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (port === '' || Number(port) > 65_535) throw new UsageError(`--tcp takes HOST:PORT; got '${text}'.`);
  return `tcp://${text}`;
}

/** @throws a system error; Error for a file that others may read, and for an empty one. */
function readKey(path: string): Uint8Array {
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new Error(`Others than its owner may read or write '${path}'. Make it yours alone: chmod 600.`);
  }
  const content = readFileSync(path);
  const end = content.at(-1) === 0x0a ? (content.at(-2) === 0x0d ? -2 : -1) : content.length;
  const key = content.subarray(0, end);
  if (key.length === 0) throw new Error(`The key in '${path}' is empty.`);
  return key;
}
