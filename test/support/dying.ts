import { closeSync, readdirSync } from 'node:fs';
import { onBlock, onStep } from '../../src/heap/doors.js';

/**
 * Thrown where a participant dies, and again at every later step of it: all stores to shared structure go through the doors,
 * so from here on it writes nothing, whatever `catch` and `finally` try. What the kernel would close is closed afterwards.
 */
class Death extends Error {}

/** The steps of an operation up to where it died, or all of them. */
export interface Ending {
  readonly died: boolean;
  readonly steps: number;
}

/** Runs `operation` and lets it die at its `step`th step; descriptors that it has opened are closed then, as by the kernel. */
export function dieAt(step: number, operation: () => void, descriptors: () => readonly number[] = () => []): Ending {
  const before = new Set(readdirSync('/proc/self/fd'));
  let steps = 0;
  onStep(() => {
    steps += 1;
    if (steps >= step) throw new Death();
  });
  onBlock(() => {
    throw new Error('An operation under test would wait for ever.');
  });
  try {
    operation();
    // An operation may swallow what its clean-up meets; it has died all the same.
    return { died: steps >= step, steps };
  } catch (error) {
    if (!(error instanceof Death) && steps < step) throw error;
    return { died: true, steps };
  } finally {
    onStep(undefined);
    onBlock(undefined);
    if (steps >= step) {
      for (const fd of descriptors()) closeQuietly(fd);
      for (const fd of readdirSync('/proc/self/fd')) if (!before.has(fd)) closeQuietly(Number(fd));
    }
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // the one by which the list was read, or closed by the operation itself
  }
}
