import { Lock, RLock } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

const lock = process.argv[2] === 'RLock' ? new RLock() : new Lock();

function acquire(count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    lock.acquireSync();
    lock.release();
  }
  return secondsSince(start);
}

function tryToAcquire(count: number): number {
  let missed = 0;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    if (!lock.tryAcquire()) missed++;
    lock.release();
  }
  const seconds = secondsSince(start);
  check(missed === 0, 'a free lock was not acquired');
  return seconds;
}

await serve(process.argv[3] === 'try' ? tryToAcquire : acquire);
check(!lock.locked(), 'the lock is not free');
