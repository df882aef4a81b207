import { ManagerClosedError, TimeoutError } from '../errors/index.js';

export function closedError(cause?: unknown): ManagerClosedError {
  return new ManagerClosedError(
    'The manager has been shut down or closed, or its server has died. What was made in it goes on working; for anything ' +
      'new, start another.',
    cause === undefined ? undefined : { cause },
  );
}

export function noAnswer(ms: number): TimeoutError {
  return new TimeoutError(
    `The manager's server has not answered a call within ${ms} ms. It goes on with it, unless it is stopped (SIGSTOP).`,
  );
}
