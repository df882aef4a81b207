// Pools in a manager's server: as those of one's own, whoever uses them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  Event,
  fromMessage,
  handleOf,
  Manager,
  open,
  type Pool,
  Process,
  RawArray,
  SharedDict,
  type SyncManager,
  toMessage,
  WorkerDiedError,
} from 'multiprocess';
import * as managed from '../programs/managed-pool-targets.js';
import * as targets from '../programs/pool-targets.js';
import { collectGarbage } from '../support/gc.js';
import { eventually, isAlive } from '../support/shm.js';

const { square } = targets;
const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i);

/** Waits until something says that it is under way; fails when it ends, however it does, before it has said so. */
async function hasBegun(begun: Event, underway: Promise<unknown>): Promise<void> {
  const ending = new AbortController();
  const ended = underway.then(() => assert.fail('it has ended before it has begun'));
  try {
    await Promise.race([begun.wait({ signal: ending.signal }), ended]);
  } finally {
    ended.catch(() => {});
    ending.abort();
  }
}

let manager: SyncManager;
let pool: Pool;
before(async () => {
  manager = await Manager();
  pool = await manager.Pool(2);
});
after(() => manager.shutdown());

describe('what a pool does', () => {
  test('apply, map, starmap', async () => {
    assert.equal(await pool.apply(square, [4]), 16);
    assert.deepEqual(await pool.map(square, range(1000)), range(1000).map(square));
    assert.deepEqual(await pool.map(square, range(300), { chunksize: 1 }), range(300).map(square));
    assert.deepEqual(await pool.map(square, []), []);
    const factor = 3;
    assert.deepEqual(
      await pool.starmap(
        (a: number, b: number) => a * b * factor,
        [
          [1, 2],
          [3, 4],
        ],
      ),
      [6, 36],
    );
    assert.equal(inspect(pool), 'Pool { 2 workers, 0 queued, 0 running }');
    assert.throws(() => JSON.stringify(pool), TypeError);
  });

  test('imap and imapUnordered, of what never ends, read only so far ahead', async () => {
    let read = 0;
    async function* numbers() {
      for (;;) yield read++;
    }
    const found: number[] = [];
    for await (const n of pool.imap(square, numbers())) {
      found.push(n);
      if (found.length === 50) break;
    }
    assert.deepEqual(found, range(50).map(square));
    assert.ok(read <= 50 + 2 * 8 + 1, `${read} were read`);
    const all: number[] = [];
    for await (const n of pool.imapUnordered(square, range(100), { chunksize: 3 })) all.push(n);
    assert.deepEqual(
      all.sort((a, b) => a - b),
      range(100).map(square),
    );
  });

  test('shared objects arrive as the same ones, and results live until they are here', async () => {
    const numbers = RawArray('d', 4);
    const dict = SharedDict<string, number>();
    await pool.map(managed.fill, [
      { numbers, dict, at: 1 },
      { numbers, dict, at: 3 },
    ]);
    assert.deepEqual([...numbers], [0, 1, 0, 3]);
    assert.deepEqual([dict.get('1'), dict.get('3')], [1, 3]);
    const made = await pool.map(managed.makeShared, range(40));
    await collectGarbage();
    assert.deepEqual(
      made.map(({ numbers, dict }) => [numbers[0], dict.get('n')]),
      range(40).map((n) => [n, n]),
    );
  });

  test('values of types that the server does not know', async () => {
    const [point] = await pool.map(managed.mirror, [new managed.Point(1, 2)]);
    assert.ok(point instanceof managed.Point);
    assert.deepEqual([point.x, point.y], [2, 1]);
  });

  test('what tasks throw, and what cannot travel', async () => {
    await assert.rejects(pool.map(targets.throwWhat, ['error']), { message: 'with a socket', code: 'E' });
    assert.equal(await pool.apply(targets.throwWhat, ['undefined']).catch((error) => error), undefined);
    const results = pool.imap(targets.returnWhat, [1, { on: () => {} }, 'function', 4], { chunksize: 4 });
    assert.equal((await results.next()).value, 1);
    await assert.rejects(results.next(), { name: 'NotShareableError', message: /^item\.on is a function/ });
    await assert.rejects(results.next(), { name: 'NotShareableError', message: /^result\.onDone is a function/ });
    assert.equal((await results.next()).value, 4);
    await assert.rejects(pool.map(Math.abs, [1]), { name: 'NotShareableError' });
    await assert.rejects(pool.map(square, [1], { chunksize: 0 }), RangeError);
    await assert.rejects(manager.Pool(0), RangeError);
  });

  test('a result of 200 MiB, and one that is too large for a message', async () => {
    const large = (await pool.apply(targets.returnWhat, ['large'])) as Uint8Array;
    assert.equal(large.length, 200 * 1024 * 1024);
    await assert.rejects(pool.apply(managed.bytes, [257 * 1024 * 1024]), { message: /as SharedMemory or a RawArray/ });
    assert.equal(await pool.apply(square, [2]), 4);
  });

  test('onProgress here, timeout, abort', async () => {
    const seen: number[] = [];
    await pool.map(square, range(10), { chunksize: 2, onProgress: (done) => seen.push(done) });
    assert.deepEqual(seen.at(-1), 10);
    const begun = Event();
    await assert.rejects(pool.apply(managed.setAndStay, [begun], { timeout: 300 }), { name: 'TimeoutError' });
    const controller = new AbortController();
    const again = Event();
    const call = pool.map(managed.setAndStay, [again], { signal: controller.signal });
    await again.wait();
    controller.abort(new Error('enough'));
    await assert.rejects(call, /enough/);
    assert.equal(await pool.apply(square, [3]), 9);
  });

  test('a worker that dies', async () => {
    await assert.rejects(pool.map(targets.dieAt, range(6, 10), { chunksize: 2 }), (error) => {
      assert.ok(error instanceof WorkerDiedError);
      assert.deepEqual([error.task, error.signalCode], [3, 'SIGKILL']);
      return true;
    });
    const folder = mkdtempSync(join(tmpdir(), 'mp-pool-'));
    try {
      assert.deepEqual(
        await pool.starmap(
          targets.dieOnce,
          [
            [folder, 1],
            [folder, 2],
          ],
          { retries: 1 },
        ),
        [1, 2],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('stats, without asking the server', async () => {
    const before = pool.stats();
    await pool.map(square, range(20));
    const after = pool.stats();
    assert.equal(after.done - before.done, 20);
    assert.equal(after.workers.length, 2);
    for (const { pid } of after.workers) assert.ok(isAlive(pid));
  });
});

test('the same pool in other processes, by argument, message and handle', async () => {
  const child = new Process({ target: managed.squares, args: [pool, 5] });
  child.start();
  assert.deepEqual(await child.result(), [0, 1, 4, 9, 16]);
  assert.equal(fromMessage(toMessage(pool)), pool);
  assert.equal(open(handleOf(pool)), pool);
  const dict = manager.dict<string, Pool>();
  dict.set('pool', pool);
  assert.equal(dict.get('pool'), pool);
});

test('an initializer, and one that throws', async () => {
  const own = await manager.Pool(1, targets.initialize, ['from here']);
  assert.deepEqual(await own.apply(targets.whatInitialized), ['from here']);
  await own.terminate();
  const broken = await manager.Pool(1, targets.failToInitialize);
  await assert.rejects(broken.apply(square, [1]), { name: 'OwnError', message: 'not today' });
  await broken.terminate();
});

test('limits of memory', async () => {
  const own = await manager.Pool({ processes: 1, resourceLimits: { maxOldGenerationSizeMb: 24 } });
  await assert.rejects(own.apply(targets.runOutOfMemory), { name: 'WorkerDiedError', signalCode: 'SIGABRT' });
  assert.equal(await own.apply(square, [2]), 4);
  await own.terminate();
});

test('close, join, terminate', async () => {
  const own = await manager.Pool(1);
  await assert.rejects(own.join(), { code: 'ERR_MULTIPROCESS_PROCESS_RUNNING' });
  const call = own.map(square, range(100), { chunksize: 1 });
  own.close();
  assert.throws(() => own.imap(square, [1]), { name: 'ClosedError' });
  assert.deepEqual(await call, range(100).map(square));
  assert.equal(await own.join(), true);
  const other = await manager.Pool({ processes: 1 });
  const begun = Event();
  const stays = assert.rejects(other.apply(managed.setAndStay, [begun]), { name: 'ClosedError' });
  await hasBegun(begun, stays);
  await assert.rejects(other.apply(square, [1], { timeout: 5 }), { name: 'TimeoutError' });
  await other[Symbol.asyncDispose]();
  await stays;
  await assert.rejects(other.apply(square, [1]), { name: 'ClosedError' });
  assert.equal(await other.join(), true);
});

test('a client that dies gives up what it has begun, and no more', async () => {
  const begun = Event();
  const child = new Process({ target: managed.begin, args: [pool, begun] });
  child.start();
  await hasBegun(begun, child.result());
  const mine = pool.map(square, range(100), { chunksize: 1 });
  child.kill();
  await child.join();
  assert.deepEqual(await mine, range(100).map(square));
  await eventually('its tasks have been given up', () => pool.stats().running === 0 && pool.stats().queued === 0);
  assert.deepEqual(await pool.map(square, range(4), { chunksize: 1 }), [0, 1, 4, 9]);
});

test('it ends when nobody has it any more', async () => {
  let pids: number[] = [];
  await (async () => {
    const own = await manager.Pool(1);
    assert.equal(await own.apply(square, [2]), 4);
    pids = own.stats().workers.map(({ pid }) => pid);
  })();
  await eventually('its workers have ended', async () => {
    await collectGarbage();
    return pids.every((pid) => !isAlive(pid));
  });
});

test('it ends with the manager', async () => {
  for (const how of ['shutdown', 'kill'] as const) {
    const own = await Manager();
    const inIt = await own.Pool(1);
    const begun = Event();
    const call = assert.rejects(inIt.apply(managed.setAndStay, [begun]), { name: 'ManagerClosedError' });
    await hasBegun(begun, call);
    const pids = inIt.stats().workers.map(({ pid }) => pid);
    if (how === 'shutdown') await own.shutdown();
    else process.kill(managed.parentOf(pids[0]!), 'SIGKILL');
    await call;
    await eventually('its workers have ended', () => pids.every((pid) => !isAlive(pid)));
    assert.throws(() => inIt.stats(), { name: 'ManagerClosedError' });
    await assert.rejects(inIt.apply(square, [1]), { name: 'ManagerClosedError' });
    assert.equal(await inIt.join().catch((error) => error.code), 'ERR_MULTIPROCESS_PROCESS_RUNNING');
    await inIt.terminate();
    assert.equal(await inIt.join(), true);
  }
});
