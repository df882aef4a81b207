import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, findCompiler } from './compiler.js';
import { PEERS_FOLDER, WORKERS_FOLDER } from './folders.js';
import { LineClient } from './line-client.js';
import { findPython, PYTHON_ENVIRONMENT, type Python } from './python.js';
import { findRedis } from './redis.js';
import type { Program } from './row.js';

const require = createRequire(import.meta.url);

/** Whether it can be loaded: one that is compiled when it is installed may be there and not work. */
function isInstalled(needs: string): boolean {
  try {
    require(needs.slice(0, needs.lastIndexOf('@')));
    return true;
  } catch {
    return false;
  }
}

/** What this machine has to run programs with, and a temporary folder for what that makes. */
export class Toolbox {
  readonly #folder = mkdtempSync(join(tmpdir(), 'multiprocess-bench-'));
  readonly python: Python | undefined = findPython();
  readonly compiler: string | undefined = findCompiler();
  readonly redis: string | undefined = findRedis();

  /** Why a program cannot be run on this machine; `undefined` when it can. */
  lacks({ runtime, needs }: Program): string | undefined {
    if (runtime === 'python' && this.python === undefined) return 'no python3 with shared memory';
    if (runtime === 'c' && this.compiler === undefined) return 'no cc';
    if (needs === 'redis') return this.redis === undefined ? 'no redis-server' : undefined;
    if (needs !== undefined && !isInstalled(needs)) return `npm install --no-save ${needs}`;
    return undefined;
  }

  /** @throws when the program does not come up, although the machine has what it needs. */
  start({ runtime, name, args }: Program): Promise<LineClient> {
    switch (runtime) {
      case 'node':
        return LineClient.start(process.execPath, [fileURLToPath(new URL(`${name}.js`, WORKERS_FOLDER)), ...args]);
      case 'python':
        return LineClient.start(this.python!.command, [join(PEERS_FOLDER, `${name}.py`), ...args], PYTHON_ENVIRONMENT);
      case 'c':
        return LineClient.start(compile(name, this.#folder), args);
    }
  }

  clear(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
