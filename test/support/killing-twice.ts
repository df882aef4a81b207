// Every operation of the heap dies at each of its steps, and then whoever looks after the dead dies at each step, too.
import { test } from 'node:test';
import type { Operation } from '../programs/heap-operations.js';
import { collectGarbage } from './gc.js';
import { endHeap, fingerprint, killReaper, killVictim, verify } from './killing.js';

/** All pairs of deaths with `CRASH=all` (`npm run test:crash`), else a part of them. */
const ALL = process.env['CRASH'] === 'all';

/**
 * Two deaths that leave the same words behind are followed by the same, so of such only the first is gone into.
 *
 * @param strides which deaths are gone into, unless all are: each so-and-so-many-th of the victim, and of its reaper.
 */
export function testKilledTwice(operations: readonly Operation[], strides = { first: 14, second: 11 }): void {
  const { first: nextFirst, second: nextSecond } = ALL ? { first: 1, second: 1 } : strides;
  for (const operation of operations) {
    test(`killed twice: ${operation.name}`, { timeout: 1_200_000 }, async (context) => {
      const seen = new Set<string>();
      let deaths = 0;
      let pairs = 0;
      for (let first = 1; ; first += nextFirst) {
        const scene = killVictim(operation, first);
        const found = fingerprint(scene);
        verify(operation, scene);
        await endHeap(scene.survivor);
        if (!scene.died) break;
        deaths += 1;
        if (seen.has(found)) continue;
        seen.add(found);
        for (let second = 1, died = true; died; second += nextSecond) {
          const again = killVictim(operation, first);
          died = killReaper(again, second);
          verify(operation, again);
          await endHeap(again.survivor);
          pairs += 1;
          if (pairs % 32 === 0) await collectGarbage(); // each heap has megabytes mapped
        }
      }
      context.diagnostic(`${deaths} deaths, ${seen.size} that differ, ${pairs} pairs of deaths`);
    });
  }
}
