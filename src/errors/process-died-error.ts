import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/** How a process has ended. */
export interface ProcessEnd {
  exitCode?: number | null;
  signalCode?: NodeJS.Signals | null;
}

/** A process ended before it had delivered its result. `code` is `ERR_MULTIPROCESS_PROCESS_DIED`. */
export class ProcessDiedError extends MultiprocessError {
  /** The exit code; −N when signal N ended the process. */
  readonly exitCode: number | null;
  /** The signal that ended the process, or `null`. */
  readonly signalCode: NodeJS.Signals | null;

  constructor(message?: string, facts: ErrorFacts & ProcessEnd & { code?: string } = {}) {
    const { exitCode = null, signalCode = null, code = 'ERR_MULTIPROCESS_PROCESS_DIED', ...rest } = facts;
    super(message, { ...rest, code });
    this.exitCode = exitCode;
    this.signalCode = signalCode;
  }
}
