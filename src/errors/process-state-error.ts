import { MultiprocessError } from './multiprocess-error.js';

/**
 * A process was asked for something that its state does not allow. `code` is one of
 * `ERR_MULTIPROCESS_PROCESS_NOT_STARTED`, `ERR_MULTIPROCESS_PROCESS_STARTED`, `ERR_MULTIPROCESS_PROCESS_RUNNING`,
 * `ERR_MULTIPROCESS_PROCESS_IMPORTING` and `ERR_MULTIPROCESS_PROCESS_SPAWN`.
 */
export class ProcessStateError extends MultiprocessError {
  constructor(
    state: 'NOT_STARTED' | 'STARTED' | 'RUNNING' | 'IMPORTING' | 'SPAWN',
    message: string,
    facts?: { cause?: unknown },
  ) {
    super(message, { ...facts, code: `ERR_MULTIPROCESS_PROCESS_${state}` });
  }
}
