// Shared objects in arguments and results are held from when they are sent until they have arrived.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lock, Process, RawArray, RLock } from 'multiprocess';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import * as targets from '../programs/transit-targets.js';
import { collectGarbage } from '../support/gc.js';
import { eventually } from '../support/shm.js';

test('what a child makes and returns outlives it', async () => {
  const child = new Process({ target: targets.makeAndReturn });
  child.start();
  await child.join();
  await collectGarbage();
  const { lock, numbers, large } = await child.result();
  assert.equal(lock.tryAcquire(), true);
  lock.release();
  assert.deepEqual([...numbers], [1.5, 2.5]);
  assert.equal(large[199_999], 7);
});

test('so does what hangs on the error that it throws', async () => {
  const child = new Process({ target: targets.makeAndThrow, stdio: 'ignore' });
  child.start();
  await assert.rejects(child.result(), (error: Error & { total?: { value: number } }) => error.total?.value === 5);
});

test('and what it has left before it is killed', async () => {
  const child = new Process({ target: targets.returnAndDie });
  child.start();
  assert.deepEqual([...(await child.result())], [9]);
  assert.equal(child.signalCode, 'SIGKILL');
});

test('arguments that the parent has let go of', async () => {
  const start = () => {
    const child = new Process({ target: targets.giveBack, args: [new RLock(), RawArray('i', [1, 2, 3])] });
    child.start();
    return child;
  };
  const child = start();
  await collectGarbage();
  assert.equal(await child.result(), 'true 1 2 3');
});

test('arguments of a parent that is killed', async () => {
  const answer = RawArray('i', 1);
  const parent = new Process({ target: targets.startAndDie, args: [answer] });
  parent.start();
  await parent.join();
  assert.equal(parent.signalCode, 'SIGKILL');
  await eventually('the grandchild answers', () => Atomics.load(answer, 0) === 7, 10_000);
});

test('nothing of it is left: results that are taken, not taken, or closed', async () => {
  const lock = new Lock();
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  await collectGarbage();
  const before = checkHeap(heap);
  assert.deepEqual(before.problems, []);
  await (async () => {
    const children = Array.from({ length: 4 }, () => new Process({ target: targets.makeAndReturn }));
    for (const child of children) child.start();
    await children[0]!.result();
    await Promise.all(children.map((child) => child.join()));
    children[1]!.close();
    children[2]!.kill();
    const refused = new Process({ target: targets.makeAndThrow, stdio: 'ignore' });
    refused.start();
    await refused.join();
  })();
  await eventually('all is let go of', async () => {
    await collectGarbage();
    heap.lookAround(512);
    const after = checkHeap(heap);
    assert.deepEqual(after.problems, []);
    return after.roots === before.roots && after.holds === before.holds && after.blocks === before.blocks;
  });
  heap.leave();
  assert.equal(lock.tryAcquire(), true);
});
