import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/**
 * A blocking call would wait for something that only this very thread could bring about. `code` is
 * `ERR_MULTIPROCESS_DEADLOCK`.
 */
export class DeadlockError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_DEADLOCK' });
  }
}
