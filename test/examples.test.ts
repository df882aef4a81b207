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

  test('ctypes-values', async () => {
    const { stdout } = await example('ctypes-values.js');
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'Initial value: 5',
      'Initial array: [1, 2, 3, 4]',
      'Final value: 25',
      'Final array: [4, 8, 12, 16]',
    ]);
  });

  test('raw-values', async () => {
    const { stdout } = await example('raw-values.js');
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(lines.slice(0, 2), ['Initial value: 0', 'Initial array: [0, 0, 0]']);
    for (const worker of [0, 1, 2]) {
      assert.equal(lines.filter((line) => line === `Worker ${worker} iteration completed`).length, 5);
    }
    assert.deepEqual(lines.slice(-2), ['Final value: 15', 'Final array: [15, 15, 15]']);
    assert.equal(lines.length, 19);
  });

  test('performance', async () => {
    const { stdout } = await example('performance.js');
    for (const kind of ['Synchronized', 'Raw', 'Atomic'])
      assert.match(stdout, new RegExp(`^${kind} final value: 10000$`, 'm'));
    assert.equal(stdout.match(/test completed in \d+\.\d{3} ms$/gm)?.length, 3);
  });

  test('manager-basic', async () => {
    const { stdout } = await example('manager-basic.js');
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(lines.slice(0, 3).sort(), ['Worker 0 completed', 'Worker 1 completed', 'Worker 2 completed']);
    assert.deepEqual(lines.slice(3), [
      'Final dict: {',
      "  worker_0: 'Hello from 0',",
      "  worker_1: 'Hello from 1',",
      "  worker_2: 'Hello from 2'",
      '}',
      "Final list: [ 'Item from worker 0', 'Item from worker 1', 'Item from worker 2' ]",
    ]);
  });

  test('manager-namespace', async () => {
    const { stdout } = await example('manager-namespace.js');
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'Counter: 4',
      'Messages: [',
      "  'Message from worker 0',",
      "  'Message from worker 1',",
      "  'Message from worker 2',",
      "  'Message from worker 3'",
      ']',
      ...[0, 1, 2, 3].map((id) => `worker_${id}_status: completed`),
    ]);
  });

  test('manager-complex', async () => {
    const { stdout } = await example('manager-complex.js');
    assert.match(stdout, /^Time: \d+\.\ds, Processed: 9, Active: 3$/m);
    assert.deepEqual(stdout.trimEnd().split('\n').slice(-3), [
      'Final results:',
      'Total items processed: 9',
      'Statistics: {"totalProcessed":9,"processors":{"0":true,"1":true,"2":true}}',
    ]);
  });

  test('cluster', async () => {
    const { stdout } = await example('cluster/main.js');
    assert.equal(stdout, 'Visits: {"/":3000,"/about":1000}\n');
  });

  test('two-containers', async (context) => {
    const { stdout } = await example('two-containers/main.js');
    if (stdout.startsWith('PID namespaces cannot be made here')) return context.skip('no PID namespaces here');
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'first:  I am process 1, and hold the lock',
      '        the lock is held',
      'second: I am process 1, and have the lock; its last holder died: true',
      'counts: {"die":1,"work":1}',
    ]);
  });

  test('rate-limiter', async () => {
    const { stdout } = await example('rate-limiter/main.js', '--limit', '100', '--requests', '3000');
    const [, admitted] = /^let through: (\d+)$/m.exec(stdout) ?? [];
    const [, answered, lost] = /^answered with 200: (\d+), .*killed worker: (\d+)$/m.exec(stdout) ?? [];
    assert.match(stdout, /2 workers, 1 killed and replaced$/m);
    assert.equal(Number(admitted), 10 * 100);
    // What was let through and is not answered, the killed worker had just at hand.
    assert.ok(Number(answered) <= 1000 && Number(answered) >= 1000 - Number(lost), stdout);
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
