import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PEERS_FOLDER } from './folders.js';

const COMMAND = process.env['CC'] ?? 'cc';

/** The first line of what the C compiler says of itself; `undefined` when there is none. */
export function findCompiler(): string | undefined {
  const { status, stdout } = spawnSync(COMMAND, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}

/** Compiles peers/<name>.c unless that has been done. @returns the program's path. */
export function compile(name: string, folder: string): string {
  const program = join(folder, name);
  if (!existsSync(program)) {
    // -pthread, and librt for shm_open, with a glibc older than 2.34.
    const source = join(PEERS_FOLDER, `${name}.c`);
    execFileSync(COMMAND, ['-O2', '-pthread', '-o', program, source, '-lrt'], { stdio: 'inherit' });
  }
  return program;
}
