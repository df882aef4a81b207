import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** The queue had no room, and none came in time. `code` is `ERR_MULTIPROCESS_QUEUE_FULL`. */
export class QueueFullError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_QUEUE_FULL' });
  }
}
