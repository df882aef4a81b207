import { ManagerClosedError } from '../errors/index.js';

export function closedError(cause?: unknown): ManagerClosedError {
  return new ManagerClosedError(
    'The manager has been shut down or closed, or its server has died. What was made in it goes on working; for anything ' +
      'new, start another.',
    cause === undefined ? undefined : { cause },
  );
}
