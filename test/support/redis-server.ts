import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineUrl } from 'multiprocess';
import { eventually } from './shm.js';

/** A server of Redis of one's own, with an empty folder, on a port of 127.0.0.1 that was free. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, settings: readonly string[]) {
    this.port = port;
    this.#settings = settings;
    this.#folder = mkdtempSync(join(tmpdir(), 'multiprocess-redis-'));
  }

  /** @param settings as on the command line: `--requirepass`, `secret`… @param files to lie in its folder. */
  static async start(settings: readonly string[] = [], files: Record<string, string> = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), settings);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(server.#folder, name), text);
    await server.restart();
    return server;
  }

  get url(): EngineUrl {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Starts it again where it was killed: empty, because it saves nothing, unless its settings say so. */
  async restart(): Promise<void> {
    const port = this.#settings.includes('--tls-port') ? [] : ['--port', String(this.port)];
    const plain = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.#folder];
    const settings = this.#settings.map((setting) => (setting === 'PORT' ? String(this.port) : setting));
    const child = spawn('redis-server', [...port, ...plain, ...settings], { stdio: 'ignore' });
    this.#child = child;
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = new Error('redis-server is needed by these tests: apt-get install redis-server', { cause: error });
    });
    await eventually('the server answers', () => {
      if (failure) throw failure;
      if (child.exitCode !== null) throw new Error(`redis-server has ended with ${child.exitCode}.`);
      return answers(this.port);
    });
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** SIGSTOP, or SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
