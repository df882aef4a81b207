// What each process of the random kills does until it is told to stop, or dies.
import { Lock, RawArray, RawValue } from 'multiprocess';

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
