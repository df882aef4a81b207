import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** A value of the right type that cannot be used here. `code` is `ERR_MULTIPROCESS_VALUE`. */
export class ValueError extends MultiprocessError {
  constructor(message?: string, facts?: ErrorFacts) {
    super(message, { ...facts, code: 'ERR_MULTIPROCESS_VALUE' });
  }
}
