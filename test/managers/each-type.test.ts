// Each type of a manager between a parent and a child, as CPython's TestSyncManagerTypes looks at it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Manager, Process, type SyncManager } from 'multiprocess';
import { change } from '../programs/change-objects.js';

let manager: SyncManager;
before(async () => {
  manager = await Manager();
});
after(() => manager.shutdown());

async function changed(kind: string, shared: object): Promise<unknown> {
  const child = new Process({ target: change, args: [kind, shared] });
  child.start();
  return child.result();
}

test('Event', async () => {
  const event = manager.Event();
  const waiting = event.wait({ timeout: 20_000 });
  await changed('Event', event);
  assert.equal(await waiting, true);
  assert.equal(event.isSet(), true);
});

for (const kind of ['Lock', 'RLock'] as const) {
  test(kind, async () => {
    const lock = manager[kind]();
    lock.acquireSync();
    assert.equal(await changed(kind, lock), false);
    lock.release();
    assert.equal(await changed(kind, lock), true);
    // The child has ended with it.
    assert.equal(await lock.acquire({ timeout: 20_000 }), true);
    assert.equal(lock.ownerDied, true);
    lock.release();
  });
}

for (const kind of ['Semaphore', 'BoundedSemaphore'] as const) {
  test(kind, async () => {
    const semaphore = manager[kind](2);
    assert.equal(semaphore.tryAcquire(), true);
    assert.equal(await changed(kind, semaphore), true);
    if (kind === 'Semaphore') {
      assert.equal(semaphore.tryAcquire(), false, 'permits of a plain one are lost with who had them');
      semaphore.release();
    } else assert.equal(await semaphore.acquire({ timeout: 20_000 }), true, 'permits of the dead come back');
    semaphore.release();
  });
}

test('Condition', async () => {
  const condition = manager.Condition();
  await condition.acquire();
  const notifying = changed('Condition', condition);
  assert.equal(await condition.wait({ timeout: 20_000 }), true);
  condition.release();
  await notifying;
});

test('Barrier', async () => {
  const barrier = manager.Barrier(2);
  const places = await Promise.all([barrier.wait({ timeout: 20_000 }), changed('Barrier', barrier)]);
  assert.deepEqual(places.sort(), [0, 1]);
});

for (const kind of ['Queue', 'JoinableQueue'] as const) {
  test(kind, async () => {
    const queue = manager[kind]<unknown>(2);
    assert.deepEqual([queue.tryPut('first'), queue.tryPut('second'), queue.tryPut('third')], [true, true, false]);
    await changed(kind, queue);
    assert.equal(await queue.get(), 'second');
    assert.deepEqual(await queue.get(), { got: 'first' });
    assert.equal(queue.tryGet(), undefined);
    if (!('taskDone' in queue)) return;
    assert.equal(await queue.join({ timeout: 0 }), false);
    queue.taskDone();
    queue.taskDone();
    assert.equal(await queue.join(), true);
  });
}

test('list', async () => {
  const list = manager.list<unknown>([1, 'two', [3]]);
  assert.deepEqual(await changed('list', list), [1, 'two', [3]]);
  assert.equal(list.pop(), 'from the child');
  list.reverse();
  assert.deepEqual([...list], [[3], 'two', 1]);
});

test('dict', async () => {
  const dict = manager.dict<unknown, unknown>([
    ['parent', 1],
    [5, { a: 1 }],
  ]);
  assert.deepEqual(await changed('dict', dict), [
    ['parent', 1],
    [5, { a: 1 }],
  ]);
  assert.deepEqual([...dict.keys()], ['parent', 5, 'child']);
  assert.deepEqual(dict.popitem(), ['child', 2]);
});

test('Value', async () => {
  const value = manager.Value('i', 1);
  assert.equal(await changed('Value', value), 2);
  assert.equal(value.value, 2);
});

test('Array', async () => {
  const array = manager.Array('i', [1, 2, 3]);
  assert.deepEqual(await changed('Array', array), [2, 4, 6]);
  assert.deepEqual([...array], [2, 4, 6]);
});

test('Namespace', async () => {
  const namespace = manager.Namespace<Record<string, number>>({ x: 1 });
  assert.deepEqual(await changed('Namespace', namespace), { x: 1 });
  assert.deepEqual({ ...namespace }, { y: 2 });
});
