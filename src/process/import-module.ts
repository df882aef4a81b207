import { setImporting } from '../shared-memory/internal.js';

/** Imports a module of the user's: what it does meanwhile is done in each process that imports it. */
export async function importModule(url: string): Promise<Record<string, unknown>> {
  setImporting(true);
  try {
    return (await import(url)) as Record<string, unknown>;
  } finally {
    setImporting(false);
  }
}
