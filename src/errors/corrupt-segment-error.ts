import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** Shared memory holds bytes that cannot be what they should be. `code` is `ERR_MULTIPROCESS_CORRUPT_SEGMENT`. */
export class CorruptSegmentError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_CORRUPT_SEGMENT' });
  }
}
