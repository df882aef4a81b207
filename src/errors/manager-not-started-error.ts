import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** The manager has not been started yet. `code` is `ERR_MULTIPROCESS_MANAGER_NOT_STARTED`. */
export class ManagerNotStartedError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_MANAGER_NOT_STARTED' });
  }
}
