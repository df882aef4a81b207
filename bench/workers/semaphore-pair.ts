import { Semaphore } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

const semaphore = Semaphore(1);

await serve((count) => {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    semaphore.acquireSync();
    semaphore.release();
  }
  return secondsSince(start);
});
check(semaphore.value === 1, 'the semaphore is not as it was');
