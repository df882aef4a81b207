import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Barrier, BoundedSemaphore, Condition, Event, handleOf, Lock, open } from 'multiprocess';
import { hasCode } from '../support/errors.js';
import { collect } from '../support/gc.js';
import { eventually } from '../support/shm.js';

/** Another environment; `body` has `mp`, `handle`, `say` and `collect`. */
function thread(handle: string, body: string): Worker {
  const source = `
    const { parentPort, workerData: handle } = require('node:worker_threads');
    require('node:v8').setFlagsFromString('--expose-gc');
    const collect = require('node:vm').runInNewContext('gc');
    const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
    const say = (what) => parentPort.postMessage(what);
    import('multiprocess').then(async (mp) => { ${body} }).catch((error) => say('failed: ' + error.stack));`;
  return new Worker(source, { eval: true, workerData: handle });
}

const message = (worker: Worker) => new Promise((resolve) => worker.once('message', resolve));

test('a condition whose lock is gone cannot be opened, however often it is tried', { timeout: 20_000 }, async () => {
  const lock = new Lock();
  const condition = new Condition(lock);
  const { handle } = condition;
  lock.dispose();
  const worker = thread(
    handle,
    `const codes = [];
    for (let i = 0; i < 3; i++) {
      try { codes.push(typeof mp.open(handle)); } catch (error) { codes.push(error.code); }
    }
    say(codes.join());`,
  );
  const stale = 'ERR_MULTIPROCESS_STALE_HANDLE';
  assert.equal(await message(worker), [stale, stale, stale].join());
  await worker.terminate();
  assert.ok(condition);
});

test('a handle that says another kind than the object is of, open here already', () => {
  const event = new Event();
  const fields = event.handle.slice('mp:event:'.length);
  assert.throws(() => open(`mp:lock:${fields}`), hasCode('ERR_MULTIPROCESS_VALUE'));
  assert.equal(open(event.handle), event);
});

test('permits taken by way of a wrapper that is gone are given back by the next', async () => {
  const handle = (() => {
    const semaphore = new BoundedSemaphore(3);
    semaphore.acquireSync();
    semaphore.acquireSync();
    return handleOf(semaphore);
  })();
  await nextTurn();
  // In one turn: the object ends when the collector tells of the wrapper, unless it has been opened again.
  collect();
  const again = open(handle);
  assert.equal(again.value, 1);
  again.release(2);
  assert.equal(again.value, 3);
  await nextTurn();
  await nextTurn();
  assert.equal(again.value, 3);
});

test('who has opened a barrier again is a member still when the first wrapper is collected', {
  timeout: 30_000,
}, async () => {
  const barrier = new Barrier(2);
  const worker = thread(
    barrier.handle,
    `await mp.open(handle).wait();
    await nextTurn();
    collect();
    globalThis.again = mp.open(handle);
    await again.wait();
    for (let i = 0; i < 5; i++) { collect(); await nextTurn(); }
    say('twice');
    setInterval(() => {}, 1000);`,
  );
  const twice = message(worker);
  await barrier.wait();
  await barrier.wait();
  assert.equal(await twice, 'twice');
  await worker.terminate();
  await eventually('the death of a member breaks it', () => barrier.broken);
});
