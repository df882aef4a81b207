// Every operation of the heap dies at step 1, 2, 3 … until it survives. After every death the others go on, the structure is
// whole, and nothing is lost or leaked.
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { test } from 'node:test';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import { MAX_SLOTS } from '../../src/heap/layout.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { heapOperations } from '../programs/heap-operations.js';
import { dieAt } from '../support/dying.js';
import { endHeap, isSwept } from '../support/killing.js';
import { testKilledAtEachStep } from '../support/killing-at-each-step.js';

testKilledAtEachStep(heapOperations);

/** Lets `operation` die at each of its steps; `check` looks at what is left each time. */
async function atEachStep(
  context: { diagnostic(text: string): void },
  atLeast: number,
  scene: () => { operation: () => void; check: (died: boolean) => Promise<void> },
): Promise<void> {
  let step = 1;
  for (; ; step++) {
    const { operation, check } = scene();
    const { died } = dieAt(step, operation);
    await check(died);
    if (!died) break;
  }
  context.diagnostic(`${step - 1} steps`);
  assert.ok(step - 1 >= atLeast, `only ${step - 1} steps were met, of ${atLeast}`);
}

test('a heap whose maker is killed', async (context) => {
  await atEachStep(context, 17, () => {
    const id = randomHex(16);
    return {
      operation: () => Heap.join(id, true)!.leave(),
      check: async () => {
        const next = Heap.join(id, true)!;
        const { address } = next.create(1);
        next.release(address);
        next.lookAround(MAX_SLOTS);
        assert.deepEqual(checkHeap(next).problems, []);
        await endHeap(next);
      },
    };
  });
});

test('a heap whose sweeper is killed', async (context) => {
  await atEachStep(context, 7, () => {
    const heap = Heap.join(randomHex(16), true)!;
    heap.createRaw(64);
    heap.createRaw(100_000);
    // It dies with all that it has.
    heap.stopTicking();
    closeSync(heap.participant.fd);
    return {
      operation: () => void sweepHeap(heap.id),
      check: async (died) => {
        // Somebody who wants to join makes a new one.
        if (died) {
          const next = Heap.join(heap.id, true)!;
          next.lookAround(MAX_SLOTS);
          assert.deepEqual(checkHeap(next).problems, []);
          next.leave();
        }
        await isSwept(heap.id);
      },
    };
  });
});
