import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ValueError } from '../errors/index.js';
import { cpuCount } from '../process/index.js';
import { isEngineAddress } from '../redis/address.js';
import type { PoolWorker } from '../redis/pool-worker.js';
import { type Command, exitCode, UsageError } from './command.js';

const help = `Usage: multiprocess worker --url URL --module FILE [--pool NAME] [--processes N]

Works for a pool at a server of Redis or Valkey, on any machine, until this command is ended by SIGINT (Ctrl-C) or SIGTERM:
then it takes nothing more, and ends when what it is at is done; a second signal ends that, too. Programs give the pool
something to do by (await connect('redis://…')).Pool().

The functions that are called are those that the module exports, found by their names: whoever may write to the server may
have them called, with any arguments. Each process imports the module once.

Options:
  --url URL        the server: redis://host:port, or several of a cluster with spaces between. A password does not belong here,
                   where others see it: it is taken from the same URL in the environment variable MULTIPROCESS_REDIS_URL, and
                   so is all of it if there is no --url
  --module FILE    the module: a file, or a package
  --pool NAME      the name of the pool (default: pool)
  --processes N    how many processes work (default: as many as there are processors)
  --max-tasks N    after so many chunks of tasks a process ends, and another one takes its place
  --prefix TEXT    what all keys begin with, as for connect() (default: mp:)
  --lease MS       after so many ms others take it for dead, when it was not heard of (default: 10000)
  -h, --help       this text`;

const LEASE_MS = 10_000;
const DAY_MS = 86_400_000;

export const worker: Command = {
  summary: 'work for a pool at a server of Redis or Valkey',
  help,
  options: {
    url: { type: 'string' },
    module: { type: 'string' },
    pool: { type: 'string', default: 'pool' },
    processes: { type: 'string' },
    'max-tasks': { type: 'string' },
    prefix: { type: 'string', default: 'mp:' },
    lease: { type: 'string' },
  },
  operands: [],
  async run(options) {
    const { pool, prefix } = options as { pool: string; prefix: string };
    const urls = urlsOf(options['url'] ?? process.env['MULTIPROCESS_REDIS_URL']);
    const module = moduleUrl(options['module']);
    // The processes find it there, when objects at the server are among the tasks.
    process.env['MULTIPROCESS_REDIS_URL'] = [...urls, process.env['MULTIPROCESS_REDIS_URL'] ?? ''].join(' ');
    if (pool.length === 0) throw new UsageError('--pool takes a name.');
    const settings = {
      prefix,
      pool,
      module,
      lease: numberOf('lease', options['lease'], LEASE_MS, 100, DAY_MS),
      processes: numberOf('processes', options['processes'], cpuCount(), 1, 500),
      maxTasks: numberOf('max-tasks', options['max-tasks'], Number.POSITIVE_INFINITY, 1, Number.MAX_SAFE_INTEGER),
    };
    // Most commands reach no server: they need not load what that takes.
    const { PoolWorker } = await import('../redis/pool-worker.js');
    const { reachedByUrl } = await import('../redis/target.js');
    const stopping = new Stopping();
    try {
      const reached = reachedByUrl(urls.length === 1 ? urls[0]! : urls);
      const working = await PoolWorker.start(reached, settings);
      stopping.of(working);
      console.log(`working for '${pool}' at ${working.address} with ${settings.processes} processes`);
      await working.run();
      return exitCode.done;
    } catch (error) {
      if (error instanceof ValueError) throw new UsageError(error.message);
      throw error;
    }
  },
};

/** The first signal has it get done with what it is at, the second one ends that. */
class Stopping {
  #count = 0;
  #worker: PoolWorker | undefined;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#hear());
  }

  of(found: PoolWorker): void {
    this.#worker = found;
    if (this.#count > 0) found.stop();
  }

  #hear(): void {
    this.#count += 1;
    if (this.#worker === undefined) process.exit(exitCode.done);
    if (this.#count === 1) this.#worker.stop();
    else this.#worker.terminate();
  }
}

/** @throws UsageError */
function urlsOf(text: unknown): string[] {
  if (typeof text !== 'string') throw new UsageError('--url is needed: redis://host:port.');
  const urls = text.split(/\s+/).filter(Boolean);
  if (!isEngineAddress(urls)) throw new UsageError(`--url takes redis://host:port; got '${withoutSecrets(text)}'.`);
  return urls;
}

function withoutSecrets(text: string): string {
  return text.replace(/\/\/\S*@/g, '//…@');
}

/** @throws UsageError for what is no module here. */
function moduleUrl(given: unknown): string {
  if (typeof given !== 'string' || given === '')
    throw new UsageError('--module is needed: a file that exports functions.');
  if (/^(file|node|data):/.test(given)) return given;
  const path = resolve(given);
  if (existsSync(path)) return pathToFileURL(path).href;
  try {
    return pathToFileURL(createRequire(resolve('package.json')).resolve(given)).href;
  } catch {
    throw new UsageError(`There is no module '${given}' here.`);
  }
}

/** @throws UsageError for what is no whole number, or out of range. */
function numberOf(option: string, text: unknown, otherwise: number, least: number, most: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (String(text).trim() === '' || !Number.isInteger(number) || number < least || number > most) {
    throw new UsageError(`--${option} takes a whole number from ${least}; got '${String(text)}'.`);
  }
  return number;
}
