// The programs of examples/, run as their users do.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { projectRoot } from './support/paths.js';
import { type Finished, runNode } from './support/run.js';

async function example(path: string, ...args: string[]): Promise<Finished> {
  const finished = await runNode(`${projectRoot}build/examples/${path}`, args);
  assert.equal(finished.stderr, '');
  assert.equal(finished.code, 0);
  return finished;
}

describe('examples', { timeout: 120_000 }, () => {
  test('shared-memory', async () => {
    const { stdout } = await example('shared-memory.js');
    const after = '[11, 12, 13, 14, 15]';
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'Original array: [1, 2, 3, 4, 5]',
      `Worker modified array: ${after}`,
      `Array after worker: ${after}`,
    ]);
  });

  test('shareable-list', async () => {
    const { stdout } = await example('shareable-list.js');
    assert.match(stdout, /^Initial list: \[1, 2, 3, 4, 5\]$/m);
    assert.match(stdout, /^List length: 5$/m);
    assert.match(stdout, /^Final list: \[31, 32, 33, 34, 35\]$/m);
  });

  test('python: from Node to Python', async () => {
    const { stdout } = await example('python/node-to-python.js');
    assert.match(stdout, /after Python: \[1, 2.25, 4, 6.25, 9\]/);
  });

  test('python: from Python to Node', async () => {
    const { stdout } = await example('python/python-to-node.js');
    assert.match(stdout, /Node reads: +\[ 1, 2.5, 'three', true, null \]/);
    assert.match(stdout, /after Node: \[11, 'pi', 'tres', False, None\]/);
  });

  test('word-count counts a folder, checks itself, and says what it cannot count', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'word-count-'));
    try {
      writeFileSync(join(folder, 'one.txt'), 'the cat and the dog\n'.repeat(1000));
      writeFileSync(join(folder, 'two.md'), 'The end.');
      writeFileSync(join(folder, 'binary'), Buffer.from([0, 1, 2, 0]));
      const main = `${projectRoot}build/examples/word-count/main.js`;
      const { code, stdout, stderr } = await runNode(main, [folder, '--processes', '3', '--top', '2']);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /3 processes: 100 %/); // the progress, without control characters where there is no terminal
      assert.match(stdout, /2 of text.*\nLeft out: +1 binary/);
      assert.match(stdout, /2,001 +the\n +1,000 +and\n/);
      assert.match(stdout, /check: ok/);
      const missing = await runNode(main, [join(folder, 'nowhere')]);
      assert.equal(missing.code, 1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
