// A process ends, in any way, while it waits for a lock without blocking: it ends at once, with the exit code that it should
// have, and leaves nothing behind. And while the wait is all that is left to do, it does not end.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Lock } from 'multiprocess';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeaps } from '../../src/heap/heap-sweep.js';
import { sweep } from '../../src/shared-memory/sweep.js';
import { program } from '../support/paths.js';
import { type Running, startNode } from '../support/run.js';
import { eventually, shmEntries } from '../support/shm.js';

const PROMPTLY_MS = 1500;
const lock = new Lock();
lock.acquireSync();
const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;

const start = (...args: string[]) => startNode(program('end-while-waiting'), [lock.handle, ...args]);

async function leftNothing(tree: string, threads: boolean): Promise<void> {
  // What threads hold that still run when their process exits is cleaned up after by the next process: by this one.
  if (threads) sweep();
  if (threads) sweepHeaps();
  assert.deepEqual(
    [...shmEntries()].filter((entry) => entry.includes(tree)),
    [],
  );
  await eventually('it has left the heap that it shared', () => {
    heap.lookAround(512);
    return checkHeap(heap).holds === 1;
  });
  assert.deepEqual(checkHeap(heap).problems, []);
}

async function ends(running: Running, threads = false): Promise<{ code: number | null; stdout: string }> {
  const [, tree] = await running.line(/^ending (\w+)$/);
  const said = performance.now();
  const { code, signal, stdout, stderr } = await running.finished;
  const took = performance.now() - said;
  assert.equal(signal, null, stderr);
  assert.ok(took < PROMPTLY_MS, `it ended after ${took} ms`);
  await leftNothing(tree!, threads);
  return { code, stdout };
}

describe('ends while it waits', () => {
  for (const where of ['main', 'worker']) {
    for (const [how, expected] of [
      ['exit', 3],
      ['throw', 1],
      ['reject', 1],
    ] as const) {
      test(`${how} of the main thread, the ${where} waiting`, async () => {
        const { code, stdout } = await ends(start(where, how), where === 'worker');
        assert.equal(code, expected);
        assert.doesNotMatch(stdout, /acquired|rejected/);
      });
    }
  }
  test('process.exit of the worker that waits ends it, and not the process', async () => {
    const { code, stdout } = await ends(start('worker', 'exit within'));
    assert.equal(code, 0);
    assert.match(stdout, /exit 3/);
  });
  test('an error of the worker that waits', async () => {
    const { code, stdout } = await ends(start('worker', 'throw within'));
    assert.equal(code, 0);
    assert.match(stdout, /error on purpose\nexit 1/);
  });
  test('while the thread that waits for it is being made', async () => {
    for (const ms of [0, 10, 25, 45]) assert.equal((await ends(start('main', 'exit', String(ms)))).code, 3);
  });
});

describe('has nothing to do but wait', () => {
  test('stays until the lock is there', async () => {
    const running = start('main', 'nothing');
    const [, tree] = await running.line(/^ending (\w+)$/);
    await delay(700); // a program that does not stay ends in a fraction of that
    assert.equal(running.child.exitCode, null);
    lock.release();
    const { code, stdout } = await running.finished;
    lock.acquireSync();
    assert.deepEqual([code, stdout.trim().split('\n').at(-1)], [0, 'acquired']);
    await leftNothing(tree!, false);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends it`, async () => {
      const running = start('main', 'nothing');
      await running.line(/^ending (\w+)$/);
      const said = performance.now();
      process.kill(running.pid, signal);
      const { signal: endedBy } = await running.finished;
      assert.ok(performance.now() - said < PROMPTLY_MS);
      assert.equal(endedBy, signal);
      // A signal leaves no time to clean up: the next process does it, here this one.
      sweep();
      sweepHeaps();
    });
  }
});

test('afterwards', () => {
  heap.leave();
  lock.release();
});
