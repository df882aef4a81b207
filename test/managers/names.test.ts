// Objects that have a name in a manager: whoever asks for it gets the same one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { handleOf, Manager, Process, Struct, type SyncManager } from 'multiprocess';
// For the check of the heap.
import '../../src/collections/index.js';
import { Heap } from '../../src/heap/heap.js';
import '../../src/queues/index.js';
import { countTogether } from '../programs/manager-targets.js';
import { collectGarbage } from '../support/gc.js';
import { usage } from '../support/heap-usage.js';
import { eventually } from '../support/shm.js';

let manager: SyncManager;
before(async () => {
  manager = await Manager();
});
after(() => manager.shutdown());

test('get or create, of every kind', () => {
  const point = Struct({ x: 'i', y: 'd' });
  const kinds: Record<string, (name: string) => object> = {
    dict: (name) => manager.dict({ a: 1 }, { name }),
    list: (name) => manager.list([1], { name }),
    Namespace: (name) => manager.Namespace({ a: 1 }, { name }),
    Lock: (name) => manager.Lock({ name }),
    RLock: (name) => manager.RLock({ name }),
    Semaphore: (name) => manager.Semaphore(2, { name }),
    BoundedSemaphore: (name) => manager.BoundedSemaphore(2, { name }),
    Condition: (name) => manager.Condition(undefined, { name }),
    Event: (name) => manager.Event({ name }),
    Barrier: (name) => manager.Barrier(2, { name }),
    Queue: (name) => manager.Queue(2, { name }),
    JoinableQueue: (name) => manager.JoinableQueue(2, { name }),
    Value: (name) => manager.Value('i', 1, { name }),
    ValueOfAnotherType: (name) => manager.Value('d', 1, { name }),
    Point: (name) => manager.Value(point, { x: 1 }, { name }),
    Array: (name) => manager.Array('i', [1], { name }),
    String: (name) => manager.Array('c', 3, { name }),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const made = make(`a ${kind}`);
    const again = make(`a ${kind}`);
    assert.equal(handleOf(again), handleOf(made), kind);
    assert.notEqual(handleOf(make(`another ${kind}`)), handleOf(made));
  }
  for (const [kind, make] of Object.entries(kinds)) {
    for (const other of Object.keys(kinds)) {
      if (other !== kind)
        assert.throws(() => make(`a ${other}`), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' }, `${kind} ${other}`);
    }
  }
});

test('what it begins with counts only when it is made', () => {
  assert.deepEqual(manager.dict({ a: 1 }, { name: 'first', maxEntries: 1 }).toObject(), { a: 1 });
  const again = manager.dict<string, number>([['b', 2]], { name: 'first' });
  assert.deepEqual(again.toObject(), { a: 1 });
  again.set('c', 3);
  assert.deepEqual(again.toObject(), { c: 3 }, 'it holds one entry');
  assert.equal(manager.Semaphore(3, { name: 'permits' }).value, 3);
  assert.equal(manager.Semaphore(5, { name: 'permits' }).value, 3);
});

test('a name is free again when its object has been disposed of', () => {
  const lock = manager.Lock({ name: 'disposable' });
  lock.dispose();
  const event = manager.Event({ name: 'disposable' });
  event.set();
  assert.equal(manager.Event({ name: 'disposable' }).isSet(), true);
});

test('wrong names', () => {
  assert.throws(() => manager.Lock(5 as never), TypeError);
  assert.throws(() => manager.Lock(null as never), TypeError);
  assert.throws(() => manager.dict(null, 'x' as never), TypeError);
  assert.throws(() => manager.Lock({ name: 5 as never }), TypeError);
  assert.throws(() => manager.Lock({ name: '' }), { code: 'ERR_MULTIPROCESS_VALUE' });
  assert.throws(() => manager.Lock({ name: 'x'.repeat(256) }), { code: 'ERR_MULTIPROCESS_VALUE' });
  assert.throws(() => manager.Semaphore(-1, { name: 'never made' }), RangeError);
  manager.Lock({ name: 'never made' });
});

test('processes that ask at the same instant get the same', async () => {
  const start = manager.Event();
  const children = Array.from({ length: 4 }, () => new Process({ target: countTogether, args: [manager, start, 50] }));
  for (const child of children) child.start();
  await eventually('all are there', () => manager.Value('i', 0, { name: 'there' }).value === 4, 20_000);
  start.set();
  await Promise.all(children.map((child) => child.result()));
  for (let i = 0; i < 50; i++) assert.equal(manager.Value('i', 0, { name: `counter ${i}` }).value, 4);
});

test('named objects live as long as the manager, others as long as somebody has them', async () => {
  const heap = Heap.join(/^mp:\w+:[^:]*:([0-9a-f]{16}):/.exec(manager.handle)![1]!, false)!;
  try {
    manager.dict(null, { name: 'lasting' }).set('x', manager.list([manager.Lock()]));
    await collectGarbage();
    const before = usage(heap);
    (() => {
      for (let i = 0; i < 100; i++) {
        const outer = manager.dict<string, unknown>(
          Object.entries({ nested: manager.list([manager.Queue(), manager.Namespace({ i })]) }),
        );
        outer.set('itself too', [manager.Value('d', i)]);
        manager.dict(null, { name: 'lasting' }).set('y', outer);
      }
      manager.dict(null, { name: 'lasting' }).delete('y');
    })();
    await eventually('all of them have gone', async () => {
      await collectGarbage();
      const now = usage(heap);
      return now.roots <= before.roots && now.holds <= before.holds && now.blocks <= before.blocks;
    });
    assert.equal(manager.dict(null, { name: 'lasting' }).get('x').length, 1);
  } finally {
    heap.leave();
  }
});
