import { fileURLToPath } from 'node:url';

/** The project's folder; tests run compiled, from build/test/. */
export const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** A compiled program of test/programs/. */
export function program(name: string): string {
  return fileURLToPath(new URL(`../programs/${name}.js`, import.meta.url));
}

/** A file of test/fixtures/ as it is written, not compiled. */
export function fixture(name: string): string {
  return `${projectRoot}test/fixtures/${name}`;
}
