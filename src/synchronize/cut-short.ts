import type { Heap } from '../heap/internal.js';

/**
 * Notes that a call is about to bring about something which has to be undone if JavaScript is cut short in it (a `vm`
 * timeout): then not even `finally` runs, and the next tick still finds it noted.
 *
 * @returns to be called when the synchronous part of the call is over.
 */
export function undoneIfCutShort(heap: Heap, undo: () => void): () => void {
  const look = () => {
    heap.onTick.delete(look);
    undo();
  };
  heap.onTick.add(look);
  return () => heap.onTick.delete(look);
}
