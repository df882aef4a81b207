// As CPython's _TestPool, and what is ours.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Event, Pool, RawArray, SharedDict, SharedMemory, TimeoutError } from 'multiprocess';
import * as targets from '../programs/pool-targets.js';
import { eventually, isAlive } from '../support/shm.js';

const { add, square } = targets;
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const squares = (n: number) => range(n).map((i) => i * i);

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

describe('a pool', () => {
  const pool = new Pool(2);
  after(() => pool.terminate());

  test('apply', async () => {
    assert.equal(await pool.apply(square, [5]), 25);
    assert.equal(await pool.apply(add, [1, 2]), 3);
    assert.equal(await pool.apply(add, [1]), 1);
    assert.equal(await pool.apply(targets.squareAfter, [7, 10]), 49);
    assert.notEqual(await pool.apply(targets.pid), process.pid);
  });

  test('many applies at once', async () => {
    assert.deepEqual(await Promise.all(range(300).map((i) => pool.apply(square, [i]))), squares(300));
  });

  test('map, with any chunk size, and one argument', async () => {
    assert.deepEqual(await pool.map(square, range(10)), squares(10));
    assert.deepEqual(await pool.map(square, range(100), { chunksize: 20 }), squares(100));
    assert.deepEqual(await pool.map(square, range(101), { chunksize: 1000 }), squares(101));
    assert.deepEqual(await pool.map(square, []), []);
    assert.deepEqual(await pool.map(targets.countArguments, ['a', 'b']), [1, 1]);
    assert.deepEqual(await pool.map(square, new Set([2, 3])), [4, 9]);
  });

  test('starmap', async () => {
    assert.deepEqual(
      await pool.starmap(
        add,
        range(10).map((i) => [i, 1] as const),
      ),
      range(10).map((i) => i + 1),
    );
    assert.deepEqual(await pool.starmap(targets.countArguments, [[], [1], [1, 2]]), [0, 1, 2]);
  });

  test('imap, in order', async () => {
    assert.deepEqual(await collect(pool.imap(square, range(100))), squares(100));
    assert.deepEqual(await collect(pool.imap(square, range(1000), { chunksize: 100 })), squares(1000));
    assert.deepEqual(await collect(pool.imap(square, [])), []);
    const slowFirst = pool.imap(targets.sleep, [60, 1, 1]);
    assert.deepEqual(await collect(slowFirst), [60, 1, 1]);
  });

  test('imapUnordered, as they come', async () => {
    const all = await collect(pool.imapUnordered(square, range(1000), { chunksize: 53 }));
    assert.deepEqual(
      all.sort((a, b) => a - b),
      squares(1000),
    );
    assert.deepEqual(await collect(pool.imapUnordered(targets.sleep, [400, 1])), [1, 400]);
  });

  test('imap of what never ends reads no further than it must', async () => {
    let read = 0;
    let ended = false;
    function* numbers() {
      try {
        for (;;) yield read++;
      } finally {
        ended = true;
      }
    }
    const taken: number[] = [];
    for await (const result of pool.imap(square, numbers())) {
      taken.push(result);
      assert.ok(read <= taken.length + 8 * 2, `${read} read when ${taken.length} were taken`);
      if (taken.length === 50) break;
    }
    assert.deepEqual(taken, squares(50));
    assert.ok(ended);
  });

  test('imap of what comes with time', async () => {
    async function* numbers() {
      for (let i = 0; i < 20; i++) {
        if (i % 5 === 0) await delay(2);
        yield i;
      }
    }
    assert.deepEqual(await collect(pool.imap(square, numbers())), squares(20));
    assert.deepEqual((await collect(pool.imapUnordered(square, numbers(), { chunksize: 3 }))).length, 20);
  });

  test('several next() at once, and return()', async () => {
    const results = pool.imap(square, range(5));
    assert.deepEqual(
      (await Promise.all([results.next(), results.next(), results.next()])).map(({ value }) => value),
      [0, 1, 4],
    );
    assert.deepEqual(await results.return?.(), { done: true, value: undefined });
    assert.deepEqual(await results.next(), { done: true, value: undefined });
  });

  test('errors of tasks, with class, stack and details', async () => {
    await assert.rejects(pool.apply(targets.throwIf, [3]), (error: Error & { detail?: number }) => {
      assert.equal(error.name, 'OwnError');
      assert.equal(error.detail, 33);
      assert.match(error.stack!, /pool-targets/);
      return true;
    });
    await assert.rejects(pool.map(targets.throwIf, [1, -1, -2, 3]), (error) => {
      assert.ok(error instanceof RangeError);
      assert.equal(error.message, 'negative: -1'); // the first one, whichever was done first
      return true;
    });
  });

  test('map does the others all the same', async () => {
    const done = RawArray('i', 20);
    const mark = { done };
    await assert.rejects(
      pool.starmap(
        (marks: { done: Int32Array }, i: number) => {
          if (i === 0) throw new Error('the first');
          Atomics.add(marks.done, i, 1);
        },
        range(20).map((i) => [mark, i] as const),
        { chunksize: 7 },
      ),
      /the first/,
    );
    assert.deepEqual([...done], [0, ...new Array(19).fill(1)]);
  });

  test('imap goes on behind an error', async () => {
    const results = pool.imap(targets.throwIf, [1, 2, 3, 4]);
    assert.deepEqual(await results.next(), { done: false, value: 1 });
    assert.deepEqual(await results.next(), { done: false, value: 2 });
    await assert.rejects(results.next(), /three/);
    assert.deepEqual(await results.next(), { done: false, value: 4 });
    assert.deepEqual(await results.next(), { done: true, value: undefined });
  });

  test('shared objects and memory arrive as the same', async () => {
    const counts = SharedDict<string, number>();
    await pool.starmap(
      targets.increment,
      range(40).map((i) => [counts, `${i % 4}`] as const),
    );
    assert.deepEqual(counts.toObject(), { 0: 10, 1: 10, 2: 10, 3: 10 });
    const numbers = RawArray('d', [1, 2, 3]);
    const same = await pool.apply(targets.double, [numbers]);
    same[0] = 100;
    assert.deepEqual([...numbers], [100, 4, 6]);
    const block = SharedMemory.create(8);
    await pool.starmap(
      targets.fill,
      range(8).map((i) => [block, i] as const),
    );
    assert.deepEqual([...block.buf], range(8));
    block.close();
    block.unlink();
  });

  test('a timeout, and an abort, end a task that would not end', async () => {
    const workers = () => pool.stats().workers.map((worker) => worker.pid);
    await pool.map(square, range(100));
    const before = workers();
    await assert.rejects(pool.apply(targets.spin, [1e9], { timeout: 100 }), TimeoutError);
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 50);
    await assert.rejects(pool.map(targets.spin, [1e9, 1e9, 1], { signal: controller.signal }), reason);
    assert.deepEqual(await pool.map(square, range(10)), squares(10));
    await eventually('they are gone', () => before.filter(isAlive).length < 2);
    await assert.rejects(pool.apply(square, [1], { signal: AbortSignal.abort(reason) }), reason);
    assert.throws(() => pool.imap(square, [1], { signal: AbortSignal.abort(reason) }), reason);
    const slow = pool.imap(targets.sleep, [5000], { timeout: 50 });
    await assert.rejects(slow.next(), TimeoutError);
    assert.deepEqual(await slow.next(), { done: true, value: undefined });
    await assert.rejects(pool.apply(square, [1], { timeout: 0 }), TimeoutError);
  });

  test('progress, and what it does', async () => {
    const seen: [number, number | undefined][] = [];
    await pool.map(square, range(40), { chunksize: 10, onProgress: (done, total) => seen.push([done, total]) });
    assert.deepEqual(seen, [
      [10, 40],
      [20, 40],
      [30, 40],
      [40, 40],
    ]);
    await assert.rejects(
      pool.map(square, range(40), {
        onProgress() {
          throw new Error('of the bar');
        },
      }),
      /of the bar/,
    );
    const totals: unknown[] = [];
    await collect(pool.imap(square, new Set([1, 2]), { onProgress: (done, total) => totals.push(done, total) }));
    assert.deepEqual(totals, [1, 2, 2, 2]);
    // A worker may have begun some of what was given up.
    await eventually('nothing is under way', () => pool.stats().running === 0);
    const { done, queued, workers } = pool.stats();
    assert.ok(done > 1000);
    assert.deepEqual([queued, workers.length], [0, 2]);
    assert.ok(workers.every(({ busy, pid }) => busy >= 0 && isAlive(pid)));
  });

  test('a long task does not keep short ones waiting, even those that are behind it already', async () => {
    const go = new Event();
    const long = pool.apply(targets.waitFor, [go]);
    assert.deepEqual(await Promise.all(range(8).map((i) => pool.apply(square, [i]))), squares(8));
    assert.equal(pool.stats().running, 1);
    go.set();
    assert.equal(await long, true);
  });

  test('what is taken back from a busy worker is done once, by whoever, and nothing is mixed up', async () => {
    for (let round = 0; round < 20; round++) {
      const go = new Event();
      // One function after the other, so that announcements are taken back, too.
      const calls = [
        pool.apply(targets.waitFor, [go]),
        pool.map(square, range(40), { chunksize: 1 }),
        pool.starmap(
          targets.add,
          range(40).map((i) => [i, 1]),
          { chunksize: 3 },
        ),
        pool.map((n: number) => -n, range(40), { chunksize: 2 }),
      ] as const;
      const dropped = pool.imap(targets.sleep, new Array(20).fill(1));
      await dropped.next();
      await dropped.return?.();
      assert.deepEqual(await calls[1], squares(40));
      assert.deepEqual(
        await calls[2],
        range(40).map((i) => i + 1),
      );
      assert.deepEqual(
        await calls[3],
        range(40).map((n) => -n),
      );
      go.set();
      assert.equal(await calls[0], true);
    }
  });

  test('large arrays are handed out a few at a time', async () => {
    const arrays = range(12).map((i) => new Uint8Array(600_000).fill(i));
    const seen: number[] = [];
    assert.deepEqual(
      await pool.map(targets.sum, arrays, { onProgress: (done) => seen.push(done) }),
      range(12).map((i) => i * 600_000),
    );
    assert.equal(seen.length, 6);
  });
});

describe('the end of a pool', () => {
  test('terminate() does not wait for tasks, whose calls reject', async () => {
    const pool = new Pool(2);
    const all = pool.map(targets.sleep, new Array(100).fill(10_000));
    const stream = pool.imap(targets.sleep, [10_000]);
    const rejected = [
      assert.rejects(all, { code: 'ERR_MULTIPROCESS_CLOSED' }),
      assert.rejects(stream.next(), { code: 'ERR_MULTIPROCESS_CLOSED' }),
    ];
    const pids = pool.stats().workers.map((worker) => worker.pid);
    await pool.terminate();
    await Promise.all(rejected);
    assert.deepEqual(pids.filter(isAlive), []);
    assert.equal(await pool.join(), true);
    await pool.terminate();
  });

  test('close() lets calls get done; join() waits for the workers', async () => {
    const pool = new Pool(2);
    await assert.rejects(pool.join(), { code: 'ERR_MULTIPROCESS_PROCESS_RUNNING' });
    const pids = pool.stats().workers.map((worker) => worker.pid);
    const all = pool.map(targets.sleep, new Array(6).fill(30), { chunksize: 1 });
    pool.close();
    pool.close();
    assert.equal(await pool.join({ timeout: 1 }), false);
    assert.deepEqual(await all, new Array(6).fill(30));
    assert.equal(await pool.join(), true);
    assert.deepEqual(pids.filter(isAlive), []);
    await assert.rejects(pool.apply(square, [1]), { code: 'ERR_MULTIPROCESS_CLOSED' });
    assert.throws(() => pool.imap(square, [1]), { code: 'ERR_MULTIPROCESS_CLOSED' });
  });

  test('await using terminates it', async () => {
    let pids: number[];
    {
      await using pool = new Pool(2);
      pids = pool.stats().workers.map((worker) => worker.pid);
      assert.equal(await pool.apply(square, [3]), 9);
    }
    assert.deepEqual(pids.filter(isAlive), []);
  });

  test('with or without new, with the arguments of Python or options', async () => {
    const pool = Pool(1, targets.initialize, ['a', 2]);
    assert.ok(pool instanceof Pool);
    assert.deepEqual(await pool.apply(targets.whatInitialized), ['a', 2]);
    assert.match(String((await import('node:util')).inspect(pool)), /^Pool \{ 1 workers/);
    class Mine extends Pool {}
    const mine = new Mine({ processes: 1, initializer: targets.initialize, initargs: [SharedDict([['k', 1]])] });
    const [dict] = (await mine.apply(targets.whatInitialized)) as [{ get(key: string): unknown }];
    assert.equal(dict.get('k'), 1);
    await Promise.all([pool.terminate(), mine.terminate()]);
  });
});
