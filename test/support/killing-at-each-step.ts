// Every operation dies at step 1, 2, 3 … until it survives. After every death the others go on, the structure is whole, and
// nothing is lost or leaked.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Operation } from '../programs/heap-operations.js';
import { collectGarbage } from './gc.js';
import { endHeap, killVictim, verify } from './killing.js';

export function testKilledAtEachStep(operations: readonly Operation[]): void {
  describe('killed at each step', () => {
    for (const operation of operations) {
      test(operation.name, { timeout: 300_000 }, async (context) => {
        let step = 1;
        for (; ; step++) {
          const scene = killVictim(operation, step);
          try {
            verify(operation, scene);
          } catch (error) {
            throw new Error(`${scene.died ? 'Died' : 'Survived'} at step ${step}: ${(error as Error).message}`, {
              cause: error,
            });
          }
          await endHeap(scene.survivor);
          if (!scene.died) break;
          if (step % 32 === 0) await collectGarbage(); // each heap has megabytes mapped
        }
        context.diagnostic(`${step - 1} steps`);
        assert.ok(step - 1 >= operation.atLeast, `only ${step - 1} steps were met, of ${operation.atLeast}`);
      });
    }
  });
}
