// Those who take part in heaps for somebody who cannot: what they acquire is theirs, and comes back when they end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handleOf, open } from '../../src/codec/index.js';
import { type ListProxy, SharedDict, SharedList } from '../../src/collections/index.js';
import { checkHeap } from '../../src/heap/fsck.js';
import { Deputy, treeHeap } from '../../src/heap/internal.js';
import { JoinableQueue, Queue } from '../../src/queues/index.js';
import { Value } from '../../src/sharedctypes/index.js';
import { Barrier, BoundedSemaphore, Condition, Lock, RLock } from '../../src/synchronize/index.js';
import { collectGarbage } from '../support/gc.js';
import { eventually } from '../support/shm.js';

function openedBy<T extends object>(deputy: Deputy, shared: T): T {
  return deputy.open(() => open(handleOf(shared))) as T;
}

test('each is an owner of its own', async () => {
  const [one, other] = [new Deputy(), new Deputy()];
  for (const lock of [Lock(), RLock()]) {
    const ofOne = openedBy(one, lock);
    const ofOther = openedBy(other, lock);
    assert.notEqual(ofOne, ofOther);
    assert.equal(openedBy(one, lock), ofOne);
    assert.equal(await ofOne.acquire(), true);
    assert.equal(await ofOne.acquire({ timeout: 0 }), false, 'not even again');
    assert.deepEqual([ofOther.tryAcquire(), lock.tryAcquire(), lock.locked()], [false, false, true]);
    assert.throws(() => ofOther.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
    assert.throws(() => lock.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
    const waiting = ofOther.acquire();
    ofOne.release();
    assert.equal(await waiting, true);
    ofOther.release();
  }
  const semaphore = BoundedSemaphore(1);
  assert.equal(await openedBy(one, semaphore).acquire(), true);
  assert.throws(() => openedBy(other, semaphore).release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
  for (const deputy of [one, other]) deputy.end(false);
  assert.equal(semaphore.value, 1);
});

test('what one has comes back when it ends', async () => {
  for (const died of [true, false]) {
    const deputy = new Deputy();
    const lock = Lock();
    const condition = Condition();
    const queue = Queue<string>();
    const tasks = JoinableQueue<number>();
    queue.putSync('lent');
    tasks.putSync(1);
    await openedBy(deputy, lock).acquire();
    const lease = await openedBy(deputy, queue).get({ lease: true });
    assert.equal(await openedBy(deputy, tasks).get(), 1);
    const theirs = openedBy(deputy, condition);
    await theirs.acquire();
    const aborting = new AbortController();
    const waiting = assert.rejects(theirs.wait({ signal: aborting.signal }));
    const barrier = Barrier(2);
    const atBarrier = openedBy(deputy, barrier).wait();
    atBarrier.catch(() => {});
    assert.equal(barrier.nWaiting, 1);

    aborting.abort();
    deputy.end(died);
    await waiting;
    assert.equal(await lock.acquire({ timeout: 1000 }), true);
    assert.equal(lock.ownerDied, true);
    assert.deepEqual(queue.tryGet(), { value: 'lent' });
    assert.equal(await tasks.join({ timeout: 1000 }), true);
    await condition.run(() => condition.notifyAll());
    assert.equal(barrier.broken, true);
    await assert.rejects(atBarrier);
    assert.equal(lease.value, 'lent');
  }
});

test('what they read and write is theirs, and objects in it are counted once', async () => {
  const heap = treeHeap();
  const queue = Queue<{ list: ListProxy<number>; text: string }>();
  const dict = SharedDict<string, ListProxy<number>>();
  const before = checkHeap(heap);
  await (async () => {
    const deputy = new Deputy();
    const theirs = openedBy(deputy, queue);
    const theirDict = openedBy(deputy, dict);
    for (let i = 0; i < 20; i++) {
      const list = SharedList([i]);
      await theirs.put({ list, text: 'x'.repeat(i * 1000) }); // some are parcels
      theirDict.set(`${i}`, list);
      const found = theirDict.get(`${i}`)!;
      assert.notEqual(found, list);
      assert.equal(theirDict.get(`${i}`), found);
      assert.equal(dict.get(`${i}`), list);
      found.append(7);
      assert.deepEqual(list.copy(), [i, 7]);
    }
    for (let i = 0; i < 10; i++) assert.deepEqual((await theirs.get()).list.copy(), [i, 7]);
    // Memory that nobody owns is the environment's, whoever reads it.
    const values = SharedDict<string, unknown>();
    const value = Value('i', 5);
    values.set('value', value);
    assert.equal(openedBy(deputy, values).get('value'), value);
    deputy.end(true);
    for (let i = 10; i < 20; i++) assert.deepEqual((await queue.get()).list.copy(), [i, 7]);
    dict.clear();
  })();
  await eventually('all is as before', async () => {
    await collectGarbage();
    heap.bury();
    const after = checkHeap(heap);
    assert.deepEqual(after.problems, []);
    return after.roots <= before.roots && after.holds <= before.holds;
  });
});
