import assert from 'node:assert/strict';
import { test } from 'node:test';
import { program } from '../support/paths.js';
import { run } from '../support/run.js';

// A private mount of 1 MiB over /dev/shm: as root, or as root of a user namespace where the system allows those.
const mount = 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$0" "$1"';
const ways = [
  ['-m', 'sh', '-c', mount],
  ['-Urm', 'sh', '-c', mount],
];

test('a full /dev/shm is ENOSPC when creating, never a crash later', async (context) => {
  for (const way of ways) {
    const { code, signal, stdout } = await run('unshare', [...way, process.execPath, program('full-shm')]);
    if (code === 0 && stdout !== '') {
      assert.deepEqual(JSON.parse(stdout), {
        codes: ['ENOSPC', 'ENOSPC', 'ENOSPC', 'ENOSPC'],
        nothingLeft: true,
        intact: true,
      });
      return;
    }
    assert.equal(signal, null, 'killed: SIGBUS?');
  }
  context.skip('no mount namespaces here; bad-input.test.ts asks for more than there is');
});
