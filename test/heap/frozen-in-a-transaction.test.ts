// A process that is frozen (SIGSTOP), within a transaction or not, is alive: nobody undoes what it has begun, nobody takes its
// locks; who needs those waits; everybody else goes on. When it goes on, so does everything.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import { header, root, rootKind, slot, slotBase } from '../../src/heap/layout.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { LockWord } from '../../src/synchronize/lock-word.js';
import { createCell, type Facts, heapOperations, readCell, writeCell } from '../programs/heap-operations.js';
import { dieAt } from '../support/dying.js';
import { program } from '../support/paths.js';
import { type Running, startNode } from '../support/run.js';
import { eventually } from '../support/shm.js';

const FROZEN_MS = 3000;
const isStopped = (pid: number) => /^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

function operationOf(name: string) {
  return heapOperations.find((candidate) => candidate.name === name)!;
}

/** How many steps the operation takes when nobody stops it. */
function countSteps(name: string): number {
  const operation = operationOf(name);
  const heap = Heap.join(randomHex(16), true)!;
  const facts = operation.prepare?.(heap) ?? {};
  operation.arm?.(heap, facts);
  const { steps } = dieAt(Number.POSITIVE_INFINITY, () => operation.act(heap, facts));
  heap.leave();
  sweepHeap(heap.id);
  return steps;
}

const start = (name: string, step: number, heap: Heap, facts: Facts): Running =>
  startNode(program('heap-stop-at'), [name, String(step), heap.id, JSON.stringify(facts)]);

async function freeze(name: string, step: number): Promise<boolean> {
  const operation = operationOf(name);
  const heap = Heap.join(randomHex(16), true)!;
  try {
    const facts = operation.prepare?.(heap) ?? {};
    const another = createCell(heap);
    const lock = heap.create(rootKind.lock);
    const frozen = start(name, step, heap, facts);
    const victim = Number((await frozen.line(/^stops (\d+)$/))[1]);
    await eventually('it is stopped', () => isStopped(frozen.pid));

    const base = slotBase(victim);
    const { segment } = heap.memory;
    const asIs = () => [
      segment[base + slot.state],
      segment[base + slot.rolledBack],
      segment[base + slot.logLength],
      ...[header.rootsLock, header.allocatorLock].map((at) => segment[at]! & 0x3fff_ffff),
      'address' in facts ? heap.memory.load(facts['address']! + root.lock) & 0x3fff_ffff : 0,
    ];
    const before = asIs();
    const holdsLocks = before.slice(3).some((owner) => owner !== 0);
    // Somebody who needs the same locks.
    const writer = start(name, 0, heap, facts);
    await writer.line(/^begins$/);
    let done = false;
    void writer.finished.then(() => {
      done = true;
    });
    const until = performance.now() + FROZEN_MS;
    for (let i = 1; performance.now() < until; i++) {
      // Other objects: read and written, locked and let go of.
      writeCell(heap, another.address, i);
      assert.equal(readCell(heap, another.address), i);
      const word = new LockWord(heap, lock);
      assert.equal(word.takeFree(), true);
      assert.equal(word.release(), true);
      if (holdsLocks) {
        heap.participant.isGone(0x200 | victim, true); // whoever waits asks so
        assert.equal(heap.participant.isAlive(victim), true);
        heap.participant.reap!(victim);
        assert.deepEqual(asIs(), before, 'the frozen one was robbed');
        assert.equal(done, false, 'a writer went on');
      } else if (done) {
        break;
      }
      await delay(10);
    }
    if (!holdsLocks) await eventually('others do the same meanwhile', () => done);
    process.kill(frozen.pid, 'SIGCONT');
    for (const process of [frozen, writer]) {
      const { code, signal, stdout, stderr } = await process.finished;
      assert.deepEqual([code, signal], [0, null], stderr);
      assert.match(stdout, /^done$/m);
    }
    operation.verify?.(heap, facts, false);
    assert.deepEqual(checkHeap(heap).problems, []);
    return holdsLocks;
  } finally {
    heap.leave();
    sweepHeap(heap.id);
  }
}

describe('frozen at a step', { concurrency: 4 }, () => {
  for (const name of ['a transaction of ten words', 'create']) {
    const steps = countSteps(name);
    // The first step comes before any lock; the last ones after the commit.
    for (const step of [1, Math.round(steps * 0.3), Math.round(steps * 0.6), Math.round(steps * 0.8)]) {
      test(`${name}: ${step} of ${steps}`, { timeout: 60_000 }, async () => {
        assert.equal(await freeze(name, step), step > 1);
      });
    }
  }
});
