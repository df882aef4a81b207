import assert from 'node:assert/strict';
import { test } from 'node:test';
import { program } from '../support/paths.js';
import { runNode } from '../support/run.js';

test('closing while zlib and fs work on the memory crashes nothing', { timeout: 60_000 }, async () => {
  const { code, signal, stdout, stderr } = await runNode(program('close-in-flight'));
  assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: 'alive\n', stderr: '' });
});

test('buffers that a byte stream has moved the memory into crash nothing', { timeout: 60_000 }, async () => {
  const { code, signal, stdout, stderr } = await runNode(program('moved-buffers'));
  assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: 'alive\n', stderr: '' });
});
