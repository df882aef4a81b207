// Where futex_waitv is not to be had (before Linux 5.16, or forbidden by seccomp), waiting without blocking is looking now and
// then. Here it is made so from the start; the other side is a process as usual.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Process } from 'multiprocess';
import { watchWithoutHelper } from '../../src/heap/watch.js';
import { Barrier, Condition, Event, Lock, Semaphore } from '../../src/synchronize/index.js';
import { answerAll } from '../programs/helper-targets.js';

test('all that is waited for comes without a helper thread', { timeout: 60_000 }, async () => {
  watchWithoutHelper();
  const [lock, event, asked, permit, changed, barrier] = [
    new Lock(),
    new Event(),
    new Event(),
    new Semaphore(0),
    new Condition(),
    new Barrier(2),
  ];
  const handles = [lock, event, asked, permit, changed, barrier].map(({ handle }) => handle);
  const child = new Process({ target: answerAll, args: [handles] });
  child.start();
  const next = () => asked.set();
  assert.equal(await event.wait({ timeout: 20_000 }), true); // it has the lock
  assert.equal(lock.tryAcquire(), false);
  next();
  assert.equal(await lock.acquire({ timeout: 20_000 }), true);
  next();
  assert.equal(await permit.acquire({ timeout: 20_000 }), true);
  const notified = changed.run(async () => {
    next();
    return changed.wait({ timeout: 20_000 });
  });
  assert.equal(await notified, true);
  next();
  assert.ok((await barrier.wait({ timeout: 20_000 })) < 2);
  await child.result();
});
