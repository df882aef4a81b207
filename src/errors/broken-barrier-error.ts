import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** A party of a barrier gave up or died, or somebody broke or reset it. `code` is `ERR_MULTIPROCESS_BROKEN_BARRIER`. */
export class BrokenBarrierError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_BROKEN_BARRIER' });
  }
}
