import type { Place } from '../heap/internal.js';
import { root } from '../heap/internal.js';

// How long calls may take that are made by those who have not said it themselves, children above all, is written beside the
// manager's root by who starts the server. There, 0 is no limit, and n is n - 1 milliseconds.

const MOST_MS = 2 ** 31 - 2;

export function wordOfCallTimeout(timeout = Number.POSITIVE_INFINITY): number {
  if (timeout > MOST_MS) return 0;
  return Math.ceil(Math.max(0, timeout)) + 1;
}

/** In ms. */
export function callTimeoutAt({ heap, at }: Place): number {
  const word = heap.memory.load(at.address + root.d);
  return word === 0 ? Number.POSITIVE_INFINITY : word - 1;
}
