// A pool at a server of Redis, whose workers are started by the command-line program.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { connect, type EngineManager, Lock, type Pool, WorkerDiedError } from 'multiprocess';
import {
  countUnder,
  die,
  dieOnce,
  later,
  longTask,
  moved,
  Point,
  refuse,
  refuseOdd,
  square,
  unsendable,
} from '../programs/redis-pool-tasks.js';
import { cli, startCli } from '../support/cli.js';
import { program } from '../support/paths.js';
import { RedisServer } from '../support/redis-server.js';
import { type Running, startNode } from '../support/run.js';
import { eventually, isAlive, testName } from '../support/shm.js';

const LEASE_MS = 1000;
const long = { timeout: 60_000 };
let server: RedisServer;
let manager: EngineManager;
const workers: Running[] = [];

before(async () => {
  server = await RedisServer.start(['--requirepass', 'secret']);
  manager = await connect(withPassword(), { lease: LEASE_MS });
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
});
after(async () => {
  await manager.close();
  await server.stop();
});

function withPassword(): `redis://${string}` {
  return `redis://:secret@127.0.0.1:${server.port}`;
}

/** The password comes from the environment. */
async function start(pool: string, processes = 2): Promise<Running> {
  const where = ['--url', server.url, '--module', program('redis-pool-tasks'), '--pool', pool];
  const worker = startCli(['worker', ...where, '--processes', String(processes), '--lease', String(LEASE_MS)], {
    MULTIPROCESS_REDIS_URL: withPassword(),
  });
  workers.push(worker);
  await worker.line(/^working for /);
  return worker;
}

async function open(processes = 2): Promise<{ pool: Pool; name: string; worker: Running }> {
  const name = testName('pool');
  const worker = await start(name, processes);
  return { pool: await manager.Pool({ name }), name, worker };
}

test('tasks and results, by each kind of call', long, async () => {
  const { pool } = await open();
  assert.equal(await pool.apply(square, [7]), 49);
  assert.deepEqual(await pool.map(square, [1, 2, 3]), [1, 4, 9]);
  const numbers = Array.from({ length: 1000 }, (_, i) => i);
  assert.deepEqual(await pool.map(square, numbers), numbers.map(square));
  assert.deepEqual(
    await pool.starmap(later<string>, [
      ['a', 5],
      ['b', 0],
    ]),
    ['a', 'b'],
  );
  const found: number[] = [];
  for await (const result of pool.imap(square, [3, 2, 1])) found.push(result);
  assert.deepEqual(found, [9, 4, 1]);
  const endless = (function* () {
    for (let i = 0; ; i++) yield i;
  })();
  const some: number[] = [];
  for await (const result of pool.imapUnordered(square, endless)) if (some.push(result) === 100) break;
  assert.equal(some.length, 100);
  assert.deepEqual(await pool.map(square, []), []);
  const seen: [number, number | undefined][] = [];
  await pool.map(square, [1, 2], { chunksize: 1, onProgress: (done, total) => seen.push([done, total]) });
  assert.deepEqual(seen, [
    [1, 2],
    [2, 2],
  ]);
  const point = await pool.apply(moved, [new Point(3), 4]);
  assert.ok(point instanceof Point);
  assert.equal(point.x, 7);
  assert.equal(pool.stats().failed, 0);
  assert.match(String((pool as object).constructor.name), /^Pool$/);
});

test('failures', long, async () => {
  const { pool } = await open();
  const refused = { name: 'RangeError', message: 'not this', cause: 'this' };
  await assert.rejects(pool.apply(refuse, ['this']), refused);
  await assert.rejects(pool.map(refuseOdd, [0, 1, 2, 3]), { message: 'odd: 1' });
  await assert.rejects(pool.apply(unsendable), {
    code: 'ERR_MULTIPROCESS_NOT_SHAREABLE',
    message: /result is a function/,
  });
  await assert.rejects(pool.map(square, [() => 1] as never), {
    code: 'ERR_MULTIPROCESS_NOT_SHAREABLE',
    message: /item is a function/,
  });
  await assert.rejects(pool.apply(square, [Lock() as never]), { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' });
  const local = 2;
  await assert.rejects(
    pool.apply((n: number) => n * local, [1]),
    { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE' },
  );
  await assert.rejects(pool.apply(notThere, [1]), { code: 'ERR_MULTIPROCESS_NOT_SHAREABLE', message: /notThere/ });
  await assert.rejects(pool.apply(5 as never), TypeError);
  // None of this has done any harm.
  assert.equal(await pool.apply(square, [2]), 4);
  assert.deepEqual(await pool.map(refuseOdd, [0, 2]), [0, 2]);
});

/** The module of the workers has no such function. */
export function notThere(n: number): number {
  return n;
}

test('options', async () => {
  await assert.rejects(manager.Pool({ processes: 0 }), RangeError);
  await assert.rejects(manager.Pool('2' as never), TypeError);
  await assert.rejects(manager.Pool({ name: 5 as never }), TypeError);
  await assert.rejects(manager.Pool({ initializer: square } as never), { name: 'TypeError', message: /worker --help/ });
  await assert.rejects(manager.Pool({ maxTasksPerChild: 5 } as never), TypeError);
  await assert.rejects(manager.Pool({ allowSource: true } as never), TypeError);
  const name = testName('no pool');
  await manager.Lock({ name });
  await assert.rejects(manager.Pool({ name }), { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' });
});

test('objects at the server are arguments', long, async () => {
  const { pool } = await open();
  const [lock, dict] = [await manager.Lock(), await manager.dict<string, number>()];
  await pool.starmap(
    countUnder,
    Array.from({ length: 20 }, () => [lock, dict] as const),
    { chunksize: 2 },
  );
  assert.equal(await dict.get('n'), 20);
});

test('a process that dies fails its task, which may be tried again', long, async () => {
  const { pool } = await open();
  const died = await pool.apply(die).catch((error) => error);
  assert.ok(died instanceof WorkerDiedError);
  assert.deepEqual([died.signalCode, died.task], ['SIGKILL', 0]);
  assert.equal(await pool.apply(dieOnce, [await manager.dict<string, number>()], { retries: 1 }), 2);
  assert.deepEqual(await pool.map(square, [1, 2]), [1, 4]);
});

test('a machine that is lost: its tasks fail after a lease, or are done by others', long, async () => {
  const { pool, name, worker } = await open(1);
  const noted = await manager.dict<string, number>();
  const failing = pool.apply(longTask, [noted, 60_000]).catch((error) => error);
  await eventually('it has begun', async () => (await noted.get('begun')) === 1, 20_000);
  await worker.kill();
  const error = await failing;
  assert.ok(error instanceof WorkerDiedError, String(error));
  assert.equal(error.task, 0);
  // What nobody has begun waits until there is somebody.
  const others = pool.map(square, [1, 2, 3], { chunksize: 1 });
  const again = await start(name, 1);
  assert.deepEqual(await others, [1, 4, 9]);
  const retried = pool.apply(longTask, [noted, 500], { retries: 2 });
  await eventually('it has begun', async () => (await noted.get('begun')) === 2, 20_000);
  await again.kill();
  await start(name, 1);
  assert.equal(await retried, 'done');
  assert.deepEqual([await noted.get('begun'), await noted.get('done')], [3, 1]);
});

test('one that is stopped for too long has lost its tasks, and does no harm afterwards', long, async () => {
  const { pool, name, worker } = await open(1);
  const noted = await manager.dict<string, number>();
  const failing = pool.apply(longTask, [noted, 2 * LEASE_MS]).catch((error) => error);
  await eventually('it has begun', async () => (await noted.get('begun')) === 1, 20_000);
  process.kill(worker.pid, 'SIGSTOP');
  assert.ok((await failing) instanceof WorkerDiedError);
  await start(name, 1);
  assert.equal(await pool.apply(square, [3]), 9);
  process.kill(worker.pid, 'SIGCONT');
  assert.deepEqual(await pool.map(square, [1, 2, 3, 4], { chunksize: 1 }), [1, 4, 9, 16]);
});

test('what is given up is ended', long, async () => {
  const { pool } = await open();
  const noted = await manager.dict<string, number>();
  const timedOut = pool.apply(longTask, [noted, 60_000], { timeout: 3000 });
  timedOut.catch(() => {});
  await eventually('it has begun', async () => (await noted.get('begun')) === 1, 20_000);
  const pid = (await noted.get('pid'))!;
  assert.ok(isAlive(pid));
  await assert.rejects(timedOut, { code: 'ERR_MULTIPROCESS_TIMEOUT' });
  await eventually('its process has ended', () => !isAlive(pid), 20_000);
  const aborted = pool.apply(longTask, [noted, 60_000], { signal: AbortSignal.timeout(500) });
  await assert.rejects(aborted, { name: 'TimeoutError' });
  assert.equal(await pool.apply(square, [5]), 25);
  assert.equal(await noted.get('done'), undefined);
});

test('a client that is killed: nobody goes on with what it wanted', long, async () => {
  const { pool, name } = await open(1);
  const client = startNode(program('redis-pool-client'), [withPassword(), String(LEASE_MS), name]);
  await client.line(/^asked$/);
  const noted = await manager.dict<string, number>(null, { name: 'noted by the killed' });
  await eventually('it has begun', async () => (await noted.get('begun')) === 1, 20_000);
  await client.kill();
  const pid = (await noted.get('pid'))!;
  await eventually('it has been ended', () => !isAlive(pid), 20_000);
  assert.equal(await pool.apply(square, [6]), 36);
  assert.equal(await noted.get('begun'), 1, 'nothing more was begun of it');
});

test('close, terminate, join', long, async () => {
  const { pool, name } = await open();
  const closed = { code: 'ERR_MULTIPROCESS_CLOSED' };
  await assert.rejects(pool.join(), { code: 'ERR_MULTIPROCESS_PROCESS_RUNNING' });
  const last = pool.apply(later<string>, ['x', 100]);
  pool.close();
  await assert.rejects(pool.apply(square, [1]), closed);
  assert.equal(await pool.join({ timeout: 1 }), false);
  assert.equal(await last, 'x');
  assert.equal(await pool.join(), true);
  const again = await manager.Pool({ name });
  const cut = assert.rejects(again.apply(later<string>, ['x', 60_000]), closed);
  await again.terminate();
  await cut;
  assert.equal(await again.join(), true);
  const third = await manager.Pool({ name });
  assert.equal(await third.apply(square, [3]), 9, 'the workers are still there');
  await eventually('they are counted', () => third.stats().workers.length === 2);
});

test('a worker that is told to end gets done with what it is at', long, async () => {
  const { pool, worker } = await open(1);
  const noted = await manager.dict<string, number>();
  const running = pool.apply(longTask, [noted, 1000]);
  await eventually('it has begun', async () => (await noted.get('begun')) === 1, 20_000);
  worker.child.kill('SIGTERM');
  assert.equal(await running, 'done');
  const { code, stderr } = await worker.finished;
  assert.deepEqual([code, stderr], [0, '']);
});

test('a second signal ends that, too', long, async () => {
  const { pool, worker } = await open(1);
  const noted = await manager.dict<string, number>();
  const running = pool.apply(longTask, [noted, 60_000]).catch((error) => error);
  await eventually('it has begun', async () => (await noted.get('begun')) === 1, 20_000);
  worker.child.kill('SIGINT');
  worker.child.kill('SIGTERM');
  const { code } = await worker.finished;
  assert.equal(code, 0);
  assert.ok((await running) instanceof WorkerDiedError);
});

test('a worker that cannot work says why', long, async () => {
  const env = { MULTIPROCESS_REDIS_URL: withPassword() };
  const where = ['worker', '--url', server.url];
  const nobody = await cli(['worker', '--url', 'redis://127.0.0.1:1', '--module', program('redis-pool-tasks')]);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /ECONNREFUSED/);
  const locked = await cli([...where, '--module', program('redis-pool-tasks')]);
  assert.equal(locked.code, 1);
  assert.match(locked.stderr, /AuthenticationError/);
  assert.equal(locked.stderr.includes('secret'), false);
  const broken = await cli([...where, '--module', program('redis-pool-broken'), '--processes', '1'], env);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /it cannot be imported/);
});
