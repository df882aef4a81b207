// Processes of different PID namespaces share a heap: PIDs of one mean nothing in the other (there, each is number 1), so who
// lives must be known by other means.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { handleOf, Lock, RawArray } from 'multiprocess';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { program } from '../support/paths.js';
import { Running, run } from '../support/run.js';
import { eventually } from '../support/shm.js';

// As root, or as root of a user namespace where the system allows those. `-f`: the child is the namespace's number 1, and is
// killed with the one that started it.
const ways = [
  ['-p', '-f', '--kill-child'],
  ['-U', '-r', '-p', '-f', '--kill-child'],
];

async function findWay(): Promise<string[] | undefined> {
  for (const way of ways) if ((await run('unshare', [...way, 'true'])).code === 0) return way;
  return undefined;
}

const way = await findWay();
const skip = way === undefined ? 'no PID namespaces here' : false;

const lock = new Lock();
const numbers = RawArray('d', 2);
const start = (inside: boolean, what: string): Running => {
  const args = [program('other-namespace'), lock.handle, handleOf(numbers), what];
  return inside ? new Running('unshare', [...way!, process.execPath, ...args]) : new Running(process.execPath, args);
};
/** The PID, as this process sees it, of the one that `unshare` has started. */
const within = (outer: Running): number =>
  Number(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'latin1').trim().split(' ')[0]);

test('mutual exclusion', { skip, timeout: 60_000 }, async () => {
  const others = [start(true, 'add'), start(true, 'add'), start(false, 'add')];
  for (const other of others.slice(0, 2)) assert.equal((await other.line(/^begins (\d+)$/))[1], '1');
  for (let i = 0; i < 3000; i++) {
    if (i % 16 === 0) await lock.acquire();
    else lock.acquireSync();
    numbers[0] = numbers[0]! + 1;
    lock.release();
  }
  for (const other of others) {
    const { code, stderr } = await other.finished;
    assert.equal(code, 0, stderr);
  }
  assert.equal(numbers[0], 12_000);
});

for (const [holder, waiter] of [
  [true, false],
  [false, true],
  [true, true],
]) {
  const name = (inside: boolean | undefined) => (inside ? 'within' : 'outside');
  test(`killed ${name(holder)}, noticed ${name(waiter)}`, { skip, timeout: 60_000 }, async () => {
    for (const what of ['wait', 'wait without blocking']) {
      const holding = start(holder!, 'hold');
      await holding.line(/^holds (\d+)$/);
      const waiting = start(waiter!, what);
      await waiting.line(/^begins (\d+)$/);
      const killed = process.hrtime.bigint();
      process.kill(holder ? within(holding) : holding.pid, 'SIGKILL');
      const [, acquired, ownerDied] = await waiting.line(/^acquired (\d+) (\w+)$/);
      const took = Number(BigInt(acquired!) - killed) / 1e6;
      assert.ok(took < 1000, `handed on after ${took} ms`);
      assert.equal(ownerDied, 'true');
      await Promise.all([holding.finished, waiting.finished]);
    }
  });
}

test('one within is not taken for dead', { skip, timeout: 60_000 }, async () => {
  const holding = start(true, 'hold');
  await holding.line(/^holds 1$/);
  assert.equal(lock.acquireSync({ timeout: 500 }), false);
  assert.equal(await lock.acquire({ timeout: 500 }), false);
  process.kill(within(holding), 'SIGKILL');
  assert.equal(lock.acquireSync({ timeout: 1000 }), true);
  assert.equal(lock.ownerDied, true);
  lock.release();
  await holding.finished;
});

test('nothing is left', { skip }, async () => {
  const heap = Heap.join(process.env['MULTIPROCESS_TREE']!, false)!;
  await eventually('all are gone', () => {
    heap.lookAround(512);
    return [...heap.participant.others(512)].length === 1; // this test's own, by the published package
  });
  const report = checkHeap(heap);
  assert.deepEqual([report.problems, report.roots, report.holds], [[], 2, 2]);
  heap.leave();
});
