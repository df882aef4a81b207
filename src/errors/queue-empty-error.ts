import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** Nothing was in the queue, and nothing came in time. `code` is `ERR_MULTIPROCESS_QUEUE_EMPTY`. */
export class QueueEmptyError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_QUEUE_EMPTY' });
  }
}
