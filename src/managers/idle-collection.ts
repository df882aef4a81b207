import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const IDLE_MS = 500;
/** Whoever is never idle collects by itself, sooner or later; this much later at most. */
const LATEST_MS = 5000;
/** Collecting takes this share of the time at most, however large the heap of JavaScript is. */
const REST = 100;

/**
 * A server that has nothing to do makes no garbage, so V8 does not collect any: what clients have sent through it would stay
 * mapped, and held, for good. So it is collected, once nothing more has come for a while.
 */
export class IdleCollection {
  #timer: NodeJS.Timeout | undefined;
  #since = 0;
  #earliest = 0;
  #collect: (() => void) | undefined;

  /** Something shared has come by. */
  needed(): void {
    const now = performance.now();
    if (this.#timer === undefined) {
      this.#since = now;
      this.#timer = setTimeout(() => this.#run(), Math.max(IDLE_MS, this.#earliest - now)).unref();
    } else if (now - this.#since < LATEST_MS) this.#timer.refresh();
  }

  #run(): void {
    this.#timer = undefined;
    this.#collect ??= exposedCollector();
    const start = performance.now();
    this.#collect();
    const end = performance.now();
    this.#earliest = end + REST * (end - start);
  }
}

function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as () => void;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
