import type { ErrorFacts } from './multiprocess-error.js';
import { ProcessDiedError, type ProcessEnd } from './process-died-error.js';

/**
 * A worker of a pool ended while it had a task, or before it had delivered that task's result. `cause` is the error that ended
 * it, if one did. `code` is `ERR_MULTIPROCESS_WORKER_DIED`.
 */
export class WorkerDiedError extends ProcessDiedError {
  /** The index of the task that the worker was at, among those of the call. */
  readonly task: number | undefined;

  constructor(message?: string, facts: ErrorFacts & ProcessEnd & { task?: number | undefined } = {}) {
    const { task, ...rest } = facts;
    super(message, { ...rest, code: 'ERR_MULTIPROCESS_WORKER_DIED' });
    this.task = task;
  }
}
