import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const packageFolder = dirname(createRequire(import.meta.url).resolve('multiprocess/package.json'));

/** The Python and C sources. They are not compiled along, so they lie in the source tree and not beside this module. */
export const PEERS_FOLDER = join(packageFolder, 'bench', 'peers');

export const RESULTS_FILE = join(packageFolder, 'bench', 'results.json');

/** Our side's compiled programs. */
export const WORKERS_FOLDER = new URL('../workers/', import.meta.url);
