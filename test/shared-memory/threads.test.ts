import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { orphans } from '../support/orphans.js';
import { program } from '../support/paths.js';
import { runNode, startNode } from '../support/run.js';
import { eventually } from '../support/shm.js';

const settle = () => runNode(program('start-and-stop'));

describe('threads of one process', () => {
  test('that join at once found one tree', async () => {
    for (let round = 0; round < 3; round++) {
      const { stdout, stderr } = await runNode(program('threads'), ['found-at-once']);
      assert.equal(stdout, '1\n', stderr);
    }
    await settle();
    await eventually('nothing is left', () => orphans().length === 0);
  });

  test('that join while children are started keep off the memberships meant for those', {
    timeout: 60_000,
  }, async () => {
    const { stdout, stderr } = await runNode(program('threads'), ['join-while-starting']);
    assert.equal(stderr, '');
    assert.equal(stdout, '0 true 8\n');
  });

  test('that make blocks while their process exits leave none for ever', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 15; round++) {
      const { code, signal, stderr } = await runNode(program('threads'), ['exit-while-making']);
      // koffi aborts the process now and then when a worker is ended within a native call (koffi 3.3); the blocks must go
      // all the same.
      assert.ok(code === 0 || signal === 'SIGABRT' || code === 134, stderr);
    }
    await settle();
    await eventually(`nothing is left`, () => orphans().length === 0);
  });

  test('give back the memory that they have mapped when they end', async () => {
    const { stdout, stderr } = await runNode(program('threads'), ['map-and-end']);
    assert.equal(stdout, 'mapped 0\n', stderr);
  });

  test('may use shared memory in exit handlers of their own', async () => {
    const { stdout, stderr } = await runNode(program('threads'), ['exit-handler']);
    assert.equal(stdout, 'written 5\n', stderr);
  });

  test('leave their blocks to the process when they end', async () => {
    const first = startNode(program('threads'), ['worker-first']);
    await first.line(/made/);
    await settle();
    first.say('go');
    await first.line(/still 8/);
    await first.finished;
    await settle();
    await eventually('nothing is left', () => orphans().length === 0);
  });
});
