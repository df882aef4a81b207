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

test('a full /dev/shm is ENOSPC for whatever a dict or a namespace does, and leaves it as it was', {
  timeout: 120_000,
}, async (context) => {
  for (const way of ways) {
    const { code, signal, stdout, stderr } = await run(
      'unshare',
      [...way, process.execPath, program('full-shm-dict')],
      {
        timeoutMs: 110_000,
      },
    );
    const [mounted, report = ''] = stdout.split('\n');
    if (mounted !== 'mounted') continue;
    assert.deepEqual([code, signal], [0, null], stderr); // SIGBUS above all
    const { codes, problems } = JSON.parse(report) as { codes: Record<string, string>; problems: string[] };
    assert.deepEqual(problems, []);
    for (const [what, failure] of Object.entries(codes)) assert.equal(failure, 'ENOSPC', what);
    assert.equal(Object.keys(codes).length, 23);
    return;
  }
  context.skip('no mount namespaces here');
});
