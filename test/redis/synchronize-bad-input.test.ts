// Semaphores, conditions, barriers, values and arrays at servers that are full, stop, restart empty, lose connections, or hold
// what others have put there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { connect, type EngineManager } from 'multiprocess';
import { createClient } from 'redis';
import { RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/shm.js';

const LEASE_MS = 1000;
const stale = { code: 'ERR_MULTIPROCESS_STALE_HANDLE' };
let server: RedisServer;
let manager: EngineManager;
let direct: Redis;

before(async () => {
  server = await RedisServer.start();
  manager = await connect(server.url);
  direct = new Redis(server.port, '127.0.0.1');
});
after(async () => {
  direct.disconnect();
  await manager.close();
  await server.stop();
});

/** A client of each library. */
function clients(): [string, object][] {
  return [
    ['ioredis', new Redis({ port: server.port, host: '127.0.0.1', lazyConnect: true })],
    ['node-redis', createClient({ socket: { host: '127.0.0.1', port: server.port } })],
  ];
}

test('a server that is full', { timeout: 60_000 }, async () => {
  const full = await RedisServer.start(['--maxmemory-policy', 'noeviction']);
  const there = await connect(full.url);
  const admin = new Redis(full.port, '127.0.0.1');
  try {
    const semaphore = await there.Semaphore(2);
    const bounded = await there.BoundedSemaphore(2);
    const condition = await there.Condition();
    const barrier = await there.Barrier(2);
    const value = await there.Value('i', 5);
    const array = await there.Array('i', [1, 2]);
    await semaphore.acquire();
    await bounded.acquire();
    await condition.acquire();
    await admin.config('SET', 'maxmemory', '1');
    const none = { code: 'ENOSPC', syscall: 'write' };
    await assert.rejects(semaphore.acquire(), none);
    await assert.rejects(bounded.tryAcquire(), none);
    await assert.rejects(condition.wait(), none);
    await assert.rejects(barrier.wait(), none);
    await assert.rejects(value.add(1), none);
    await assert.rejects(array.setSlice(0, [7, 8]), none);
    await assert.rejects(there.Semaphore(), none);
    await assert.rejects(there.Array('d', 5), none);
    // What was there is as it was, can be read, and can be let go of.
    assert.deepEqual([await value.get(), await array.slice(), await semaphore.value()], [5, [1, 2], 1]);
    assert.deepEqual([await bounded.value(), await barrier.nWaiting()], [1, 0]);
    await condition.notify();
    await condition.release();
    await semaphore.release();
    await bounded.release();
    await barrier.abort();
    await barrier.reset();
    await array.dispose();
    await admin.config('SET', 'maxmemory', '0');
    assert.deepEqual([await semaphore.value(), await bounded.value(), await value.add(1)], [2, 2, 5]);
    assert.deepEqual([...(await Promise.all([barrier.wait(), barrier.wait()]))].sort(), [0, 1]);
  } finally {
    admin.disconnect();
    await there.close();
    await full.stop();
  }
});

test('what other programs have put under a name', async () => {
  const conflict = { code: 'ERR_MULTIPROCESS_NAME_CONFLICT' };
  await direct.set('mp:{text}', 'x');
  await direct.hset('mp:{hash}', 'id', 'y');
  for (const name of ['text', 'hash']) {
    await assert.rejects(manager.Semaphore(1, { name }), conflict);
    await assert.rejects(manager.BoundedSemaphore(1, { name }), conflict);
    await assert.rejects(manager.Condition(undefined, { name }), conflict);
    await assert.rejects(manager.Barrier(1, { name }), conflict);
    await assert.rejects(manager.Value('i', 1, { name }), conflict);
    await assert.rejects(manager.Array('i', 1, { name }), conflict);
  }
  assert.deepEqual([await direct.get('mp:{text}'), await direct.hgetall('mp:{hash}')], ['x', { id: 'y' }]);
  const semaphore = await manager.Semaphore(0, { name: 'overwritten' });
  await direct.set('mp:{overwritten}:line', 'x');
  await assert.rejects(semaphore.acquire(), conflict);
  const barrier = await manager.Barrier(2, { name: 'overwritten barrier' });
  await direct.set('mp:{overwritten barrier}:arrived', 'x');
  await assert.rejects(barrier.wait(), conflict);
  await assert.rejects(barrier.nWaiting(), conflict);
  const value = await manager.Value('d', 1, { name: 'overwritten value' });
  await direct.del('mp:{overwritten value}:bytes');
  await direct.rpush('mp:{overwritten value}:bytes', 'x');
  await assert.rejects(value.get(), conflict);
  await assert.rejects(value.add(1), conflict);
  // Bytes that are not all there, or mean nothing.
  const array = await manager.Array('d', [1, 2], { name: 'cut' });
  await direct.set('mp:{cut}:bytes', '12345678abc');
  assert.equal(typeof (await array.get(0)), 'number');
  const isOurs = (error: { code?: string }) => error.code?.startsWith('ERR_MULTIPROCESS') === true;
  const wrong = [array.get(1), array.slice(), array.add(1, 1), array.compareExchange(1, 0, 1)];
  await Promise.all(wrong.map((call) => assert.rejects(call, isOurs)));
  const letter = await manager.Value('u', 'a', { name: 'letter' });
  await direct.set('mp:{letter}:bytes', Buffer.from([255, 255, 255, 255]));
  assert.equal(await letter.get(), '\ufffd');
});

test('values that have been disposed of, and made again with another length', { timeout: 60_000 }, async () => {
  const value = await manager.Value('i', 1, { name: 'gone' });
  const array = await manager.Array('i', 3, { name: 'gone array' });
  assert.equal(await array.get(2), 0);
  const lock = await value.getLock();
  await lock.acquire();
  const waiting = assert.rejects(value.acquire(), stale);
  await lock.locked(); // asked for behind it
  await value.dispose();
  await array.dispose();
  await waiting;
  assert.equal((await direct.keys('mp:{gone*')).filter((key) => !key.includes('once')).length, 0);
  const again = await manager.Value('d', 2, { name: 'gone' });
  const longer = await manager.Array('i', [1, 2, 3, 4], { name: 'gone array' });
  const calls: Promise<unknown>[] = [
    ...[value.get(), value.set(5), value.add(1), value.exchange(1), value.compareExchange(1, 2)],
    ...[array.get(0), array.length(), array.slice(), array.setSlice(0, [7]), array.slice(1, 1)],
  ];
  await Promise.all(calls.map((call) => assert.rejects(call, stale)));
  await lock.lost; // found out when its lease was to be renewed
  await assert.rejects(lock.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
  assert.deepEqual([await again.get(), await longer.slice()], [2, [1, 2, 3, 4]]);
});

test('a condition whose lock has been disposed of', { timeout: 60_000 }, async () => {
  const there = await connect(server.url, { lease: 300 });
  const lock = await there.Lock();
  const condition = await there.Condition(lock);
  await condition.acquire();
  const waiting = assert.rejects(condition.wait(), stale);
  await eventually('it waits', async () => !(await lock.locked()));
  await lock.dispose();
  await waiting; // nobody could notify it any more
  await assert.rejects(condition.acquire(), stale);
  await there.close();
});

test('connections that are lost: each thing is done once', { timeout: 60_000 }, async () => {
  for (const [library, client] of clients()) {
    const there = await connect(server.url, { client });
    const value = await there.Value('q');
    const semaphore = await there.Semaphore(0);
    const bounded = await there.BoundedSemaphore(3);
    const killing = new AbortController();
    let kills = 0;
    const killer = (async () => {
      while (!killing.signal.aborted) {
        // All but its own.
        kills += (await direct.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')) as number;
        await delay(10);
      }
    })();
    const found = new Set<bigint>();
    try {
      for (let round = 0; round < 10; round++) {
        const calls = Array.from({ length: 30 }, async () => {
          found.add(await value.add(1n));
          await semaphore.release(2);
          await bounded.run(() => semaphore.acquire());
        });
        await Promise.all(calls);
      }
    } finally {
      killing.abort();
      await killer;
    }
    assert.ok(kills > 0, 'connections were lost');
    assert.deepEqual([await value.get(), found.size], [300n, 300], library);
    assert.deepEqual([await semaphore.value(), await bounded.value()], [300, 3], library);
    await there.close();
  }
});

test('connections that are lost: who waits goes on waiting', { timeout: 60_000 }, async () => {
  for (const [library, client] of clients()) {
    const [there, theirs] = await Promise.all([connect(server.url, { client }), connect(server.url, { client })]);
    const name = (kind: string) => ({ name: `${kind} through ${library}` });
    const semaphore = await there.Semaphore(0, name('semaphore'));
    const bounded = await there.BoundedSemaphore(0, name('bounded'));
    const condition = await there.Condition(undefined, name('condition'));
    const barrier = await there.Barrier(2, name('barrier'));
    const others = {
      semaphore: await theirs.Semaphore(0, name('semaphore')),
      condition: await theirs.Condition(undefined, name('condition')),
      barrier: await theirs.Barrier(2, name('barrier')),
    };
    const never = bounded.acquire({ timeout: 1500 });
    const waits = [semaphore.acquire(), condition.run(() => condition.wait()), barrier.wait()] as const;
    await eventually('they wait', async () => {
      const lines = await Promise.all(
        ['semaphore', 'condition'].map((kind) => direct.llen(`mp:{${name(kind).name}}:line`)),
      );
      return lines.every((line) => line === 1) && (await others.barrier.nWaiting()) === 1;
    });
    for (const type of ['normal', 'pubsub', 'normal']) {
      await direct.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
      await delay(20);
    }
    await others.semaphore.release();
    await others.condition.run(() => others.condition.notify());
    assert.equal(await others.barrier.wait(), 1);
    assert.deepEqual(await Promise.all(waits), [true, true, 0]);
    assert.equal(await never, false);
    assert.equal(await others.semaphore.value(), 0);
    await Promise.all([there.close(), theirs.close()]);
  }
});

test('a server that stops for 5 s and comes back', { timeout: 60_000 }, async () => {
  const second = await connect(server.url);
  const semaphore = await manager.Semaphore(0, { name: 'through a stop' });
  const theirs = await second.Semaphore(0, { name: 'through a stop' });
  const bounded = await manager.BoundedSemaphore();
  const barrier = await manager.Barrier(2, { name: 'barrier through a stop' });
  const value = await manager.Value('i');
  await bounded.acquire();
  const waiting = theirs.acquire();
  const arrived = barrier.wait();
  await eventually('it waits', async () => (await direct.llen('mp:{through a stop}:line')) === 1);
  server.signal('SIGSTOP');
  const late = [theirs.acquire({ timeout: 100 }), bounded.acquire({ timeout: 100 })];
  const calls = [semaphore.release(), value.add(1)];
  assert.deepEqual(await Promise.all(late), [false, false], 'who does not wait for long is not kept');
  await delay(5000);
  server.signal('SIGCONT');
  await Promise.all(calls);
  assert.deepEqual([await waiting, await value.get(), typeof bounded.token], [true, 1, 'bigint']);
  await bounded.release();
  assert.equal(await (await second.Barrier(2, { name: 'barrier through a stop' })).wait(), 1);
  assert.equal(await arrived, 0);
  await eventually('who gave up has left nothing', async () => (await semaphore.value()) === 0);
  await second.close();
});

test('a server that is killed, and restarted empty', { timeout: 60_000 }, async () => {
  const dying = await RedisServer.start();
  const there = await connect(dying.url, { lease: LEASE_MS });
  try {
    const semaphore = await there.Semaphore(1, { name: 'semaphore' });
    const bounded = await there.BoundedSemaphore(1, { name: 'bounded' });
    const condition = await there.Condition(undefined, { name: 'condition' });
    const barrier = await there.Barrier(2, { name: 'barrier' });
    const value = await there.Value('i', 1, { name: 'value' });
    await semaphore.acquire();
    await bounded.acquire();
    const { token } = bounded;
    const waits = [
      assert.rejects(semaphore.acquire(), stale),
      assert.rejects(
        condition.run(() => condition.wait()),
        stale,
      ),
      assert.rejects(barrier.wait(), stale),
    ];
    await eventually('it waits', async () => (await barrier.nWaiting()) === 1);
    dying.signal('SIGSTOP'); // so that what is asked now is not answered any more
    const uncertain = [value.add(1), semaphore.release()].map((call) =>
      assert.rejects(call, { code: 'ERR_MULTIPROCESS_UNCERTAIN_OUTCOME' }),
    );
    await delay(50);
    await dying.kill();
    await dying.restart();
    await Promise.all([...uncertain, ...waits]);
    await bounded.lost;
    assert.equal(bounded.token, undefined);
    await assert.rejects(bounded.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
    await assert.rejects(value.get(), stale);
    const again = await there.BoundedSemaphore(1, { name: 'bounded' });
    assert.equal(await again.acquire(), true);
    assert.ok(again.token! > token!, 'tokens go on growing');
    await again.release();
  } finally {
    await there.close();
    await dying.stop();
  }
});
