import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/**
 * The manager has been shut down or closed, or its server has died. What was made in it goes on working. `code` is
 * `ERR_MULTIPROCESS_MANAGER_CLOSED`.
 */
export class ManagerClosedError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' });
  }
}
