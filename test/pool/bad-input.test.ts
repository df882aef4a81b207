import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { NotShareableError, Pool, Process } from 'multiprocess';
import * as targets from '../programs/pool-targets.js';
import { fixture } from '../support/paths.js';

const { square } = targets;

test('options that are none', () => {
  for (const processes of [0, -1, 1.5, Number.NaN, 1e9]) assert.throws(() => new Pool(processes), RangeError);
  for (const maxTasksPerChild of [0, -1, 0.5])
    assert.throws(() => new Pool({ processes: 1, maxTasksPerChild }), RangeError);
  for (const size of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => new Pool({ processes: 1, resourceLimits: { maxOldGenerationSizeMb: size } }), RangeError);
    assert.throws(() => new Pool({ processes: 1, resourceLimits: { maxYoungGenerationSizeMb: size } }), RangeError);
  }
  for (const args of [
    ['2'],
    [1, 5],
    [1, square, 'ab'],
    [1, square, [], 7],
    [{ allowSource: 1 }],
    [{ maxTasksPerChild: '1' }],
    [{ resourceLimits: 24 }],
    [{ resourceLimits: { maxOldGenerationSizeMb: '24' } }],
    [{ resourceLimits: { stackSizeMb: 4 } }],
  ]) {
    assert.throws(() => new Pool(...(args as [])), TypeError);
  }
  assert.throws(() => new Pool(1, targets.initialize, [() => {}]), {
    name: 'NotShareableError',
    message: /^initargs\[0\] is a function/,
  });
  assert.throws(() => new Pool(1, Math.max), NotShareableError);
});

describe('calls', () => {
  process.env['POOL_REGISTERS'] = 'yes';
  const pool = new Pool(2);
  after(() => pool.terminate());

  test('arguments that are none', async () => {
    for (const chunksize of [0, -1, 1.5, Number.NaN]) {
      await assert.rejects(pool.map(square, [1], { chunksize }), RangeError);
      assert.throws(() => pool.imap(square, [1], { chunksize }), RangeError);
    }
    await assert.rejects(pool.map(square, [1], { retries: -1 }), RangeError);
    await assert.rejects(pool.map(square, [1], { timeout: Number.NaN }), RangeError);
    for (const options of [
      { chunksize: '1' },
      { retries: '1' },
      { onProgress: 1 },
      { signal: {} },
      { timeout: '1' },
      7,
    ]) {
      await assert.rejects(pool.map(square, [1], options as never), TypeError);
    }
    await assert.rejects(pool.map('square' as never, [1]), TypeError);
    await assert.rejects(pool.map(square, 5 as never), TypeError);
    await assert.rejects(pool.apply(square, 5 as never), TypeError);
    await assert.rejects(pool.starmap(square, [5] as never), TypeError);
    assert.throws(() => pool.imap(square, 5 as never), TypeError);
    assert.throws(() => pool.imapUnordered(square, null as never), TypeError);
    await assert.rejects(pool.map(Math.abs, [1]), NotShareableError);
    await assert.rejects(pool.map(class {} as never, [1]), TypeError);
  });

  test('an iterable that throws half-way', async () => {
    function* numbers() {
      yield 1;
      yield 2;
      throw new Error('half-way');
    }
    await assert.rejects(pool.map(square, numbers()), /half-way/);
    for (const results of [pool.imap(square, numbers()), pool.imapUnordered(square, numbers(), { chunksize: 2 })]) {
      assert.deepEqual([(await results.next()).value, (await results.next()).value].sort(), [1, 4]);
      await assert.rejects(results.next(), /half-way/);
      assert.deepEqual(await results.next(), { done: true, value: undefined });
    }
    async function* later() {
      yield* numbers();
    }
    const results = pool.imap(square, later());
    await results.next();
    await results.next();
    await assert.rejects(results.next(), /half-way/);
  });

  test('an argument that cannot travel fails its task alone', async () => {
    const results = pool.imap(targets.returnWhat, [1, { on: () => {} }, 3], { chunksize: 3 });
    assert.equal((await results.next()).value, 1);
    await assert.rejects(results.next(), { name: 'NotShareableError', message: /^item\.on is a function/ });
    assert.equal((await results.next()).value, 3);
    await assert.rejects(pool.apply(targets.returnWhat, [Symbol('x')]), /^NotShareableError: args\[0\] is a symbol/);
  });

  test('a result that cannot travel fails its task alone', async () => {
    const results = pool.imap(targets.returnWhat, [1, 'function', 3], { chunksize: 3 });
    assert.equal((await results.next()).value, 1);
    await assert.rejects(results.next(), { name: 'NotShareableError', message: /^result\.onDone is a function/ });
    assert.equal((await results.next()).value, 3);
  });

  test('a result that cannot be unpacked here', async () => {
    await assert.rejects(pool.apply(targets.returnWhat, ['undecodable']), /registerType\(OnlyThere/);
    assert.equal(await pool.apply(square, [2]), 4);
  });

  test('what is thrown that cannot travel', async () => {
    await assert.rejects(pool.apply(targets.throwWhat, ['function']), /The task threw \[Function/);
    await assert.rejects(pool.apply(targets.throwWhat, ['symbol']), /The task threw Symbol\(thrown\)/);
    await assert.rejects(pool.apply(targets.throwWhat, ['error']), { message: 'with a socket', code: 'E' });
    assert.equal(await pool.apply(targets.throwWhat, ['undefined']).catch((error) => error), undefined);
  });

  test('a result of 200 MiB', async () => {
    const large = (await pool.apply(targets.returnWhat, ['large'])) as Uint8Array;
    assert.equal(large.length, 200 * 1024 * 1024);
    assert.equal(large[large.length - 1], 7);
  });

  test('nested pools', async () => {
    assert.deepEqual(await pool.map(targets.nested, [1, 3]), [
      [1, 4],
      [9, 16],
    ]);
  });

  test('a function of a module that fails to load', async () => {
    const { broken } = (await import(fixture('esm/loads-once.mjs'))) as { broken: () => number };
    await assert.rejects(pool.map(broken, [1, 2, 3]), /cannot be loaded twice/);
    assert.equal(await pool.apply(square, [2]), 4);
  });

  test('a pool is no argument', async () => {
    await assert.rejects(pool.apply(targets.returnWhat, [pool]), /args\[0\] is an instance of Pool/);
    assert.throws(() => new Process({ target: targets.returnWhat, args: [pool] }).start(), /instance of Pool/);
    assert.throws(() => JSON.stringify(pool), TypeError);
  });
});
