import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/**
 * The connection was lost after something had been asked for, and it cannot be told any more whether it has been done. It is
 * not asked for again, since it could be done twice. `code` is `ERR_MULTIPROCESS_UNCERTAIN_OUTCOME`.
 */
export class UncertainOutcomeError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_UNCERTAIN_OUTCOME' });
  }
}
