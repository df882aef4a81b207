import { isMainProcess } from 'multiprocess';

/** Its module loads the library, as that of most targets does. */
export function noopImporting(): boolean {
  return isMainProcess;
}
