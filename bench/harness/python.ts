import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PEERS_FOLDER } from './folders.js';

/** The Python that peers run on, and the package whose shared memory and processes they use. */
export interface Python {
  readonly command: string;
  readonly version: string;
  readonly package: string;
}

/** Leaves no compiled Python beside the sources. The standard library keeps its own, so starting is as fast as ever. */
export const PYTHON_ENVIRONMENT = { PYTHONDONTWRITEBYTECODE: '1' };

/**
 * The Python named by PYTHON, or the first that has the `multiprocess` package (Debian's goes with Debian's own
 * interpreter), or the first at all.
 *
 * @returns `undefined` when there is no Python with shared memory (3.8 and later).
 */
export function findPython(): Python | undefined {
  const named = process.env['PYTHON'];
  const found = (named === undefined ? ['python3', '/usr/bin/python3'] : [named]).flatMap(describe);
  return found.find((python) => python.package.startsWith('multiprocess ')) ?? found[0];
}

function describe(command: string): Python[] {
  const { status, stdout } = spawnSync(command, [join(PEERS_FOLDER, 'package.py')], {
    encoding: 'utf8',
    env: { ...process.env, ...PYTHON_ENVIRONMENT },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (status !== 0) return [];
  const [version = '', packageName = ''] = stdout.trim().split('\n');
  return [{ command, version, package: packageName }];
}
