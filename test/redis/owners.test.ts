// What becomes of what clients hold and wait for, when they are killed, stopped, busy or cut off.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type EngineManager } from 'multiprocess';
import { program } from '../support/paths.js';
import { RedisServer } from '../support/redis-server.js';
import { type Running, startNode } from '../support/run.js';
import { eventually } from '../support/shm.js';

const LEASE_MS = 1000;
/** One lease, and what a busy machine takes. */
const soon = { timeout: 20_000 };
let server: RedisServer;
let one: EngineManager;
let other: EngineManager;

before(async () => {
  server = await RedisServer.start();
  [one, other] = await Promise.all([
    connect(server.url, { lease: LEASE_MS }),
    connect(server.url, { lease: LEASE_MS }),
  ]);
});
after(async () => {
  await Promise.all([one.close(), other.close()]);
  await server.stop();
});

async function client(action: string): Promise<{ running: Running; done: unknown }> {
  const running = startNode(program('redis-client'), [server.url, String(LEASE_MS), action]);
  const [, done] = await running.line(/^done (.*)$/);
  return { running, done: JSON.parse(done!) };
}

test('killed while it holds: the next one has it after a lease, and is told', { timeout: 60_000 }, async () => {
  const { running, done } = await client('holdLock');
  const lock = await one.Lock({ name: 'lock' });
  const theirs = await other.Lock({ name: 'lock' });
  const waiting = [lock.acquire(soon), theirs.acquire(soon)];
  await running.kill();
  const first = await Promise.race(waiting.map(async (acquired, i) => [await acquired, i] as const));
  assert.equal(first[0], true);
  const [winner, loser] = first[1] === 0 ? [lock, theirs] : [theirs, lock];
  assert.equal(winner.ownerDied, true);
  assert.ok(winner.token! > BigInt(done as string));
  await winner.release();
  assert.deepEqual(await Promise.all(waiting), [true, true]);
  assert.equal(loser.ownerDied, false, 'who had it after it was told');
  await loser.release();
});

test('killed while it waits: those behind it are not kept', { timeout: 60_000 }, async () => {
  const lock = await one.Lock({ name: 'lock' });
  await lock.acquire();
  const { running } = await client('waitForLock');
  await eventually('it is in the line', async () => (await waiting(server)) === 1);
  const theirs = await other.Lock({ name: 'lock' });
  const behind = theirs.acquire(soon);
  await running.kill();
  await lock.release();
  assert.equal(await behind, true);
  await theirs.release();
  assert.equal(await lock.acquire(soon), true);
  await lock.release();
});

test('a busy event loop does not lose a lock', { timeout: 60_000 }, async () => {
  const { running } = await client('holdBusily');
  const lock = await one.Lock({ name: 'lock' });
  assert.equal(await lock.acquire({ timeout: 3 * LEASE_MS }), false);
  await running.kill();
  assert.equal(await lock.acquire(soon), true);
  await lock.release();
});

test('nor does one whose clock jumps', { timeout: 60_000 }, async () => {
  const { running } = await client('holdWithJumpingClock');
  const lock = await one.Lock({ name: 'lock' });
  assert.equal(await lock.acquire({ timeout: 3 * LEASE_MS }), false);
  await running.kill();
  assert.equal(await lock.acquire(soon), true);
  await lock.release();
});

test('one that is stopped for too long has lost it, is told, and cannot do harm', { timeout: 60_000 }, async () => {
  const { running, done } = await client('holdAndTell');
  const stopped = BigInt(done as string);
  process.kill(running.pid, 'SIGSTOP');
  const lock = await one.Lock({ name: 'lock' });
  assert.equal(await lock.acquire(soon), true);
  assert.ok(lock.token! > stopped);
  // What is protected takes nothing from who comes with a smaller token than it has seen.
  let highest = 0n;
  const write = (token: bigint) => {
    if (token < highest) return 'refused';
    highest = token;
    return 'written';
  };
  assert.equal(write(lock.token!), 'written');
  process.kill(running.pid, 'SIGCONT');
  const [, token, now, released] = await running.line(/^lost (\S+) (\S+) (\S+)$/);
  assert.deepEqual([now, released], ['undefined', 'ERR_MULTIPROCESS_NOT_OWNER']);
  assert.equal(write(BigInt(token!)), 'refused');
  assert.equal(await lock.locked(), true, 'what it did afterwards has not let go of it');
  await lock.release();
  await running.kill();
});

test('what is open does not keep a process from exiting', { timeout: 60_000 }, async () => {
  const { running } = await client('exit');
  const { code, signal, stderr } = await running.finished;
  assert.deepEqual([code, signal], [0, null], stderr);
});

test('close gives back, and rejects who waits', async () => {
  const closing = await connect(server.url, { lease: LEASE_MS });
  const lock = await closing.Lock({ name: 'closing' });
  const theirs = await one.Lock({ name: 'closing' });
  await lock.acquire();
  let lost = false;
  void lock.lost.then(() => {
    lost = true;
  });
  const dict = await closing.dict(null, { name: 'closing dict' });
  const closed = { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' };
  const rejected = [assert.rejects(lock.acquire(), closed), assert.rejects(dict.changed(), closed)];
  const waiting = theirs.acquire({ timeout: LEASE_MS / 2 });
  await closing.close();
  await closing.close();
  await Promise.all(rejected);
  assert.equal(await waiting, true, 'sooner than its lease would have ended');
  await theirs.release();
  assert.deepEqual([lock.token, lost], [undefined, true]);
  await closing.closed;
  await assert.rejects(closing.Lock(), closed);
  await assert.rejects(lock.release(), closed);
  await assert.rejects(lock.acquire(), closed);
  await assert.rejects(dict.get('x'), closed);
});

test('random kills: nobody is inside with another, and nobody is stuck', { timeout: 120_000 }, async () => {
  const dict = await one.dict<string, any>(null, { name: 'counted' });
  const clients = await Promise.all([1, 2, 3].map(() => client('count')));
  for (let kills = 0; kills < 6; kills++) {
    const before = await dict.get('rounds', 0);
    await eventually('they go on', async () => (await dict.get('rounds', 0)) > before + 20, 30_000);
    await delay(Math.random() * 20);
    const index = kills % clients.length;
    const { signal, stderr } = await clients[index]!.running.kill();
    assert.equal(signal, 'SIGKILL', stderr);
    clients[index] = await client('count');
  }
  await Promise.all(clients.map(({ running }) => running.kill()));
  assert.equal(await dict.get('wrong'), undefined);
  const [inside, rounds] = [await dict.get('inside'), await dict.get('rounds')];
  // Each of the nine that were killed may have died between the two.
  assert.ok(inside - rounds >= 0 && inside - rounds <= 9, `${inside} inside, ${rounds} rounds`);
  const lock = await one.Lock({ name: 'lock' });
  assert.equal(await lock.acquire(soon), true);
  await lock.release();
});

/** How many wait for the lock, as the server has it. */
async function waiting({ port }: RedisServer): Promise<number> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(port, '127.0.0.1');
  try {
    return await redis.llen('mp:{lock}:line');
  } finally {
    redis.disconnect();
  }
}
