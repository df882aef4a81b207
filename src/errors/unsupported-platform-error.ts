import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** This machine or runtime lacks something the library stands on; the message says what. `code` is `ERR_MULTIPROCESS_UNSUPPORTED_PLATFORM`. */
export class UnsupportedPlatformError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_UNSUPPORTED_PLATFORM' });
  }
}
