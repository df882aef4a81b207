// A dict, a list and a namespace that have been disposed of: whatever is done with them throws, each member of each.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  type DictProxy,
  dispose,
  fromMessage,
  handleOf,
  type ListProxy,
  open,
  Process,
  SharedDict,
  SharedList,
  SharedNamespace,
  toMessage,
  transact,
} from 'multiprocess';
import { useDisposed } from '../programs/disposed-targets.js';
import { hasCode } from '../support/errors.js';

const stale = hasCode('ERR_MULTIPROCESS_STALE_HANDLE');

type Uses<T> = Readonly<Record<string, (object: T) => unknown>>;

const dictUses: Uses<DictProxy<string, any>> = {
  get: (dict) => dict.get('a'),
  set: (dict) => dict.set('a', 1),
  has: (dict) => dict.has('a'),
  delete: (dict) => dict.delete('a'),
  clear: (dict) => dict.clear(),
  size: (dict) => dict.size,
  keys: (dict) => [...dict.keys()],
  values: (dict) => [...dict.values()],
  entries: (dict) => [...dict.entries()],
  forEach: (dict) => dict.forEach(() => {}),
  update: (dict) => dict.update([['a', 1]]),
  setdefault: (dict) => dict.setdefault('b', 1),
  pop: (dict) => dict.pop('a'),
  popitem: (dict) => dict.popitem(),
  compute: (dict) => dict.compute('a', () => 1),
  increment: (dict) => dict.increment('a'),
  compareAndSet: (dict) => dict.compareAndSet('a', 1, 2),
  changed: (dict) => dict.changed('a', { timeout: 0 }),
  copy: (dict) => dict.copy(),
  toObject: (dict) => dict.toObject(),
  toJSON: (dict) => JSON.stringify(dict),
  dispose: (dict) => dict.dispose(),
};

const listUses: Uses<ListProxy<any>> = {
  length: (list) => list.length,
  get: (list) => list.get(0),
  at: (list) => list.at(0),
  set: (list) => list.set(0, 1),
  append: (list) => list.append(1),
  push: (list) => list.push(1),
  extend: (list) => list.extend([1]),
  insert: (list) => list.insert(0, 1),
  pop: (list) => list.pop(),
  remove: (list) => list.remove(1),
  index: (list) => list.index(1),
  count: (list) => list.count(1),
  reverse: (list) => list.reverse(),
  sort: (list) => list.sort(),
  slice: (list) => list.slice(),
  splice: (list) => list.splice(0, 1),
  clear: (list) => list.clear(),
  compute: (list) => list.compute(0, () => 1),
  copy: (list) => list.copy(),
  toJSON: (list) => JSON.stringify(list),
  dispose: (list) => list.dispose(),
};

const namespaceUses: Uses<Record<string, any>> = {
  'a property': (space) => space['a'],
  'no property': (space) => space['none'],
  'setting it': (space) => {
    space['a'] = 1;
  },
  in: (space) => 'a' in space,
  delete: (space) => delete space['a'],
  'Object.keys': (space) => Object.keys(space),
  'for in': (space) => {
    for (const name in space) assert.fail(name);
  },
  spread: (space) => ({ ...space }),
  'Object.assign': (space) => Object.assign(space, { b: 1 }),
  'Object.hasOwn': (space) => Object.hasOwn(space, 'a'),
  'Object.defineProperty': (space) =>
    Object.defineProperty(space, 'c', { value: 1, writable: true, enumerable: true, configurable: true }),
  'JSON.stringify': (space) => JSON.stringify(space),
};

/** What may be done with every container. */
const usesOfAll: Uses<object> = {
  transact: (object) => transact(object as DictProxy, () => 1),
  'transact, and a change': (object) =>
    transact(object as Record<string, any>, (inside) => {
      if ('append' in inside) inside['append'](1);
      else if ('set' in inside) inside['set']('a', 1);
      else inside['a'] = 1;
    }),
  'in a list': (object) => SharedList([object]),
  'in a dict': (object) => SharedDict([['a', object]]),
  open: (object) => open(handleOf(object)),
  dispose: (object) => dispose(object),
};

async function throwsAtEachUse<T extends object>(object: T, uses: Uses<T>): Promise<void> {
  for (const [what, use] of [...Object.entries(uses), ...Object.entries(usesOfAll)]) {
    await assert.rejects(async () => use(object as never), stale, what);
  }
}

/** The public members of a class: each must be in the table. */
function membersOf(object: object): string[] {
  const except = ['constructor', 'handle'];
  return Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => !except.includes(name));
}

const kinds = {
  dict: { make: () => SharedDict<string, any>([['a', 1]]), uses: dictUses, shown: 'DictProxy { disposed }' },
  list: { make: () => SharedList<any>([1]), uses: listUses, shown: 'ListProxy { disposed }' },
  namespace: {
    make: () => SharedNamespace<Record<string, any>>({ a: 1 }),
    uses: namespaceUses,
    shown: 'Namespace { disposed }',
  },
} as const;

for (const [name, { make, uses, shown }] of Object.entries(kinds)) {
  describe(name, () => {
    test('disposed of, it throws at every use', async () => {
      const object = make();
      if (name !== 'namespace') assert.deepEqual(Object.keys(uses).sort(), membersOf(object).sort());
      // Each of them is a use: of one that lives none throws so.
      dispose(object);
      await throwsAtEachUse(object, uses as Uses<object>);
      assert.equal(inspect(object), shown);
      assert.match(String(handleOf(object)), /^mp:/);
    });

    test('disposed of within its own transact', () => {
      const object = make();
      assert.throws(
        () =>
          transact(object as Record<string, any>, (inside) => {
            dispose(object);
            if (name === 'list') inside['append'](1);
            else if (name === 'dict') inside['set']('a', 2);
            else inside['a'] = 2;
          }),
        (error) => stale(error) || hasCode('ERR_MULTIPROCESS_REENTRANT')(error),
      );
    });

    test('disposed of by another process', async () => {
      const object = make();
      const child = new Process({ target: useDisposed, args: [object] });
      child.start();
      assert.deepEqual(await child.result(), []);
      await throwsAtEachUse(object, uses as Uses<object>);
    });

    test('that is in another one', async () => {
      const object = make();
      const [list, dict, space] = [SharedList([object]), SharedDict([['a', object]]), SharedNamespace({ object })];
      dispose(object);
      for (const use of [
        () => list.get(0),
        () => list.copy(),
        () => dict.get('a'),
        () => [...dict.values()],
        () => space.object,
      ]) {
        assert.throws(use, stale, String(use));
      }
      const message = toMessage({ object }); // an address, which leads nowhere
      assert.throws(() => fromMessage(message), stale);
      // What has it can be changed, and lets go of it.
      list.set(0, null as never);
      dict.delete('a');
      space.object = null as never;
      assert.deepEqual([list.copy(), dict.size, { ...space }], [[null], 0, { object: null }]);
    });
  });
}
