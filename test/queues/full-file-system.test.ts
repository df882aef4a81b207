import assert from 'node:assert/strict';
import { test } from 'node:test';
import { program } from '../support/paths.js';
import { run } from '../support/run.js';

// A private mount over /dev/shm: as root, or as root of a user namespace where the system allows those.
const mount = 'mount -t tmpfs -o size=16m tmpfs /dev/shm && echo mounted && exec "$0" "$1"';
const ways = [
  ['-m', 'sh', '-c', mount],
  ['-Urm', 'sh', '-c', mount],
];

test('a full /dev/shm is ENOSPC in the middle of a put, and leaves the queue whole', async (context) => {
  for (const way of ways) {
    const { code, signal, stdout, stderr } = await run('unshare', [
      ...way,
      process.execPath,
      program('full-shm-queue'),
    ]);
    const [mounted, report = ''] = stdout.split('\n');
    if (mounted === 'mounted') {
      assert.deepEqual([code, signal], [0, null], stderr); // SIGBUS above all
      const { codes, problems } = JSON.parse(report) as { codes: Record<string, string>; problems: string[] };
      for (const [what, failure] of Object.entries(codes)) assert.equal(failure, 'ENOSPC', what);
      assert.equal(Object.keys(codes).length, 7);
      assert.deepEqual(problems, []);
      return;
    }
  }
  context.skip('no mount namespaces here');
});
