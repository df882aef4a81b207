import { signalOf, timeoutOf, type WaitOptions } from '../heap/internal.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits for a promise that never rejects.
 *
 * @returns whether it was fulfilled in time.
 * @throws RangeError for a timeout of NaN; TypeError for options of a wrong type; `signal.reason`.
 */
export function fulfilledInTime(promise: Promise<unknown>, options: WaitOptions = {}): Promise<boolean> {
  const timeout = timeoutOf(options);
  const signal = signalOf(options);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const deadline = performance.now() + timeout;
    let timer: NodeJS.Timeout | undefined;
    let ended = false;
    const end = (finish: () => void) => {
      ended = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = () => end(() => reject(signal?.reason));
    const arm = () => {
      if (ended) return;
      const left = deadline - performance.now();
      if (left <= 0) return end(() => resolve(false));
      timer = setTimeout(arm, Math.min(left, LONGEST_TIMER_MS));
    };
    signal?.addEventListener('abort', onAbort);
    void promise.then(() => end(() => resolve(true)));
    // What is fulfilled already counts, even with a timeout of 0.
    if (timeout !== Number.POSITIVE_INFINITY) queueMicrotask(() => queueMicrotask(arm));
  });
}
