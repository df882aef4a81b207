// The behaviours of CPython's _TestContainers, which are those of a manager's containers.
//
//   test_list                 'list' here; slices, extend, iteration: collections/list.test.ts. There is no `*=` and no `+`: `extend`
//   test_list_isinstance      does not translate: JavaScript has no abstract base classes; `instanceof`: collections/list.test.ts
//   test_list_iter            'iterating over a list' here: a snapshot, where CPython's iterator looks at the list again and again
//   test_list_proxy_in_list   'lists in a list' here, and in collections/list.test.ts
//   test_dict                 'dict' here; collections/dict.test.ts
//   test_dict_isinstance      does not translate; `instanceof`: collections/dict.test.ts
//   test_dict_iter            'iterating over a dict' here: a snapshot, where CPython raises RuntimeError
//   test_dict_proxy_nested    'dicts in dicts, and in lists' here
//   test_nested_queue         'queues in containers' here
//   test_namespace            'namespace' here: no name is hidden, so `_hidden` is a property like others; collections/namespace.test.ts
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { type DictProxy, type ListProxy, Manager, Process, type Queue, type SyncManager } from 'multiprocess';
import { useNested } from '../programs/parity-targets.js';
import { collectGarbage } from '../support/gc.js';

const count = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe('as in CPython (_TestContainers)', () => {
  let manager: SyncManager;
  before(async () => {
    manager = await Manager();
  });
  after(() => manager.shutdown());

  test('list', () => {
    const list = manager.list<unknown>(count(10));
    const other = manager.list<number>();
    other.extend(count(5));
    assert.deepEqual([list.slice(), other.slice(2, 10), other.get(2)], [count(10), [2, 3, 4], 2]);
    other.extend(other);
    assert.deepEqual(other.copy(), [...count(5), ...count(5)]);
    assert.deepEqual(list.copy(), count(10));
    const both = manager.list<ListProxy>([list, other]);
    assert.deepEqual(
      [...both].map((each) => each.copy()),
      [count(10), [...count(5), ...count(5)]],
    );
    list.append('hello');
    assert.equal(both.get(0).get(-1), 'hello');
  });

  test('iterating over a list', () => {
    const list = manager.list(count(10));
    const iterator = list[Symbol.iterator]();
    assert.deepEqual([...(iterator as IterableIterator<number>)], count(10));
    assert.deepEqual([...(iterator as IterableIterator<number>)], []);
    const early = list[Symbol.iterator]();
    assert.equal(early.next().value, 0);
    list.set(1, 100);
    list.append(10);
    assert.equal(early.next().value, 1);
    assert.equal([...list].length, 11);
  });

  test('lists in a list', async () => {
    const outer = manager.list<ListProxy<number>>(count(3).map(() => manager.list(count(3))));
    await collectGarbage(); // nobody here has them now
    outer.get(0).set(-1, 55);
    assert.deepEqual(
      [...outer].map((inner) => inner.copy()),
      [
        [0, 1, 55],
        [0, 1, 2],
        [0, 1, 2],
      ],
    );
    assert.equal(outer.get(1).pop(), 2);
    assert.deepEqual(
      [...outer].map(({ length }) => length),
      [3, 2, 3],
    );
    const itself = manager.list<unknown>();
    itself.append(itself);
    assert.equal(itself.get(0), itself);
    itself.clear();
  });

  test('dict', () => {
    const dict = manager.dict<number, string>();
    const keys = count(5).map((n) => 65 + n);
    for (const key of keys) dict.set(key, String.fromCharCode(key));
    const entries = keys.map((key) => [key, String.fromCharCode(key)] as const);
    assert.deepEqual(dict.copy(), new Map(entries));
    assert.deepEqual([[...dict.keys()], [...dict.values()]], [keys, entries.map(([, text]) => text)]);
    assert.deepEqual([...dict.entries()], entries);
  });

  test('iterating over a dict', () => {
    const dict = manager.dict<number, number>(count(5).map((n) => [n, n * n] as const));
    const iterator = dict.entries();
    assert.equal([...iterator].length, 5);
    assert.equal([...iterator].length, 0);
    const early = dict.keys();
    assert.equal(early.next().value, 0);
    dict.clear();
    assert.deepEqual([...early], [1, 2, 3, 4]);
    assert.equal(dict.size, 0);
  });

  test('dicts in dicts, and in lists', async () => {
    const outer = manager.dict<string, DictProxy<string, number>>();
    {
      const [pets, supplies] = [manager.dict({ ferrets: 2, hamsters: 4 }), manager.dict({ water: 10, feed: 3 })];
      outer.update([
        ['pets', pets as never],
        ['supplies', supplies as never],
      ]);
      outer.get('supplies')!.set('blankets', 5);
      assert.equal((supplies as unknown as DictProxy<string, number>).get('blankets'), 5);
      outer.get('supplies')!.set('water', 7);
      assert.equal(supplies.get('water'), 7);
    }
    await collectGarbage();
    assert.equal(outer.get('pets')!.get('ferrets'), 2);
    outer.get('supplies')!.set('blankets', 11);
    const [pets, supplies] = [outer.get('pets')!, outer.get('supplies')!];
    assert.deepEqual(supplies.toObject(), { water: 7, feed: 3, blankets: 11 });
    outer.clear();
    assert.equal(outer.size, 0);
    assert.equal(pets.get('hamsters'), 4);
    const list = manager.list<DictProxy<string, number>>([pets, supplies]);
    list.get(0).set('marmots', 1);
    assert.equal(pets.get('marmots'), 1);
    const around = manager.list<any>([[88, 99], list]);
    assert.ok(Array.isArray(around.get(0))); // a copy, no list of ours
    assert.equal(around.get(-1).get(-1).get('feed'), 3);
  });

  test('queues in containers', async () => {
    const list = manager.list<Queue<number>>([]);
    list.append(manager.Queue<number>());
    const dict = manager.dict<number, Queue<number>>();
    dict.set(0, manager.Queue<number>());
    await collectGarbage();
    await list.get(0).put(123);
    await dict.get(0)!.put(456);
    await collectGarbage();
    assert.deepEqual([await list.get(0).get(), dict.get(0)!.getSync()], [123, 456]);
  });

  test('namespace', () => {
    const space = manager.Namespace<Record<string, string>>();
    space['name'] = 'Bob';
    space['job'] = 'Builder';
    space['_hidden'] = 'hidden';
    assert.deepEqual([space['name'], space['job']], ['Bob', 'Builder']);
    delete space['job'];
    assert.equal(inspect(space), "Namespace { name: 'Bob', _hidden: 'hidden' }");
    assert.deepEqual(['name' in space, 'job' in space], [true, false]);
  });

  test('all of that from a child', async () => {
    const outer = manager.dict<string, any>([
      ['pets', manager.dict({ cats: 1 })],
      ['list', manager.list([])],
      ['queue', manager.Queue()],
    ]);
    const child = new Process({ target: useNested, args: [manager, outer] });
    child.start();
    assert.deepEqual(await child.result(), ['cats', 'mice']);
    assert.deepEqual(outer.get('list').get(0).copy(), ['from the child']);
    assert.deepEqual(await outer.get('queue').get(), ['from the child', outer.get('pets')]);
  });
});
