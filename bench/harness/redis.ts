import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

const PATIENCE_MS = 10_000;

/** The first line of what the Redis server says of itself; `undefined` when there is none. */
export function findRedis(): string | undefined {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

export interface RunningRedis {
  readonly path: string;
  readonly client: Redis;
  stop(): Promise<void>;
}

/** A server on a Unix socket alone, which keeps nothing on disk, and a client of it. */
export async function startRedis(): Promise<RunningRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'multiprocess-redis-'));
  const path = join(folder, 'redis.sock');
  const settings = ['--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = spawn('redis-server', settings, { stdio: 'ignore' });
  process.once('exit', () => server.kill('SIGKILL'));
  const deadline = performance.now() + PATIENCE_MS;
  while (!existsSync(path)) {
    if (server.exitCode !== null || performance.now() > deadline) throw new Error('redis-server does not come up.');
    await delay(10);
  }
  const client = new Redis(path);
  return { path, client, stop: () => stop(server, client, folder) };
}

async function stop(server: ChildProcess, client: Redis, folder: string): Promise<void> {
  client.disconnect();
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
