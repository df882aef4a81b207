// What CPython's own tests of pools look at (Lib/test/_test_multiprocessing.py of 3.11), method by method.
//
//   _TestPool
//     test_apply                        pool: 'apply'; functions have no keyword arguments
//     test_map                          pool: 'map, with any chunk size, and one argument'
//     test_starmap, test_starmap_async  pool: 'starmap'; every call is async
//     test_map_async, test_async        pool: 'apply', 'map, with any chunk size…'
//     test_map_async_callbacks          here: 'callbacks are those of the promise'
//     test_map_unplicklable             here: 'arguments whose own code refuses to encode them'
//     test_map_chunksize                here: 'nothing at all'
//     test_map_handle_iterable_exception              here: 'a map of an iterable that throws'
//     test_async_timeout                pool: 'a timeout, and an abort, end a task that would not end'
//     test_imap                         pool: 'imap, in order'
//     test_imap_handle_iterable_exception             here: 'an imap of an iterable that throws'
//     test_imap_unordered               pool: 'imapUnordered, as they come'
//     test_imap_unordered_handle_iterable_exception   here: 'an imapUnordered of an iterable that throws'
//     test_make_pool                    bad-input: 'options that are none'; here: 'as many workers as it was told'
//     test_terminate                    here: 'terminate() with ten thousand long tasks'
//     test_empty_iterable               here: 'nothing at all'
//     test_context                      here: 'leaving its block'
//     test_traceback                    here: 'an error says where in the worker it was thrown'
//     test_wrapped_exception            pool: 'errors of tasks, with class, stack and details'
//     test_map_no_failfast              here: 'a map waits for all its tasks, large errors or not'
//     test_release_task_refs            here: 'nothing of a call that is over is kept'
//     test_enter                        does not translate: `await using` enters nothing; a pool that has ended says so when it is
//                                       used (pool: 'close() lets calls get done…')
//     test_resource_warning             does not translate: there are no such warnings; workers of a pool that nobody closes end
//                                       with the process (deaths: 'ends by itself, with an idle pool')
//   _TestPoolWorkerErrors
//     test_async_error_callback         here: 'callbacks are those of the promise'
//     test_unpickleable_result          here: 'results that cannot travel cost no worker'
//   _TestPoolWorkerLifetime
//     test_pool_worker_lifetime         here: 'workers that are replaced after ten tasks'
//     test_pool_worker_lifetime_early_close           here: 'close() with workers that are replaced after each task'
//     test_pool_maxtasksperchild_invalid              bad-input: 'options that are none'
//     test_worker_finalization_via_atexit_handler_of_multiprocessing   deaths: 'ends by itself, with an idle pool'
//   TestPoolNotLeakOnFailure
//     test_release_unused_processes     here: 'when a process cannot be started, none is left'
//   TestInitializers
//     test_pool_initializer             here: 'the initializer has run when an unused pool has ended'
//   Of _TestPool in manager form (TestManagerPool), the calls that the class `manager` can: managers/pool.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Pool, registerType, SharedNamespace } from 'multiprocess';
import * as targets from '../programs/pool-targets.js';
import { collectGarbage } from '../support/gc.js';
import { program } from '../support/paths.js';
import { run } from '../support/run.js';
import { eventually, isAlive } from '../support/shm.js';

const { square } = targets;
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const squares = (n: number) => range(n).map(square);
const pidsOf = (pool: Pool) => pool.stats().workers.map(({ pid }) => pid);

class SayWhen extends Error {}

/** Counts to `total`, but throws when it comes to `when`; -1 is before the first. */
function* throwing(total: number, when: number): Generator<number> {
  if (when === -1) throw new SayWhen('at the very first');
  for (const i of range(total)) {
    if (i === when) throw new SayWhen(`at ${when}`);
    yield i;
  }
}

class Refusing {}
registerType(Refusing, {
  encode() {
    throw new RangeError('cannot be encoded');
  },
  decode: () => new Refusing(),
});

describe('_TestPool', () => {
  const pool = new Pool(4);
  after(() => pool.terminate());

  test('callbacks are those of the promise', async () => {
    const called: unknown[] = [];
    const note = (outcome: unknown) => void called.push(outcome);
    await pool.map(targets.parse, ['1']).then(note, note);
    assert.deepEqual(called, [[1]]);
    await pool.map(targets.parse, ['a']).then(note, note);
    assert.equal(called.length, 2);
    assert.ok(called[1] instanceof RangeError);
  });

  test('arguments whose own code refuses to encode them', { timeout: 60_000 }, async () => {
    const items = Array.from({ length: 10 }, () => new Refusing());
    await assert.rejects(pool.map(targets.returnWhat, items), { name: 'RangeError', message: 'cannot be encoded' });
    assert.deepEqual(await pool.map(square, range(10)), squares(10));
  });

  test('nothing at all', async () => {
    assert.deepEqual(await pool.map(square, []), []);
    assert.deepEqual(await pool.map(square, [], { chunksize: 1, timeout: 10_000 }), []);
    assert.deepEqual(await pool.starmap(square, []), []);
    for (const results of [pool.imap(square, []), pool.imapUnordered(square, [])]) {
      assert.deepEqual(await results.next(), { done: true, value: undefined });
    }
  });

  test('a map of an iterable that throws', async () => {
    for (const items of [throwing(1, -1), throwing(1, -1), throwing(10, 3)]) {
      await assert.rejects(pool.map(square, items, { chunksize: 1 }), SayWhen);
    }
    const special = {
      length: 1,
      [Symbol.iterator]: () => special,
      next(): never {
        throw new SayWhen('from the iterator');
      },
    };
    for (let i = 0; i < 2; i++) await assert.rejects(pool.map(square, special, { chunksize: 1 }), SayWhen);
  });

  test('an imap of an iterable that throws', async () => {
    for (let i = 0; i < 2; i++) await assert.rejects(pool.imap(square, throwing(1, -1)).next(), SayWhen);
    // What was read before is done, even where CPython drops the beginning of a chunk.
    for (const [total, when, chunksize] of [
      [10, 3, 1],
      [20, 7, 2],
      [20, 7, 4],
    ] as const) {
      const results = pool.imap(square, throwing(total, when), { chunksize });
      for (let i = 0; i < when; i++) assert.deepEqual(await results.next(), { done: false, value: i * i });
      await assert.rejects(results.next(), SayWhen);
      assert.deepEqual(await results.next(), { done: true, value: undefined });
    }
  });

  test('an imapUnordered of an iterable that throws', async () => {
    for (let i = 0; i < 2; i++) await assert.rejects(pool.imapUnordered(square, throwing(1, -1)).next(), SayWhen);
    for (const [total, when, chunksize] of [
      [10, 3, 1],
      [20, 7, 2],
    ] as const) {
      const expected = new Set(squares(total));
      const results = pool.imapUnordered(square, throwing(total, when), { chunksize });
      await assert.rejects(async () => {
        for (;;) assert.ok(expected.delete((await results.next()).value as number));
      }, SayWhen);
      assert.equal(expected.size, total - when);
    }
  });

  test('as many workers as it was told', async () => {
    const three = new Pool(3);
    assert.equal(new Set(pidsOf(three)).size, 3);
    three.close();
    assert.equal(await three.join(), true);
  });

  test('terminate() with ten thousand long tasks', { timeout: 60_000 }, async () => {
    const own = new Pool(3);
    const pids = pidsOf(own);
    const all = own.map(targets.sleep, new Array(10_000).fill(2 ** 30), { chunksize: 1 });
    const rejected = assert.rejects(all, { code: 'ERR_MULTIPROCESS_CLOSED' });
    await own.terminate();
    assert.equal(await own.join(), true);
    await rejected;
    assert.deepEqual(pids.filter(isAlive), []);
  });

  test('leaving its block', async () => {
    let left: Pool;
    {
      await using own = new Pool(2);
      left = own;
      assert.deepEqual(await own.map(square, range(10)), squares(10));
    }
    assert.equal(await left.join(), true);
    await assert.rejects(left.map(square, range(10)), { code: 'ERR_MULTIPROCESS_CLOSED' });
  });

  test('an error says where in the worker it was thrown', async () => {
    await assert.rejects(pool.apply(targets.throwIf, [-1]), (error: Error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.stack!, /^RangeError: negative: -1\n +at throwIf \(.*pool-targets\.[jt]s:\d+:\d+\)/);
      return true;
    });
    // What goes wrong here comes as it is.
    const own = new SayWhen('here');
    const items = {
      [Symbol.iterator]: () => {
        throw own;
      },
    };
    await assert.rejects(pool.map(square, items), (error: Error) => error === own && error.cause === undefined);
  });

  test('a map waits for all its tasks, large errors or not', async () => {
    await using own = new Pool(2);
    const progress: number[] = [];
    const failing = own.map(targets.throwLargeAfter, [0, 300], { onProgress: (done) => progress.push(done) });
    await assert.rejects(failing, (error: Error) => error.message.length === 1024 * 1024);
    assert.deepEqual(progress, [1, 2]);
    own.close();
    assert.equal(await own.join(), true);
  });

  test('nothing of a call that is over is kept', async () => {
    const kept: WeakRef<object>[] = [];
    // In a function of its own, so that nothing of it is held by this one.
    const call = async () => {
      const items = range(10).map((n) => ({ n }));
      const results = await pool.map(targets.returnWhat, items);
      const rows = items.map((item) => [item] as const);
      const more = await pool.starmap(targets.returnWhat, rows);
      for (const object of [...items, ...(results as object[]), ...(more as object[]), items, results]) {
        kept.push(new WeakRef(object));
      }
      const streamed = pool.imap(targets.returnWhat, items);
      for await (const object of streamed) kept.push(new WeakRef(object as object));
    };
    await call();
    assert.equal(kept.length, 42);
    await eventually('all is collected', async () => {
      await collectGarbage();
      return kept.every((reference) => reference.deref() === undefined);
    });
  });
});

describe('_TestPoolWorkerErrors', () => {
  test('results that cannot travel cost no worker', async () => {
    await using pool = new Pool(2);
    const pids = pidsOf(pool);
    for (let i = 0; i < 20; i++) {
      await assert.rejects(pool.apply(targets.returnWhat, ['function']), {
        name: 'NotShareableError',
        message: /^result\.onDone is a function/,
      });
    }
    assert.deepEqual(pidsOf(pool), pids);
    assert.ok(pids.every(isAlive));
  });
});

describe('_TestPoolWorkerLifetime', () => {
  test('workers that are replaced after ten tasks', async () => {
    const pool = new Pool({ processes: 3, maxTasksPerChild: 10 });
    const before = pidsOf(pool);
    assert.equal(before.length, 3);
    assert.deepEqual(await Promise.all(range(100).map((n) => pool.apply(square, [n]))), squares(100));
    await eventually('others work', () => {
      const pids = pidsOf(pool);
      return pids.length === 3 && pids.every(isAlive) && pids.some((pid) => !before.includes(pid));
    });
    pool.close();
    assert.equal(await pool.join(), true);
  });

  test('close() with workers that are replaced after each task', { timeout: 60_000 }, async () => {
    const pool = new Pool({ processes: 3, maxTasksPerChild: 1 });
    const results = range(6).map((n) => pool.apply(targets.squareAfter, [n, 100]));
    pool.close();
    assert.equal(await pool.join(), true);
    assert.deepEqual(await Promise.all(results), squares(6));
  });
});

describe('TestPoolNotLeakOnFailure', () => {
  test('when a process cannot be started, none is left', async () => {
    // Each worker takes descriptors of this process, and there are few.
    const script = `ulimit -n 80; exec "${process.execPath}" "${program('pool-too-large')}"`;
    const { code, stdout, stderr } = await run('/bin/sh', ['-c', script]);
    assert.equal(code, 0, stderr);
    const { started, error } = JSON.parse(stdout) as { started: number[]; error: string };
    assert.match(error, /EMFILE|too many/i);
    assert.ok(started.length > 0, 'some had been started');
    await eventually('they have ended', () => !started.some(isAlive));
  });
});

describe('TestInitializers', () => {
  test('the initializer has run when an unused pool has ended', async () => {
    assert.throws(() => new Pool({ initializer: 1 as never }), TypeError);
    const namespace = SharedNamespace({ test: 0 });
    const pool = new Pool(1, targets.countUp, [namespace]);
    pool.close();
    assert.equal(await pool.join(), true);
    assert.equal(namespace.test, 1);
  });
});
