import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** Gives this test file, and what it starts, sockets of managers of its own; they go when its tests are done. */
export function ownRuntimeDirectory(): string {
  const runtime = mkdtempSync(join(tmpdir(), 'mpt-'));
  process.env['XDG_RUNTIME_DIR'] = runtime;
  after(() => rmSync(runtime, { recursive: true, force: true }));
  return join(runtime, 'multiprocess');
}
