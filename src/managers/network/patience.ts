import { TimeoutError } from '../../errors/index.js';
import { DEFAULT_TIMEOUT_MS } from '../manager-options.js';

/** How long a manager on another machine is waited for, in ms. */
export interface Patience {
  /** For what is done at once. */
  readonly timeout: number;
  /** For methods of registered types. */
  readonly callTimeout: number;
}

export const DEFAULT_PATIENCE: Patience = { timeout: DEFAULT_TIMEOUT_MS, callTimeout: Number.POSITIVE_INFINITY };

/** For an answer to come, beyond what a call itself may take. */
export const GRACE_MS = 2000;

export function silentError(ms: number): TimeoutError {
  return new TimeoutError(
    `The manager has not answered within ${ms} ms: it is stopped (SIGSTOP), busy, or cannot be reached any more. What was asked ` +
      'of it may be done later.',
  );
}
