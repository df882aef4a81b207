/** How long to wait, and what else ends it. */
export interface WaitOptions {
  /** Milliseconds; 0 or less looks once. Default: as long as it takes. */
  timeout?: number | undefined;
  /** Rejects the wait with `signal.reason` when aborted. */
  signal?: AbortSignal | undefined;
}

/** How long to block. */
export interface SyncWaitOptions {
  /** Milliseconds; 0 or less looks once. Default: as long as it takes. */
  timeout?: number | undefined;
}

/**
 * The timeout that was asked for; Infinity for none.
 *
 * @throws TypeError for anything but a number; RangeError for NaN.
 */
export function timeoutOf(options: SyncWaitOptions | undefined): number {
  if (options === undefined) return Number.POSITIVE_INFINITY;
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('The options are an object, { timeout, signal }.');
  }
  const { timeout = Number.POSITIVE_INFINITY } = options;
  if (typeof timeout !== 'number') throw new TypeError(`timeout is a number of milliseconds; got ${typeof timeout}.`);
  if (Number.isNaN(timeout)) throw new RangeError('timeout is a number of milliseconds; got NaN.');
  return timeout;
}

/** The signal that was asked for. @throws TypeError for anything but an AbortSignal. */
export function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  const signal = options?.signal;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal is an AbortSignal.');
  return signal;
}
