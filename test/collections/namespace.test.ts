// What a namespace does: plain properties that processes share.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  fromMessage,
  handleOf,
  Lock,
  open,
  Process,
  SharedDict,
  SharedNamespace,
  toMessage,
  transact,
} from 'multiprocess';
import { hasCode } from '../support/errors.js';

const module = new URL('../programs/dict-targets.js', import.meta.url).href;

test('has the properties that it is given, and no other members', async () => {
  const space = SharedNamespace<Record<string, any>>({ a: 1, b: { c: 2 } });
  assert.deepEqual({ ...space }, { a: 1, b: { c: 2 } });
  for (const name of ['constructor', 'toString', 'then', 'handle', 'dispose', 'toJSON', 'hasOwnProperty', 'x', '']) {
    assert.equal(space[name], undefined, name);
    assert.equal(name in space, false, name);
    space[name] = `own ${name}`;
    assert.equal(space[name], `own ${name}`);
    assert.equal(Reflect.deleteProperty(space, name), true);
    assert.equal(space[name], undefined);
  }
  space['then'] = 5;
  assert.equal(await space, space);
  assert.equal(JSON.stringify(space), '{"a":1,"b":{"c":2},"then":5}');
});

test('Object and Reflect know its properties, in order', () => {
  const space = SharedNamespace<Record<string, any>>({ z: 1 });
  space['a'] = 2;
  space['1'] = undefined;
  assert.deepEqual(Object.keys(space), ['z', 'a', '1']);
  assert.deepEqual(Object.entries(space), [
    ['z', 1],
    ['a', 2],
    ['1', undefined],
  ]);
  assert.ok('1' in space);
  const names: string[] = [];
  for (const name in space) names.push(name);
  assert.deepEqual(names, ['z', 'a', '1']);
  assert.deepEqual(Object.getOwnPropertyDescriptor(space, 'z'), {
    value: 1,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  assert.equal(Object.hasOwn(space, 'a'), true);
  Object.assign(space, { b: 3 });
  Object.defineProperty(space, 'c', { value: 4, writable: true, enumerable: true, configurable: true });
  assert.equal(space['c'], 4);
  assert.throws(() => Object.defineProperty(space, 'd', { get: () => 1 }), TypeError);
  assert.throws(() => Object.defineProperty(space, 'd', { value: 1 }), TypeError);
  assert.throws(() => Object.freeze(space), TypeError);
  assert.throws(() => Object.setPrototypeOf(space, {}), TypeError);
  assert.equal(Reflect.set(space, 'e', 5), true);
  assert.equal(space['e'], 5);
});

test('what it refuses changes nothing', () => {
  const space = SharedNamespace<Record<string | symbol, any>>({ a: 1 });
  assert.throws(() => {
    space[Symbol('s')] = 1;
  }, TypeError);
  assert.throws(() => {
    space['a'] = () => {};
  }, hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'));
  assert.equal(space['a'], 1);
  for (const init of [5, 'text', null]) assert.throws(() => SharedNamespace(init as never), TypeError);
  assert.throws(() => new (SharedNamespace as never as new () => object)(), TypeError);
});

test('is the same object wherever it comes from, and goes where other shared objects go', async () => {
  const space = SharedNamespace<Record<string, any>>({ a: 1 });
  assert.equal(open(handleOf(space)), space);
  assert.equal(open(handleOf(space), SharedNamespace as never), space);
  assert.throws(() => open(handleOf(space), Lock as never), TypeError);
  assert.ok(space instanceof (SharedNamespace as never));
  assert.equal((fromMessage(toMessage({ space })) as { space: object }).space, space);
  space['self'] = space;
  assert.equal(space['self']['self'], space);
  const dict = SharedDict<string, object>([['space', space]]);
  assert.equal(dict.get('space'), space);
  delete space['self'];
  const args = [space, 'b', [2]];
  const child = new Process({ target: { module, export: 'setProperty' }, args } as never);
  child.start();
  assert.deepEqual(await child.result(), { a: 1, b: [2] });
  assert.deepEqual(space['b'], [2]);
});

test('transact changes several properties at once', () => {
  const space = SharedNamespace({ counter: 0, other: 0 });
  const result = transact(space, (s) => {
    s.counter += 1;
    s.other = s.counter + 1;
    assert.equal(space.other, 2);
    return s.other;
  });
  assert.equal(result, 2);
  assert.deepEqual({ ...space }, { counter: 1, other: 2 });
  assert.throws(() =>
    transact(space, (s) => {
      s.counter = 9;
      throw new Error('mine');
    }),
  );
  assert.equal(space.counter, 1);
});

test('is shown with what is in it', () => {
  const space = SharedNamespace<Record<string, any>>({ a: 1, deep: { b: [1] } });
  assert.equal(inspect(space), 'Namespace { a: 1, deep: { b: [ 1 ] } }');
  space['self'] = space;
  assert.equal(inspect(space), 'Namespace { a: 1, deep: { b: [ 1 ] }, self: [Circular Namespace] }');
  delete space['self'];
  assert.throws(() => structuredClone(space), { name: 'DataCloneError' });
});
