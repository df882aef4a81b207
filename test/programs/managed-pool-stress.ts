// A client of a pool in a manager's server, which may be killed at any moment, as the pool's workers may.
import assert from 'node:assert/strict';
import { type Pool, RawArray, type Synchronized, WorkerDiedError } from 'multiprocess';
import { randomFrom } from '../support/random.js';
import { work } from './pool-stress.js';

const TASKS = 30;

export async function workWithPool(
  pool: Pool,
  stop: Synchronized<'i'>,
  rounds: Synchronized<'i'>,
  seed: number,
): Promise<void> {
  const random = randomFrom(seed);
  while (stop.value === 0) {
    const started = RawArray('i', TASKS);
    const retries = random() < 0.3 ? 100 : 0;
    const ms = random() * 5;
    const options = { retries, chunksize: 1 + Math.floor(random() * 6) };
    const task = (index: number) => work(started, index, ms);
    const items = Array.from({ length: TASKS }, (_, i) => i);
    const ordered = random() < 0.5;
    const results = ordered ? pool.imap(task, items, options) : pool.imapUnordered(task, items, options);
    const outcomes: (number | WorkerDiedError)[] = [];
    for (;;) {
      const next = await results.next().catch((error: unknown) => {
        assert.ok(error instanceof WorkerDiedError, String(error));
        return { done: false as const, value: error };
      });
      if (next.done) break;
      outcomes.push(next.value);
    }
    assert.equal(outcomes.length, TASKS);
    const done = outcomes.filter((outcome) => typeof outcome === 'number');
    assert.equal(new Set(done).size, done.length, 'a task was done twice');
    if (ordered)
      for (const [i, outcome] of outcomes.entries()) if (typeof outcome === 'number') assert.equal(outcome, i);
    if (retries > 0) assert.equal(done.length, TASKS, 'with so many retries all get done');
    else
      assert.ok(
        [...started].every((count) => count <= 1),
        'a task was begun twice',
      );
    for (const index of done) assert.ok(started[index]! >= 1);
    rounds.add(1);
  }
}
