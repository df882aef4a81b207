// The operations of killed-at-each-step.test.ts, here each in a process of its own that gets a real SIGKILL, at steps spread
// over the whole of it.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { heapOperations, type Operation } from '../programs/heap-operations.js';
import { operations } from '../programs/operations.js';
import { dieAt } from '../support/dying.js';
import { program } from '../support/paths.js';
import { startNode } from '../support/run.js';
import { eventually } from '../support/shm.js';

const SAMPLES = process.env['SAMPLES'];
const samplesOf = (operation: Operation) => Number(SAMPLES ?? (heapOperations.includes(operation) ? 2 : 1));

/** How many steps the operation takes when nobody kills it. */
function countSteps(operation: Operation): number {
  const survivor = Heap.join(randomHex(16), true)!;
  const facts = operation.prepare?.(survivor) ?? {};
  const victim = Heap.join(survivor.id, false)!;
  operation.arm?.(victim, facts);
  operation.follow?.(survivor, facts);
  const { steps } = dieAt(Number.POSITIVE_INFINITY, () => operation.act(victim, facts));
  victim.leave();
  operation.verify?.(survivor, facts, false);
  survivor.leave();
  sweepHeap(survivor.id);
  return steps;
}

for (const operation of operations) {
  test(`SIGKILL: ${operation.name}`, { timeout: 120_000 }, async () => {
    const steps = countSteps(operation);
    const samples = samplesOf(operation);
    const chosen = new Set(
      Array.from({ length: samples }, (_, i) => 1 + Math.floor(((i + Math.random()) * steps) / samples)),
    );
    for (const step of chosen) {
      const survivor = Heap.join(randomHex(16), true)!;
      survivor.stopTicking(); // or it would reap those of the dead that are left to the victim
      const facts = operation.prepare?.(survivor) ?? {};
      const args = [operation.name, String(step), survivor.id, JSON.stringify(facts)];
      const victim = startNode(program('heap-crash-at'), args);
      await victim.line(/^ready$/);
      operation.follow?.(survivor, facts);
      victim.say('');
      const { signal, code, stderr } = await victim.finished;
      assert.ok(signal === 'SIGKILL', `step ${step} of ${steps}: ${code} ${stderr}`);
      const start = performance.now();
      // The kernel lets go of what the dead one held a moment after its parent has the news.
      await eventually('it is reaped', () => {
        survivor.lookAround(512);
        return [...survivor.participant.others(512)].every((index) => survivor.participant.isAlive(index));
      });
      operation.verify?.(survivor, facts, true);
      assert.deepEqual(checkHeap(survivor).problems, [], `step ${step}`);
      assert.ok(performance.now() - start < 1000, 'the others went on too late');
      survivor.leave();
      sweepHeap(survivor.id);
      assert.deepEqual(
        readdirSync('/dev/shm').filter((file) => file.startsWith(`mp-heap-${survivor.id}`)),
        [],
      );
    }
  });
}
