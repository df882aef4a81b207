// What CPython's tests of managers have in servers and children.
import assert from 'node:assert/strict';
import * as mp from 'multiprocess';

export class Foo {
  f(): string {
    return 'f()';
  }

  g(): never {
    throw new RangeError();
  }

  _h(): string {
    return '_h()';
  }

  *squares(): Generator<number> {
    for (let i = 0; i < 10; i++) yield i * i;
  }
}

export class FooManager extends mp.BaseManager.with({ Foo }) {}
FooManager.register('Bar', Foo, { exposed: ['f', '_h'] });

export async function putValues(address: string, authkey: Uint8Array): Promise<unknown[]> {
  const values = [
    'hello world',
    null,
    true,
    2.25,
    'hall\xe5 v\xe4rlden',
    'привіт світ',
    Buffer.from('hall\xe5', 'latin1'),
  ];
  await using remote = await mp.connect(address, { authkey });
  await (await remote.Queue(0, { name: 'queue' })).put(values);
  return values;
}

export function raise(namespace: { test: number }): void {
  namespace.test += 1;
}

const looks = {
  async event(event: mp.Event) {
    assert.ok(event.isSet());
    assert.equal(await event.wait(), true);
    event.clear();
    assert.equal(event.waitSync({ timeout: 1 }), false);
  },
  lock: (lock: mp.Lock) => lock.acquire(),
  async rlock(lock: mp.RLock) {
    await lock.acquire();
    lock.release();
  },
  semaphore: (semaphore: mp.Semaphore) => semaphore.acquire(),
  async condition(condition: mp.Condition) {
    await condition.acquire();
    condition.release();
  },
  barrier(barrier: mp.Barrier) {
    assert.equal(barrier.parties, 5);
    barrier.reset();
  },
  async queue(queue: mp.Queue<number>) {
    assert.deepEqual([queue.qsize(), queue.full(), queue.empty()], [2, true, false]);
    assert.equal(await queue.get(), 5);
    assert.equal(queue.empty(), false);
    assert.equal(queue.getSync(), 6);
    assert.equal(queue.empty(), true);
  },
  list(list: mp.ListProxy<number>) {
    assert.deepEqual([list.get(0), list.count(5), list.index(5)], [5, 1, 0]);
    list.sort();
    list.reverse();
    assert.deepEqual([...list], [5]);
    assert.deepEqual([list.length, list.pop(0)], [1, 5]);
  },
  dict(dict: mp.DictProxy<string, number>) {
    assert.deepEqual([dict.size, dict.get('foo')], [1, 5]);
    assert.deepEqual([[...dict.entries()], [...dict.keys()], [...dict.values()]], [[['foo', 5]], ['foo'], [5]]);
    assert.deepEqual(dict.copy(), new Map([['foo', 5]]));
    assert.deepEqual(dict.popitem(), ['foo', 5]);
  },
  value(value: mp.Synchronized<'i'>) {
    assert.equal(value.value, 1);
    value.value = 2;
  },
  array(array: mp.SynchronizedArray<'i'>) {
    assert.deepEqual([array.get(0), array.get(1), array.length, [...array]], [0, 1, 2, [0, 1]]);
  },
  namespace(namespace: { x: number; y: number }) {
    assert.deepEqual([namespace.x, namespace.y], [0, 1]);
  },
};

/** What the child of each test does with what it is given. */
export async function lookAt(kind: keyof typeof looks, shared: object): Promise<void> {
  await looks[kind](shared as never);
}
