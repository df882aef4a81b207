import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** A lock was released by a thread that does not hold it. `code` is `ERR_MULTIPROCESS_NOT_OWNER`. */
export class NotOwnerError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_NOT_OWNER' });
  }
}
