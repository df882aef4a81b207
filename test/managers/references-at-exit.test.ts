// A process that leaves the last heap which refers to another one lets go of the reference, and joins nothing anew for that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listAfterwards } from '../support/own-shm.js';
import { program } from '../support/paths.js';

test('a reference to the tree in a heap that is left last leaves nothing', async (context) => {
  const found = await listAfterwards(program('refers-elsewhere'));
  if (found === undefined) return context.skip('no /dev/shm of its own');
  assert.deepEqual(found, { code: 0, stderr: '', stdout: '' });
});
