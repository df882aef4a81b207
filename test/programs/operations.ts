import { dictOperations } from './dict-operations.js';
import { heapOperations, type Operation } from './heap-operations.js';
import { listOperations, longListOperations } from './list-operations.js';
import { synchronizeOperations } from './synchronize-operations.js';

/** All that is killed at each of its steps. */
export const operations: readonly Operation[] = [
  ...heapOperations,
  ...synchronizeOperations,
  ...dictOperations,
  ...listOperations,
  ...longListOperations,
  ...dictOperations,
];
