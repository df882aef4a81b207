import { closeSync, existsSync, readdirSync } from 'node:fs';
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
  const before = new Set(openDescriptors());
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
      for (const fd of openDescriptors()) if (!before.has(fd)) closeQuietly(Number(fd));
    }
  }
}

function openDescriptors(): string[] {
  // Without the one by which the list was read.
  return readdirSync('/proc/self/fd').filter((fd) => existsSync(`/proc/self/fd/${fd}`));
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // closed by the operation itself
  }
}
