// What becomes of permits, conditions, barriers and values at a server of Redis when clients are killed, stopped, busy or cut off.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { connect, type EngineManager } from 'multiprocess';
import { collectGarbage } from '../support/gc.js';
import { program } from '../support/paths.js';
import { RedisServer } from '../support/redis-server.js';
import { type Running, startNode } from '../support/run.js';
import { eventually } from '../support/shm.js';

const LEASE_MS = 1000;
/** One lease, and what a busy machine takes. */
const soon = { timeout: 20_000 };
const notOwner = { code: 'ERR_MULTIPROCESS_NOT_OWNER' };
const broken = { code: 'ERR_MULTIPROCESS_BROKEN_BARRIER' };
let server: RedisServer;
let one: EngineManager;
let other: EngineManager;
let direct: Redis;

before(async () => {
  server = await RedisServer.start();
  [one, other] = await Promise.all([
    connect(server.url, { lease: LEASE_MS }),
    connect(server.url, { lease: LEASE_MS }),
  ]);
  direct = new Redis(server.port, '127.0.0.1');
});
after(async () => {
  direct.disconnect();
  await Promise.all([one.close(), other.close()]);
  await server.stop();
});

async function client(action: string): Promise<{ running: Running; done: unknown }> {
  const running = startNode(program('redis-client'), [server.url, String(LEASE_MS), action]);
  const [, done] = await running.line(/^done (.*)$/);
  return { running, done: JSON.parse(done!) };
}

function stop({ pid }: Running): void {
  process.kill(pid, 'SIGSTOP');
}

const length = (key: string) => direct.llen(`mp:{${key}}:line`);

test('permits of one that is killed come back after a lease', { timeout: 60_000 }, async () => {
  const { running, done } = await client('holdPermits');
  const semaphore = await one.BoundedSemaphore(2, { name: 'bounded' });
  const theirs = await other.BoundedSemaphore(2, { name: 'bounded' });
  assert.deepEqual([await semaphore.value(), await semaphore.tryAcquire()], [0, false]);
  const waiting = [semaphore.acquire(soon), theirs.acquire(soon)];
  await running.kill();
  assert.deepEqual(await Promise.all(waiting), [true, true]);
  assert.ok(semaphore.token! > BigInt(done as string) && theirs.token! > BigInt(done as string));
  assert.equal(await semaphore.tryAcquire(), false, 'and no more of them than there were');
  await Promise.all([semaphore.release(), theirs.release()]);
  assert.equal(await semaphore.value(), 2);
});

test('permits of one that is stopped for too long are lost, and it is told', { timeout: 60_000 }, async () => {
  const { running, done } = await client('holdPermitsAndTell');
  stop(running);
  const semaphore = await one.BoundedSemaphore(2, { name: 'bounded' });
  assert.deepEqual([await semaphore.acquire(soon), await semaphore.acquire(soon)], [true, true]);
  assert.ok(semaphore.token! > BigInt(done as string));
  process.kill(running.pid, 'SIGCONT');
  const [, token, released] = await running.line(/^lost (\S+) (\S+)$/);
  assert.deepEqual([token, released], [done, notOwner.code]);
  assert.equal(await semaphore.value(), 0, 'what it did afterwards has given nothing back');
  await semaphore.release(2);
  await running.kill();
});

test('one that is killed while it waits for a permit keeps nobody', { timeout: 60_000 }, async () => {
  const semaphore = await one.BoundedSemaphore(2, { name: 'bounded' });
  await semaphore.acquire();
  await semaphore.acquire();
  const { running } = await client('waitForBounded');
  await eventually('it is in the line', async () => (await length('bounded')) === 1);
  const theirs = await other.BoundedSemaphore(2, { name: 'bounded' });
  const behind = theirs.acquire(soon);
  await running.kill();
  await semaphore.release();
  assert.equal(await behind, true);
  await semaphore.release();
  await theirs.release();
  await eventually('nobody has one', async () => (await semaphore.value()) === 2, 20_000);
});

test('a permit that was given to one that is stopped, or dead, goes to the next', { timeout: 60_000 }, async () => {
  const semaphore = await one.Semaphore(0, { name: 'semaphore' });
  const theirs = await other.Semaphore(0, { name: 'semaphore' });
  for (const end of ['SIGCONT', 'SIGKILL'] as const) {
    const { running } = await client('waitForPermit');
    await eventually('it is in the line', async () => (await length('semaphore')) === 1);
    stop(running);
    const behind = theirs.acquire(soon);
    await eventually('another is behind it', async () => (await length('semaphore')) === 2);
    await semaphore.release();
    assert.equal(await direct.zcard('mp:{semaphore}:granted'), 1, 'it is first');
    assert.equal(await behind, true);
    assert.equal(await semaphore.value(), 0);
    if (end === 'SIGCONT') {
      process.kill(running.pid, 'SIGCONT');
      await eventually('it waits again', async () => (await length('semaphore')) === 1, 20_000);
      await semaphore.release();
      await running.line(/^won$/);
    }
    await running.kill();
    assert.deepEqual([await semaphore.value(), await semaphore.tryAcquire()], [0, false]);
  }
});

test('the lock of a condition whose owner is killed, and stopped', { timeout: 60_000 }, async () => {
  const { running } = await client('holdCondition');
  const condition = await one.Condition(undefined, { name: 'condition' });
  const waiting = condition.acquire(soon);
  await running.kill();
  assert.equal(await waiting, true);
  assert.equal((await condition.getLock()).ownerDied, true);
  await condition.release();
  const stopped = (await client('holdConditionAndTell')).running;
  stop(stopped);
  assert.equal(await condition.acquire(soon), true);
  process.kill(stopped.pid, 'SIGCONT');
  const { code } = notOwner;
  assert.deepEqual((await stopped.line(/^lost (.*)$/))[1], [code, code, code].join());
  await condition.release();
  await stopped.kill();
});

test('a notification of one that is stopped, or dead, goes to another', { timeout: 60_000 }, async () => {
  const condition = await one.Condition(undefined, { name: 'condition' });
  const theirs = await other.Condition(undefined, { name: 'condition' });
  for (const end of ['SIGCONT', 'SIGKILL'] as const) {
    const { running } = await client('waitForCondition');
    stop(running);
    const second = theirs.run(() => theirs.wait(soon));
    await eventually('both wait', async () => (await length('condition')) === 2);
    await condition.run(() => condition.notify());
    assert.equal(await length('condition'), 1, 'it is for the first');
    assert.equal(await second, true);
    if (end === 'SIGCONT') {
      process.kill(running.pid, 'SIGCONT');
      // Nobody knows what it has missed: so it looks.
      assert.equal((await running.line(/^woken (.*)$/))[1], 'true');
    }
    await running.kill();
    assert.equal(await condition.run(() => condition.wait({ timeout: 50 })), false, 'nothing is left');
  }
});

test('one that waits for a condition, and is busy, is not dead', { timeout: 60_000 }, async () => {
  const condition = await one.Condition(undefined, { name: 'busy condition' });
  const waiting = condition.run(() => condition.wait());
  await eventually('it waits', async () => (await length('busy condition')) === 1);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * LEASE_MS);
  const theirs = await other.Condition(undefined, { name: 'busy condition' });
  await theirs.run(() => theirs.notify());
  assert.equal(await direct.scard('mp:{busy condition}:notified'), 1, 'it was there still');
  assert.equal(await waiting, true);
});

test('a barrier whose party is killed, or stopped, is broken after a lease', { timeout: 60_000 }, async () => {
  const barrier = await one.Barrier(2, { name: 'barrier' });
  for (const action of ['waitAtBarrier', 'passBarrier'] as const) {
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      const passed = action === 'passBarrier' ? barrier.wait() : undefined;
      const { running } = await client(action);
      if (passed) await passed;
      else await eventually('it waits', async () => (await barrier.nWaiting()) === 1);
      process.kill(running.pid, signal);
      await eventually('that is noticed', () => barrier.broken(), 20_000);
      await assert.rejects(barrier.wait(), broken);
      await barrier.reset();
      if (signal === 'SIGSTOP' && action === 'waitAtBarrier') {
        process.kill(running.pid, 'SIGCONT');
        // It has been given up, and does not come to the next round.
        assert.equal((await running.line(/^passed (.*)$/))[1], broken.code);
        assert.equal(await barrier.nWaiting(), 0);
      }
      await running.kill();
      const theirs = await other.Barrier(2, { name: 'barrier' });
      assert.deepEqual((await Promise.all([barrier.wait(), theirs.wait()])).sort(), [0, 1]);
    }
  }
});

test('who waits at a barrier hears of the death of another party', { timeout: 60_000 }, async () => {
  const three = await one.Barrier(3, { name: 'of three' });
  const { running } = await client('waitAtThree');
  const waiting = assert.rejects(three.wait(), broken);
  await eventually('both wait', async () => (await three.nWaiting()) === 2);
  await running.kill();
  await waiting;
});

test('a party that is busy is not dead', { timeout: 60_000 }, async () => {
  const barrier = await one.Barrier(2, { name: 'barrier' });
  const { running } = await client('waitAtBarrierBusily');
  await delay(3 * LEASE_MS);
  assert.deepEqual([await barrier.broken(), await barrier.wait()], [false, 1]);
  assert.equal((await running.line(/^passed (.*)$/))[1], '0');
  await running.kill();
  await eventually('its death is', () => barrier.broken(), 20_000);
  await barrier.reset();
});

test('who has a barrier no more is no member of it', { timeout: 60_000 }, async () => {
  await (await one.Barrier(1, { name: 'dropped' })).wait();
  assert.equal(await direct.zcard('mp:{dropped}:members'), 1);
  await eventually('it has been collected', async () => {
    await collectGarbage();
    return (await direct.zcard('mp:{dropped}:members')) === 0;
  });
  assert.equal(await (await one.Barrier(1, { name: 'dropped' })).broken(), false);
});

test('the lock of a value comes back', { timeout: 60_000 }, async () => {
  const { running } = await client('holdValue');
  const value = await one.Value('q', 5n, { name: 'value' });
  assert.equal(await value.tryAcquire(), false);
  await running.kill();
  assert.equal(await value.acquire(soon), true);
  assert.equal((await value.getLock()).ownerDied, true);
  await value.release();
});

test('close gives back, and rejects who waits', async () => {
  const closing = await connect(server.url, { lease: LEASE_MS });
  const closed = { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' };
  const bounded = await closing.BoundedSemaphore(1, { name: 'closing bounded' });
  const semaphore = await closing.Semaphore(0, { name: 'closing semaphore' });
  const condition = await closing.Condition(undefined, { name: 'closing condition' });
  const barrier = await closing.Barrier(2, { name: 'closing barrier' });
  const passed = await closing.Barrier(1, { name: 'closing passed' });
  await bounded.acquire();
  await passed.wait();
  const waits = [bounded.acquire(), semaphore.acquire(), condition.run(() => condition.wait()), barrier.wait()];
  const rejected = waits.map((waiting) => assert.rejects(waiting, closed));
  const theirs = await one.Barrier(2, { name: 'closing barrier' });
  await eventually('all wait', async () => {
    const lines = await Promise.all(['bounded', 'semaphore', 'condition'].map((kind) => length(`closing ${kind}`)));
    return lines.every((line) => line === 1) && (await theirs.nWaiting()) === 1;
  });
  let lost = false;
  void bounded.lost.then(() => {
    lost = true;
  });
  await closing.close();
  await Promise.all(rejected);
  const freed = await one.BoundedSemaphore(1, { name: 'closing bounded' });
  assert.equal(await freed.tryAcquire(), true, 'sooner than its lease would have ended');
  await freed.release();
  assert.deepEqual([lost, bounded.token], [true, undefined]);
  for (const kind of ['bounded', 'semaphore', 'condition']) assert.equal(await length(`closing ${kind}`), 0, kind);
  const [still, gone] = [await one.Barrier(1, { name: 'closing passed' }), theirs];
  assert.deepEqual([await still.broken(), await gone.broken()], [false, true], 'one that has come is counted on');
  assert.equal(await direct.zcard('mp:{closing passed}:members'), 0);
  const calls = [bounded.release(), semaphore.release(), condition.notify(), barrier.wait(), passed.reset()];
  await Promise.all((calls as Promise<unknown>[]).map((call) => assert.rejects(call, closed)));
});

test('random kills: nobody is stuck, and permits are not multiplied', { timeout: 180_000 }, async () => {
  const rounds = await one.Array('q', 4, { name: 'all rounds' });
  const bounded = await one.BoundedSemaphore(2, { name: 'all bounded' });
  const clients = await Promise.all([1, 2, 3].map(() => client('useAll')));
  for (let kills = 0; kills < 6; kills++) {
    const before = await rounds.slice();
    await eventually(
      'all kinds go on',
      async () => (await rounds.slice()).every((count, kind) => count > before[kind]! + 3n),
      60_000,
    );
    await delay(Math.random() * 20);
    const index = kills % clients.length;
    const { signal, stderr } = await clients[index]!.running.kill();
    assert.equal(signal, 'SIGKILL', stderr);
    clients[index] = await client('useAll');
  }
  await Promise.all(clients.map(({ running }) => running.kill()));
  assert.ok((await direct.hlen('mp:{all bounded}:held')) <= 2);
  await eventually('all permits are back', async () => (await bounded.value()) === 2, 20_000);
  const condition = await one.Condition(undefined, { name: 'all condition' });
  assert.equal(await condition.acquire(soon), true);
  await condition.release();
});
