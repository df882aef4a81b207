import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { program } from '../support/paths.js';
import { startNode } from '../support/run.js';
import { eventually, isAlive } from '../support/shm.js';

async function parentOf(kind: string, how: string) {
  const parent = startNode(program('parent-of'), [kind, how]);
  const child = Number((await parent.line(/child (\d+)/))[1]);
  return { parent, child };
}

describe('a daemon ends when its parent does', () => {
  for (const how of ['exit', 'throw', 'kill', 'return', 'spin', 'tidy']) {
    test(`by ${how}`, async () => {
      const { parent, child } = await parentOf('daemon', how);
      const { code, signal } = await parent.finished;
      assert.deepEqual([code, signal], how === 'kill' ? [null, 'SIGKILL'] : [how === 'throw' ? 1 : 0, null]);
      await eventually('the daemon has ended', () => !isAlive(child), 3000);
    });
  }
});

describe('any other child', () => {
  test('is waited for by a parent that has nothing else to do', async () => {
    const { parent, child } = await parentOf('child', 'return');
    assert.ok(isAlive(child));
    process.kill(child, 'SIGTERM');
    const { code } = await parent.finished;
    assert.equal(code, 0);
    assert.equal(isAlive(child), false);
  });

  for (const how of ['exit', 'kill']) {
    test(`goes on after its parent's ${how}`, async () => {
      const { parent, child } = await parentOf('child', how);
      await parent.finished;
      assert.ok(isAlive(child));
      process.kill(child, 'SIGKILL');
      await eventually('the child has ended', () => !isAlive(child));
    });
  }
});
