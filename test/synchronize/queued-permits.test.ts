import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedSemaphore, Semaphore } from 'multiprocess';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import { rootKind } from '../../src/heap/layout.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { LockWord } from '../../src/synchronize/lock-word.js';
import { SemaphoreWord } from '../../src/synchronize/semaphore-word.js';

test('one release lets all go for whom there is a permit, whoever waited here first', { timeout: 10_000 }, async () => {
  const semaphore = new Semaphore(0);
  const three = [semaphore.acquire(), semaphore.acquire(), semaphore.acquire()];
  semaphore.release(3);
  assert.deepEqual(await Promise.all(three), [true, true, true]);
  assert.equal(semaphore.value, 0);
});

test('the same for permits that have owners', { timeout: 10_000 }, async () => {
  const semaphore = new BoundedSemaphore(2);
  semaphore.acquireSync();
  semaphore.acquireSync();
  const both = [semaphore.acquire(), semaphore.acquire()];
  semaphore.release(2);
  assert.deepEqual(await Promise.all(both), [true, true]);
  semaphore.release(2);
  assert.equal(semaphore.value, 2);
});

test('a reservation of one who is gone does not refuse those who wait for less than it lasts', async () => {
  const id = randomHex(16);
  const heap = Heap.join(id, true)!;
  const other = Heap.join(id, false)!;
  const semaphoreAt = heap.create(rootKind.semaphore);
  const lockAt = heap.create(rootKind.lock);
  const gone = new SemaphoreWord(other, semaphoreAt);
  assert.notEqual(gone.prepareSleep(true), undefined);
  assert.equal(gone.release(1), true);
  assert.equal(new SemaphoreWord(heap, semaphoreAt).takeSync(1), true);

  const holder = new LockWord(heap, lockAt);
  assert.equal(holder.takeFree(), true);
  assert.notEqual(new LockWord(other, lockAt).prepareSleep(true), undefined);
  assert.equal(holder.release(), true);
  assert.equal(new LockWord(other, lockAt).takeSync(1), true);
  other.leave();
  heap.leave();
  sweepHeap(id);
});
