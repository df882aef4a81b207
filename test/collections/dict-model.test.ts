// A dict does what a Map does, whatever the order of operations: found by commands that fast-check makes up and makes smaller.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DictKey, type DictProxy, SharedDict, transact } from 'multiprocess';
import '../../src/collections/index.js';
import { treeHeap } from '../../src/heap/internal.js';
import { usage } from '../support/heap-usage.js';
import { seedOf } from '../support/random.js';

type Model = Map<DictKey, unknown>;
type Command = fc.Command<Model, DictProxy>;

const key: fc.Arbitrary<DictKey> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 30 }) },
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'toolong'.repeat(20), 'ü€', '__proto__') },
  { weight: 1, arbitrary: fc.constantFrom(null, true, 1.5, 10n ** 30n) },
);
const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ maxLength: 40 }),
  fc.jsonValue({ maxDepth: 2 }),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
  fc.constantFrom(undefined, null, 'x'.repeat(70_000)),
);

const command = (name: string, run: (model: Model, real: DictProxy) => void): Command => ({
  check: () => true,
  run: (model, real) => {
    run(model, real);
    assert.equal(real.size, model.size);
  },
  toString: () => name,
});

/** What JSON-like values lose on their way is no matter here: -0 and the prototypes of objects. */
const show = (text: string, ...args: unknown[]) => `${text}(${args.map((arg) => fc.stringify(arg)).join(', ')})`;

const commands: fc.Arbitrary<Command>[] = [
  fc.tuple(key, value).map(([k, v]) =>
    command(show('set', k, v), (model, real) => {
      model.set(k, v);
      real.set(k, v);
    }),
  ),
  key.map((k) => command(show('get', k), (model, real) => assert.deepEqual(real.get(k), model.get(k)))),
  key.map((k) => command(show('delete', k), (model, real) => assert.equal(real.delete(k), model.delete(k)))),
  key.map((k) =>
    command(show('pop', k), (model, real) => {
      assert.deepEqual(real.pop(k), model.get(k));
      model.delete(k);
    }),
  ),
  fc.constant(
    command('popitem', (model, real) => {
      const last = [...model].at(-1);
      assert.deepEqual(real.popitem(), last);
      if (last !== undefined) model.delete(last[0]);
    }),
  ),
  fc.tuple(key, value).map(([k, v]) =>
    command(show('setdefault', k, v), (model, real) => {
      if (!model.has(k)) model.set(k, v);
      assert.deepEqual(real.setdefault(k, v), model.get(k));
    }),
  ),
  fc.tuple(key, fc.integer()).map(([k, by]) =>
    command(show('increment', k, by), (model, real) => {
      const old = model.has(k) ? model.get(k) : 0;
      if (typeof old !== 'number') {
        assert.throws(() => real.increment(k, by), TypeError);
        return;
      }
      model.set(k, old + by);
      assert.equal(real.increment(k, by), old + by);
    }),
  ),
  fc.tuple(key, value).map(([k, v]) =>
    command(show('compareAndSet', k, v), (model, real) => {
      const expected = model.get(k);
      // undefined stands for no entry
      const isThere = expected !== undefined || !model.has(k);
      assert.equal(real.compareAndSet(k, expected, v), isThere);
      if (!isThere) return;
      if (v === undefined) model.delete(k);
      else model.set(k, v);
    }),
  ),
  fc.array(fc.tuple(key, value), { maxLength: 60 }).map((entries) =>
    command(show('update', entries), (model, real) => {
      for (const [k, v] of entries) model.set(k, v);
      real.update(entries);
    }),
  ),
  fc.array(fc.tuple(key, fc.option(value)), { maxLength: 40 }).map((changes) =>
    command(show('transact', changes), (model, real) =>
      transact(real, (d) => {
        for (const [k, v] of changes) {
          if (v === null) assert.equal(d.delete(k), model.delete(k));
          else {
            d.set(k, v);
            model.set(k, v);
          }
        }
        assert.deepEqual([...d], [...model]);
      }),
    ),
  ),
  fc.constant(command('entries', (model, real) => assert.deepEqual([...real], [...model]))),
  fc.constant(
    command('clear', (model, real) => {
      model.clear();
      real.clear();
    }),
  ),
];

test('as a Map', { timeout: 600_000 }, (context) => {
  const seed = seedOf();
  context.diagnostic(`SEED=${seed}`);
  const numRuns = Number(process.env['RUNS'] ?? 60);
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 60, size: 'max' }), (cmds) => {
      const real = SharedDict();
      try {
        fc.modelRun(() => ({ model: new Map(), real }), cmds);
      } finally {
        real.dispose();
      }
    }),
    { seed, numRuns },
  );
  usage(treeHeap());
});
