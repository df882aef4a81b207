import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** What was asked for has been closed in this environment. `code` is `ERR_MULTIPROCESS_CLOSED`. */
export class ClosedError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_CLOSED' });
  }
}
