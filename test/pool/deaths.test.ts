// As CPython's _TestPoolWorkerLifetime and _TestPoolWorkerErrors, and what is ours: whatever dies, each call ends.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Pool, WorkerDiedError } from 'multiprocess';
import * as targets from '../programs/pool-targets.js';
import { dieAt, note } from '../programs/pool-targets.js';
import { program } from '../support/paths.js';
import { startNode } from '../support/run.js';
import { eventually, isAlive } from '../support/shm.js';

const folder = mkdtempSync(join(tmpdir(), 'mp-pool-'));
after(() => rmSync(folder, { recursive: true }));
const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i);
const pidsOf = (pool: Pool) => pool.stats().workers.map(({ pid }) => pid);

describe('a worker that dies', () => {
  const pool = new Pool(2);
  after(() => pool.terminate());

  test('fails the task that it was at, and another takes its place', async () => {
    for (const [item, exitCode, signalCode] of [
      [13, -9, 'SIGKILL'],
      [14, 4, null],
      [15, -6, 'SIGABRT'],
    ] as const) {
      const items = [1, 2, item, 4, 5];
      const outcomes: unknown[] = [];
      const results = pool.imap(targets.dieAt, items);
      for (let i = 0; i < items.length; i++)
        outcomes.push(
          await results.next().then(
            ({ value }) => value,
            (error) => error,
          ),
        );
      const error = outcomes[2] as WorkerDiedError;
      assert.ok(error instanceof WorkerDiedError);
      assert.deepEqual([error.exitCode, error.signalCode, error.task], [exitCode, signalCode, 2]);
      assert.equal(error.code, 'ERR_MULTIPROCESS_WORKER_DIED');
      assert.deepEqual([...outcomes.slice(0, 2), ...outcomes.slice(3)], [1, 2, 4, 5]);
    }
    assert.equal(pool.stats().workers.length, 2);
  });

  test('in a chunk of a map: what was not begun is done by others, and nothing twice', async () => {
    const at = mkdtempSync(join(folder, 'chunk-'));
    const results = pool.starmap(
      (where: string, n: number) => {
        note(where, n);
        return dieAt(n);
      },
      range(40).map((n) => [at, n] as const),
      { chunksize: 10 },
    );
    await assert.rejects(
      results,
      (error: WorkerDiedError) => error instanceof WorkerDiedError && error.task! >= 13 && error.task! <= 15,
    );
    for (const n of range(40)) assert.equal(targets.note(at, n), 1, `task ${n}`);
  });

  test('of an error that nobody caught, says which', async () => {
    await assert.rejects(pool.apply(targets.throwBehind, [1000]), (error: WorkerDiedError) => {
      assert.ok(error instanceof WorkerDiedError);
      assert.equal(error.exitCode, 1);
      assert.equal((error.cause as Error).message, 'behind');
      return true;
    });
  });

  test('for lack of memory', async () => {
    await using small = new Pool({
      processes: 1,
      resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 6 },
    });
    const results = small.imap((n: number) => (n === 1 ? targets.runOutOfMemory() : n), [0, 1, 2]);
    assert.equal((await results.next()).value, 0);
    await assert.rejects(results.next(), (error: WorkerDiedError) => {
      assert.ok(error instanceof WorkerDiedError);
      assert.deepEqual([error.exitCode, error.signalCode, error.task], [-6, 'SIGABRT', 1]);
      assert.match(error.message, /resourceLimits/);
      return true;
    });
    assert.equal((await results.next()).value, 2);
  });

  test('idle, is replaced', async () => {
    await pool.map(targets.square, range(10));
    const before = pidsOf(pool);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await eventually(
      'there are others',
      () => pidsOf(pool).length === 2 && pidsOf(pool).every((pid) => !before.includes(pid)),
    );
    assert.equal(await pool.apply(targets.square, [3]), 9);
  });

  test('with retries its task is tried again', async () => {
    const at = mkdtempSync(join(folder, 'retried-'));
    const rows = range(6).map((n) => [at, n] as const);
    assert.deepEqual(await pool.starmap(targets.dieOnce, rows, { retries: 6, chunksize: 3 }), range(6));
  });

  test('and a task that kills each worker fails in the end, alone', async () => {
    const items = range(6, 10);
    const outcomes: unknown[] = [];
    const results = pool.imap(targets.dieAt, items, { retries: 2, chunksize: 6 });
    for (let i = 0; i < items.length; i++)
      outcomes.push(
        await results.next().then(
          ({ value }) => value,
          (error) => error.exitCode,
        ),
      );
    assert.deepEqual(outcomes, [10, 11, 12, -9, 4, -6]);
  });
});

describe('workers that cannot start', () => {
  test('for their initializer throws: every call rejects with that', async () => {
    const pool = new Pool(2, targets.failToInitialize);
    const failing = pool.map(targets.square, range(5));
    await assert.rejects(failing, { name: 'OwnError', message: 'not today', detail: 5 });
    await assert.rejects(pool.apply(targets.square, [1]), { message: 'not today' });
    await eventually('nobody is started any more', () => pidsOf(pool).length === 0);
    pool.close();
    assert.equal(await pool.join(), true);
  });

  test('for they die each time', async () => {
    const pool = new Pool(2, targets.dieInitializing);
    await assert.rejects(pool.apply(targets.square, [1]), (error: WorkerDiedError) => {
      assert.ok(error instanceof WorkerDiedError);
      assert.deepEqual([error.exitCode, error.task], [3, undefined]);
      return true;
    });
    await pool.terminate();
  });
});

describe('maxTasksPerChild', () => {
  test('replaces workers, each after so many tasks', async () => {
    const pool = new Pool({ processes: 2, maxTasksPerChild: 5 });
    const pids = await Promise.all(range(30).map(() => pool.apply(targets.pid)));
    const counts = new Map<number, number>();
    for (const pid of pids) counts.set(pid, (counts.get(pid) ?? 0) + 1);
    assert.ok(counts.size >= 6);
    assert.ok([...counts.values()].every((count) => count <= 5));
    pool.close();
    assert.equal(await pool.join({ timeout: 10_000 }), true);
  });

  test('workers end by themselves: what runs at exit runs, and what tasks left running does not keep them', async () => {
    const file = join(folder, 'at-exit');
    const pool = new Pool({ processes: 1, maxTasksPerChild: 1 });
    await pool.apply(targets.writeAtExit, [file]);
    await pool.apply(targets.leaveRunning);
    pool.close();
    assert.equal(await pool.join({ timeout: 10_000 }), true);
    assert.equal(readFileSync(file, 'utf8'), 'left');
  });
});

describe('the process that made a pool', () => {
  test('ends by itself, with an idle pool', async () => {
    const parent = startNode(program('pool-parent'), ['return']);
    const pids = JSON.parse((await parent.line(/workers (.*)/))[1]!) as number[];
    const { code, stderr } = await parent.finished;
    assert.deepEqual([code, stderr], [0, '']);
    await eventually('its workers have ended', () => !pids.some(isAlive));
  });

  test('stays while a call is under way, that nobody awaits', async () => {
    const { code, stdout } = await startNode(program('pool-parent'), ['busy']).finished;
    assert.equal(code, 0);
    assert.match(stdout, /done 150/);
  });

  test('takes its workers with it when it is killed, whatever they are at', async () => {
    const parent = startNode(program('pool-parent'), ['spin']);
    const pids = JSON.parse((await parent.line(/workers (.*)/))[1]!) as number[];
    await parent.kill();
    await eventually('its workers have ended', () => !pids.some(isAlive));
  });
});
