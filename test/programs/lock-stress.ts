// What each process of the random kills does until it is told to stop, or dies.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Lock, RawArray, RawValue, toMessage } from 'multiprocess';
import { randomFrom } from '../support/random.js';

export const LOCKS = 16;

/**
 * Takes locks at random. Within each it counts in a plain shared word and then in a row of its own, so the two differ by at
 * most one for each death. `inside` shows any two that are in one lock together.
 *
 * @returns what went wrong.
 */
export async function stress(
  locks: readonly Lock[],
  counters: Int32Array,
  inside: Int32Array,
  row: Int32Array,
  stop: Int32Array,
  number: number,
): Promise<string> {
  const kept: unknown[] = [];
  for (let round = 0; Atomics.load(stop, 0) === 0; round++) {
    const at = Math.floor(Math.random() * LOCKS);
    const lock = locks[at]!;
    if (round % 16 === 0) await lock.acquire();
    else if (round % 16 === 1) {
      if (!lock.tryAcquire()) continue;
    } else lock.acquireSync();
    const found = Atomics.exchange(inside, at, number);
    if (found !== 0 && !lock.ownerDied) return `${number} met ${found} in lock ${at}`;
    counters[at] = counters[at]! + 1;
    row[at] = row[at]! + 1;
    if (Atomics.compareExchange(inside, at, number, 0) !== number) return `${number} was joined in lock ${at}`;
    lock.release();
    // And the allocator: objects of all kinds, dropped or kept for a while.
    kept.push(round % 3 === 0 ? new Lock() : round % 3 === 1 ? RawValue('i', round) : RawArray('d', (round % 50) * 10));
    if (kept.length > 200) kept.length = 0;
    if (round % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return 'well';
}

/**
 * The same in a worker thread, which is terminated at random and replaced, while this process may be killed.
 *
 * @param deaths counts the terminations.
 */
export async function stressInThreads(
  locks: readonly Lock[],
  counters: Int32Array,
  inside: Int32Array,
  row: Int32Array,
  stop: Int32Array,
  number: number,
  deaths: Int32Array,
  seed: number,
): Promise<string> {
  const random = randomFrom(seed);
  const workerData = toMessage({ locks, counters, inside, row, flags: stop, number, within: '' });
  while (Atomics.load(stop, 0) === 0) {
    const worker = new Worker(new URL('./lock-worker.js', import.meta.url), { workerData });
    const ended = once(worker, 'exit');
    await once(worker, 'message');
    await delay(random() * 100);
    if (Atomics.load(stop, 0) === 0) {
      Atomics.add(deaths, 0, 1);
      await worker.terminate();
    }
    await ended;
  }
  return Atomics.load(stop, 1) === 0 ? 'well' : `${Atomics.load(stop, 1)} met another in a lock`;
}
