// `transact` on a shared list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lock, Process, SharedList, transact } from 'multiprocess';
import { moveBetweenEnds } from '../programs/list-targets.js';
import { hasCode } from '../support/errors.js';
import { seedOf } from '../support/random.js';

test('all or nothing', () => {
  const list = SharedList<unknown>([1, 'two', new Lock(), { four: 4 }]);
  const lock = list.get(2);
  const result = transact(list, (inside) => {
    inside.append(5);
    inside.set(0, 'one');
    assert.equal(inside, list);
    assert.deepEqual(list.slice(0, 2), ['one', 'two']);
    return inside.length;
  });
  assert.equal(result, 5);
  assert.deepEqual(list.copy(), ['one', 'two', lock, { four: 4 }, 5]);
  assert.throws(
    () =>
      transact(list, (inside) => {
        inside.clear();
        throw new RangeError('on purpose');
      }),
    /on purpose/,
  );
  assert.throws(() => transact(list, (async () => 1) as never), TypeError);
  assert.throws(() => transact(list, (inside) => inside.append(() => 1)), hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'));
  assert.throws(() => transact(list, () => transact(list, () => 1)), hasCode('ERR_MULTIPROCESS_REENTRANT'));
  assert.equal(list.length, 5);
  assert.equal(
    transact(list, () => 7),
    7,
  );
  list.dispose();
  assert.throws(() => transact(list, (inside) => inside.append(1)), hasCode('ERR_MULTIPROCESS_STALE_HANDLE'));
});

test('whatever an array may do, at once', { timeout: 120_000 }, (context) => {
  const seed = seedOf();
  context.diagnostic(`SEED=${seed}`);
  const index = fc.integer({ min: -5, max: 5 });
  const value = fc.oneof(fc.integer(), fc.constant('a text that needs a block of its own'));
  type Change = (items: unknown[]) => unknown; // a list does all of these as an array does
  const change: fc.Arbitrary<Change> = fc.oneof<fc.Arbitrary<Change>[]>(
    value.map((v) => (items) => void items.push(v)),
    fc.tuple(index, fc.nat(4), fc.array(value, { maxLength: 3 })).map(
      ([at, n, v]) =>
        (items) =>
          items.splice(at, n, ...v),
    ),
    fc.constant((items: unknown[]) => void items.reverse()),
    fc.constant((items: unknown[]) => items.pop()),
    fc.constant((items: unknown[]) => void items.sort((a, b) => String(a).length - String(b).length)),
    fc.tuple(index, index).map(
      ([from, to]) =>
        (items) =>
          items.slice(from, to),
    ),
    index.map((at) => (items) => items.at(at)),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 300 }), fc.array(change, { maxLength: 8 }), (start, changes) => {
      const [list, array] = [SharedList(start), [...start]];
      const found = transact(list, (inside) => changes.map((apply) => apply(inside as never)));
      assert.deepEqual(
        found,
        changes.map((apply) => apply(array)),
      );
      assert.deepEqual(list.copy(), array);
      list.dispose();
    }),
    { numRuns: 200, seed },
  );
});

test('several processes at once lose nothing', { timeout: 60_000 }, async () => {
  const list = SharedList(Array.from({ length: 20 }, (_, i) => i));
  const children = [1, 2].map(() => new Process({ target: moveBetweenEnds, args: [list, 300] }));
  for (const child of children) child.start();
  moveBetweenEnds(list, 300);
  for (const child of children) {
    await child.join();
    assert.equal(child.exitCode, 0);
  }
  assert.deepEqual(
    list.copy().sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, i) => i),
  );
});
