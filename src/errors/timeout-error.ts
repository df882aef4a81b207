import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** The time given was not enough. `code` is `ERR_MULTIPROCESS_TIMEOUT`. */
export class TimeoutError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_TIMEOUT' });
  }
}
