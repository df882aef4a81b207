import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** A value that cannot travel to another process; the message names the path to it. `code` is `ERR_MULTIPROCESS_NOT_SHAREABLE`. */
export class NotShareableError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' });
  }
}
