import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** The name means something else already. `code` is `ERR_MULTIPROCESS_NAME_CONFLICT`. */
export class NameConflictError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
  }
}
