import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** A handle names something that exists no more. `code` is `ERR_MULTIPROCESS_STALE_HANDLE`. */
export class StaleHandleError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_STALE_HANDLE' });
  }
}
