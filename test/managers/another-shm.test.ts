// Managers of processes that have a /dev/shm of their own: what they leave there, and what they do not take from others.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Manager } from 'multiprocess';
import { listAfterwards } from '../support/own-shm.js';
import { program } from '../support/paths.js';

test('a reference to the tree in a heap that is left last leaves nothing', async (context) => {
  const found = await listAfterwards(program('refers-elsewhere'));
  if (found === undefined) return context.skip('no /dev/shm of its own');
  assert.deepEqual(found, { code: 0, stderr: '', stdout: '' });
});

test('servers that share the directory of sockets, but not /dev/shm, keep their sockets', async (context) => {
  await using manager = await Manager();
  if ((await listAfterwards(program('refers-elsewhere'))) === undefined) return context.skip('no /dev/shm of its own');
  assert.ok(existsSync(manager.address));
});
