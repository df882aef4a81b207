import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/**
 * The two sides of a connection have not proved to each other that they know the same key. `code` is
 * `ERR_MULTIPROCESS_AUTHENTICATION`.
 */
export class AuthenticationError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_AUTHENTICATION' });
  }
}
