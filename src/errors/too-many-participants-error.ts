import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/**
 * All places of a heap are taken by living processes and worker threads. `code` is
 * `ERR_MULTIPROCESS_TOO_MANY_PARTICIPANTS`.
 */
export class TooManyParticipantsError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_TOO_MANY_PARTICIPANTS' });
  }
}
