/** What an error may carry beside its message. */
export interface ErrorFacts {
  cause?: unknown;
}

/**
 * What every error of this library extends, except wrong types (`TypeError`), values out of range (`RangeError`) and
 * failures of the operating system, which have Node's shape (`code: 'ENOENT'`, `errno`, `syscall`).
 *
 * Compare `code`, not the class, where two copies of the library may be loaded.
 */
export class MultiprocessError extends Error {
  /** Stable name of the failure: `ERR_MULTIPROCESS_…`. */
  readonly code: string;

  constructor(message?: string, facts: ErrorFacts & { code?: string } = {}) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.code = facts.code ?? 'ERR_MULTIPROCESS';
    Object.defineProperty(this, 'name', { value: new.target.name, enumerable: false, configurable: true });
  }
}
