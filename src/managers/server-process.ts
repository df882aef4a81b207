import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { decode, encode } from '../codec/internal.js';
import { ProcessDiedError, TimeoutError } from '../errors/index.js';
import { peekChildStatus } from '../os/index.js';
import { currentProcess, readOutcome, spawnChild } from '../process/internal.js';
import { LONGEST_TIMER_MS } from './manager-options.js';
import type { Ready, ServerConfig } from './server-config.js';

const SERVER_MAIN = new URL('./server-main.js', import.meta.url).href;
const GRACE_MS = 1000;
const POLL_MS = 2;

let counter = 0;
const running = new Set<ServerProcess>();

/** A manager's server, as its parent sees it. Keeps no event loop alive, except while it starts or is being ended. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #ready: Promise<Ready>;

  /**
   * @param lock of a named manager: a descriptor that the server keeps for as long as it lives. It belongs to no process tree,
   * and outlives this process.
   * @throws what `spawnChild` throws.
   */
  constructor(config: ServerConfig, lock?: number) {
    counter += 1;
    const header = {
      process: { pid: 0, name: `Manager-${counter}`, daemon: false },
      parent: currentProcess(),
      target: { url: SERVER_MAIN, exportName: 'serve' },
      receipt: { label: 0, receivers: [] },
    };
    const apart = lock !== undefined;
    const { child, record } = spawnChild(header, encode([config], 'config'), {
      env: undefined,
      execArgv: undefined,
      stdio: apart ? 'ignore' : 'inherit',
      also: apart ? [lock, 'ipc'] : ['ipc'],
      apart,
    });
    this.#child = child;
    if (!apart) this.#endsWithThisProcess();
    let end!: () => void;
    this.#ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#ready = new Promise((resolve, reject) => {
      child.once('message', (message) => resolve(message as Ready));
      child.once('exit', (code, signal) => {
        running.delete(this);
        try {
          reject(startError(record, code, signal));
        } finally {
          closeSync(record);
          end();
        }
      });
    });
    const settled = () => {
      child.unref();
      child.channel?.unref();
    };
    this.#ready.then(settled, settled);
  }

  /**
   * Waits until it serves; ends it by force if it does not in time.
   *
   * @throws (rejects) TimeoutError; `signal.reason`; what it throws before it serves; ProcessDiedError.
   */
  async serves(timeout: number, signal: AbortSignal | undefined): Promise<Ready> {
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    const givenUp = new Promise<never>((_, reject) => {
      const late = () => reject(new TimeoutError(notInTime(timeout)));
      if (timeout !== Number.POSITIVE_INFINITY) timer = setTimeout(late, Math.min(timeout, LONGEST_TIMER_MS));
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      signal?.throwIfAborted();
      return await Promise.race([this.#ready, givenUp]);
    } catch (error) {
      this.#child.kill('SIGKILL');
      this.#child.ref();
      await this.#ended;
      throw error;
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Waits until it has ended; ends it by force if it does not end in time. */
  async end(): Promise<void> {
    this.#child.ref();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<true>((resolve) => {
        timer = setTimeout(() => resolve(true), GRACE_MS);
      });
      const isLate = await Promise.race([this.#ended, late]);
      clearTimeout(timer);
      if (!isLate) return;
      this.#child.kill(signal);
    }
    await this.#ended;
  }

  get #isAlive(): boolean {
    return this.#child.pid !== undefined && peekChildStatus(this.#child.pid) === 'running';
  }

  #endsWithThisProcess(): void {
    if (running.size === 0 && !atExit) process.prependListener('exit', endAll);
    atExit = true;
    running.add(this);
  }

  static endAll(): void {
    for (const server of running) server.#child.kill('SIGTERM');
    const deadline = performance.now() + GRACE_MS;
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    while ([...running].some((server) => server.#isAlive) && performance.now() < deadline) {
      Atomics.wait(sleeper, 0, 0, POLL_MS); // the event loop has ended; the kernel is asked instead
    }
    for (const server of running) if (server.#isAlive) server.#child.kill('SIGKILL');
  }
}

let atExit = false;

function endAll(): void {
  ServerProcess.endAll();
}

function notInTime(ms: number): string {
  return (
    `The manager's server did not serve within ${ms} ms, and has been ended: importing the modules of its types, or its ` +
    'initializer, takes longer or never ends. Give it more time: { timeout }.'
  );
}

function startError(record: number, exitCode: number | null, signalCode: NodeJS.Signals | null): unknown {
  let outcome: ReturnType<typeof readOutcome>;
  try {
    outcome = readOutcome(record);
  } catch {}
  if (outcome?.kind === 'error') return decode(outcome.bytes);
  const how = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`;
  return new ProcessDiedError(`The manager's server ended ${how} before it served.`, { exitCode, signalCode });
}
