// Every operation of the heap dies at step 1, 2, 3 … until it survives; and each time the one who reaps it dies at its step
// 1, 2, 3 … too. After every death the others go on, the structure is whole, and nothing is lost or leaked.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { type Facts, type Operation, operations } from '../programs/heap-operations.js';
import { dieAt } from '../support/dying.js';
import { collectGarbage } from '../support/gc.js';

/** After which deaths the reaper dies too: all of them with `npm run test:crash`, else every eighth. */
const EVERY = process.env['CRASH'] === 'all' ? 1 : 8;

const filesOf = (id: string) => readdirSync('/dev/shm').filter((file) => file.startsWith(`mp-heap-${id}`));

/** Everybody leaves, and nothing is left. */
function endHeap(...heaps: Heap[]): void {
  for (const heap of heaps) heap.leave();
  sweepHeap(heaps[0]!.id);
  assert.deepEqual(filesOf(heaps[0]!.id), []);
}

interface Scene {
  readonly survivor: Heap;
  readonly facts: Facts;
  readonly died: boolean;
  readonly steps: number;
}

/** A heap in which a victim has died at that step. */
function killVictim(operation: Operation, step: number): Scene {
  const id = randomHex(16);
  const survivor = Heap.join(id, true)!;
  const facts = operation.prepare?.(survivor) ?? {};
  const victim = Heap.join(id, false)!;
  operation.arm?.(victim, facts);
  const ending = dieAt(
    step,
    () => operation.act(victim, facts),
    () => [victim.participant.fd],
  );
  abandon(victim);
  if (!ending.died && !victim.left) victim.leave();
  return { survivor, facts, ...ending };
}

/** What a death takes along besides the descriptors: its timer. */
function abandon(heap: Heap): void {
  heap.stopTicking();
}

function verify(operation: Operation, { survivor, facts, died }: Scene, last: Heap): void {
  operation.verify?.(survivor, facts, died);
  const report = checkHeap(last);
  assert.deepEqual(report.problems, []);
  // The survivors' own objects are all that is left; and it works on.
  const more = last.create(1);
  last.release(more.address);
  assert.deepEqual(checkHeap(last).problems, []);
}

describe('killed at each step', () => {
  for (const operation of operations) {
    test(operation.name, { timeout: 900_000 }, async (context) => {
      let step = 1;
      let cases = 0;
      for (; ; step++) {
        const scene = killVictim(operation, step);
        const start = performance.now();
        scene.survivor.lookAround(512);
        verify(operation, scene, scene.survivor);
        assert.ok(performance.now() - start < 1000, 'the others went on too late');
        endHeap(scene.survivor);
        cases += 1;
        if (cases % 32 === 0) await collectGarbage(); // each heap has megabytes mapped
        if (!scene.died) break;
        if (step % EVERY !== 0) continue;
        // The same death, and then the reaper dies too.
        for (let second = 1; ; second += EVERY === 1 ? 1 : 7) {
          const again = killVictim(operation, step);
          const reaper = Heap.join(again.survivor.id, false)!;
          const ending = dieAt(
            second,
            () => reaper.lookAround(512),
            () => [reaper.participant.fd],
          );
          abandon(reaper);
          if (!ending.died) reaper.leave();
          again.survivor.lookAround(512);
          verify(operation, again, again.survivor);
          endHeap(again.survivor);
          cases += 1;
          if (cases % 32 === 0) await collectGarbage();
          if (!ending.died) break;
        }
      }
      context.diagnostic(`${step - 1} steps, ${cases} cases`);
      assert.ok(step - 1 >= operation.atLeast, `only ${step - 1} steps were met`);
    });
  }
});
