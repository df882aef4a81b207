import { type ErrorFacts, MultiprocessError } from './multiprocess-error.js';

/**
 * Code that ran in a manager's server has thrown: a constructor, a method, or the initializer. It has the message of what was
 * thrown, which is its `cause` as far as it could travel. `code` is `ERR_MULTIPROCESS_REMOTE`.
 */
export class RemoteError extends MultiprocessError {
  /** The name of the error there. */
  readonly remoteName: string;
  /** Where it was thrown. */
  readonly remoteStack: string;

  constructor(message?: string, facts?: ErrorFacts & { remoteName?: string; remoteStack?: string }) {
    super(message, { ...(facts && 'cause' in facts ? { cause: facts.cause } : {}), code: 'ERR_MULTIPROCESS_REMOTE' });
    this.remoteName = facts?.remoteName ?? 'Error';
    this.remoteStack = facts?.remoteStack ?? '';
  }
}
