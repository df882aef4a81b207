import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/**
 * The queue has been ended for all, or closed here; or nobody has the other end of the pipe any more. `code` is
 * `ERR_MULTIPROCESS_QUEUE_CLOSED`.
 */
export class QueueClosedError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_QUEUE_CLOSED' });
  }
}
