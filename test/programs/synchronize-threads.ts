// As synchronize-stress.ts, in a worker thread that is terminated at random and replaced.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { toMessage } from 'multiprocess';
import { randomFrom } from '../support/random.js';
import { flag, type World } from './synchronize-stress.js';

/** @returns what went wrong. */
export async function stressInThreads(world: World, row: Int32Array, puts: boolean, seed: number): Promise<string> {
  const random = randomFrom(seed);
  const workerData = toMessage({ world, row, puts });
  let outcome = 'well';
  while (Atomics.load(world.flags, flag.stop) === 0 && outcome === 'well') {
    const worker = new Worker(new URL('./synchronize-worker.js', import.meta.url), { workerData });
    const ended = once(worker, 'exit');
    await once(worker, 'message');
    worker.on('message', (said: string) => {
      outcome = said;
    });
    await delay(random() * 150);
    if (Atomics.load(world.flags, flag.stop) === 0) {
      Atomics.add(world.flags, flag.terminations, 1);
      await worker.terminate();
    }
    await ended;
  }
  return outcome;
}
