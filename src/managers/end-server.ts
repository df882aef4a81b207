import { ManagerClosedError, TimeoutError } from '../errors/index.js';
import type { Link } from './link.js';
import { LONGEST_TIMER_MS } from './manager-options.js';
import { ask } from './protocol.js';

/** Asks the server to end, and waits until it has. Resolves at once when it is gone already. */
export async function askToEnd(link: Link): Promise<void> {
  try {
    await link.connect().request(ask.shutdown, []);
    await link.connect().ended();
  } catch (error) {
    if (!(error instanceof ManagerClosedError)) throw error;
  }
}

/**
 * @param ending what `askToEnd` answered.
 * @param timeout in ms.
 * @throws (rejects) TimeoutError
 */
export async function endsInTime(ending: Promise<void>, timeout: number): Promise<void> {
  if (timeout === Number.POSITIVE_INFINITY) return ending;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(notEnding(timeout))), Math.min(timeout, LONGEST_TIMER_MS));
  });
  try {
    await Promise.race([ending, late]);
  } finally {
    clearTimeout(timer);
  }
}

function notEnding(ms: number): string {
  return (
    `The manager's server did not end within ${ms} ms: it is stopped (SIGSTOP) or busy. It has been told, and ends when it ` +
    'goes on; or kill it.'
  );
}
