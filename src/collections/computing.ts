import { MultiprocessError } from '../errors/index.js';

// A `compute` calls its function without a lock, and stores what it returns if the entry is as it was; else it calls it
// again. A function that writes the very entry would be called for ever.

interface Computing {
  readonly dict: object;
  readonly hash: number;
  touched: boolean;
}

const running: Computing[] = [];

/** Runs `attempt` again and again until it returns something else than `again`. */
export function computeOn<T>(dict: object, hash: number, attempt: () => T | typeof again): T {
  const frame: Computing = { dict, hash, touched: false };
  for (;;) {
    const depth = running.length;
    running.push(frame);
    try {
      const result = attempt();
      if (result !== again) return result;
    } finally {
      running.length = depth;
    }
    if (frame.touched) {
      throw new MultiprocessError(
        'The function of compute has itself written the entry that it computes. Return the new value instead.',
        { code: 'ERR_MULTIPROCESS_REENTRANT' },
      );
    }
  }
}

export const again: unique symbol = Symbol('again');

/** To be called by everything in this environment that has changed an entry, or all of them. */
export function touched(dict: object, hash: number | 'all'): void {
  for (const frame of running) {
    if (frame.dict === dict && (hash === 'all' || frame.hash === hash)) frame.touched = true;
  }
}

/** Whether there is anybody to tell: for fast paths. */
export function isComputing(): boolean {
  return running.length > 0;
}
