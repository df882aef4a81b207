// Servers that do not let one in, cannot be reached, are full, stop, restart empty, or hold what others have put there.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { connect, type EngineManager, type EngineUrl } from 'multiprocess';
import { createClient, createCluster } from 'redis';
import { certificate, certificateKey } from '../support/certificate.js';
import { projectRoot } from '../support/paths.js';
import { freePort, RedisServer } from '../support/redis-server.js';
import { runNode } from '../support/run.js';
import { eventually } from '../support/shm.js';

const LEASE_MS = 1000;
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

/** A client of each library, with the same settings. */
function clients(port: number, password?: string): [string, object][] {
  const nodeRedis = { socket: { host: '127.0.0.1', port } };
  return [
    ['ioredis', new Redis({ port, host: '127.0.0.1', lazyConnect: true, ...(password && { password }) })],
    ['node-redis', createClient(password === undefined ? nodeRedis : { ...nodeRedis, password })],
  ];
}

test('a password', { timeout: 60_000 }, async () => {
  const locked = await RedisServer.start(['--requirepass', 'right']);
  try {
    const refused = { code: 'ERR_MULTIPROCESS_AUTHENTICATION' };
    await assert.rejects(connect(locked.url), refused);
    await assert.rejects(connect(`redis://:wrong@127.0.0.1:${locked.port}`), refused);
    for (const [library, client] of clients(locked.port)) {
      await assert.rejects(connect(locked.url, { client }), refused, library);
    }
    for (const [library, client] of clients(locked.port, 'wrong')) {
      await assert.rejects(connect(locked.url, { client }), refused, library);
    }
    const right: [string, object | undefined][] = [['url', undefined], ...clients(locked.port, 'right')];
    for (const [library, client] of right) {
      const open = await connect(`redis://:right@127.0.0.1:${locked.port}`, { client });
      assert.equal(open.address.includes('right'), false, library);
      const lock = await open.Lock();
      assert.equal(await lock.acquire(), true, 'and the thread that renews it has come in, too');
      await open.close();
    }
  } finally {
    await locked.stop();
  }
});

test('nobody there', { timeout: 60_000 }, async () => {
  const port = await freePort();
  const refused = { code: 'ECONNREFUSED', syscall: 'connect' };
  await assert.rejects(connect(`redis://127.0.0.1:${port}`), refused);
  for (const [library, client] of clients(port)) {
    await assert.rejects(connect('redis://', { client }), refused, library);
  }
  await assert.rejects(connect('redis://no-such-host.invalid'), (error: NodeJS.ErrnoException) =>
    ['ENOTFOUND', 'EAI_AGAIN'].includes(error.code!),
  );
});

test('wrong addresses and options', async () => {
  const { url } = server;
  await assert.rejects(connect('redis://127.0.0.1:port'), { code: 'ERR_MULTIPROCESS_VALUE' });
  await assert.rejects(connect(url, 5 as never), TypeError);
  await assert.rejects(connect(url, { authkey: 'x' } as never), TypeError);
  await assert.rejects(connect(url, { prefix: 5 as never }), TypeError);
  await assert.rejects(connect(url, { prefix: '{x}' }), { code: 'ERR_MULTIPROCESS_VALUE' });
  await assert.rejects(connect(url, { lease: '1' as never }), TypeError);
  for (const lease of [0, 99, Number.NaN, Number.POSITIVE_INFINITY]) {
    await assert.rejects(connect(url, { lease }), RangeError);
  }
  for (const client of [5, null, {}, { duplicate() {} }]) await assert.rejects(connect(url, { client }), TypeError);
  const none = { code: 'ERR_MULTIPROCESS_ENGINE', message: /none of a cluster/ };
  await assert.rejects(connect([url]), none);
  const cluster = new Cluster([{ port: server.port, host: '127.0.0.1' }], { lazyConnect: true });
  await assert.rejects(connect(url, { client: cluster }), none);
  const other = createCluster({ rootNodes: [{ url }] });
  await assert.rejects(connect(url, { client: other }), none);
  for (const addresses of [[], [url, 'tcp://127.0.0.1:1'], [5]]) {
    await assert.rejects(connect(addresses as never), TypeError);
  }
  await assert.rejects(connect('tcp://127.0.0.1:1', { authkey: 'x', prefix: 'y' }), TypeError);
  const valkey = await connect(`valkey://127.0.0.1:${server.port}`, { prefix: 'elsewhere:' });
  await valkey.dict([['a', 1]], { name: 'prefixed' });
  assert.equal(await direct.exists('elsewhere:{prefixed}'), 1);
  assert.equal(await (await manager.dict(null, { name: 'prefixed' })).size(), 0, 'other prefix, other objects');
  await valkey.close();
});

test('names of all kinds', async () => {
  const names = ['}', '{', '{}', '%7d', 'a}b{c', 'имя', ' ', 'x'.repeat(255)];
  for (const name of names) await (await manager.dict(null, { name })).set('name', name);
  for (const name of names) assert.equal(await (await manager.dict(null, { name })).get('name'), name);
});

test('without a client library', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'multiprocess-alone-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(projectRoot, 'node_modules/koffi'), join(folder, 'node_modules/koffi'));
    cpSync(join(projectRoot, 'dist'), join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const program = `import { connect } from './dist/index.js';
      connect('redis://127.0.0.1:1').catch(({ code, message }) => console.log(code, message));`;
    writeFileSync(join(folder, 'program.js'), program);
    const { stdout, stderr } = await runNode(join(folder, 'program.js'));
    assert.match(stdout, /^ERR_MULTIPROCESS_NO_CLIENT .*npm install ioredis/, stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('TLS', { timeout: 60_000 }, async () => {
  const settings = ['--tls-port', 'PORT', '--port', '0', '--tls-auth-clients', 'no', '--tls-ca-cert-file', 'cert.pem'];
  const files = { 'cert.pem': certificate, 'key.pem': certificateKey };
  const secure = await RedisServer.start(
    [...settings, '--tls-cert-file', 'cert.pem', '--tls-key-file', 'key.pem'],
    files,
  );
  const { port } = secure;
  const tls = { ca: certificate, servername: 'localhost' };
  try {
    const url: EngineUrl = `rediss://localhost:${port}`;
    await assert.rejects(connect(url), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const given = [
      new Redis({ port, host: 'localhost', tls, lazyConnect: true }),
      createClient({ socket: { port, host: 'localhost', tls: true, ...tls } }),
    ];
    for (const client of given) {
      const open: EngineManager = await connect(url, { client });
      assert.equal(await (await open.Lock()).acquire(), true);
      await open.close();
    }
  } finally {
    await secure.stop();
  }
});

test('a read-only replica', { timeout: 60_000 }, async () => {
  const replica = await RedisServer.start(['--replicaof', '127.0.0.1', String(server.port)]);
  try {
    await assert.rejects(connect(replica.url), { code: 'ERR_MULTIPROCESS_READ_ONLY' });
  } finally {
    await replica.stop();
  }
});

test('one that becomes a replica, and is promoted again', { timeout: 60_000 }, async () => {
  const changing = await RedisServer.start();
  const there = await connect(changing.url);
  const admin = new Redis(changing.port, '127.0.0.1');
  try {
    const dict = await there.dict<string, number>();
    await dict.set('n', 1);
    await admin.config('SET', 'replica-serve-stale-data', 'yes');
    await admin.replicaof('127.0.0.1', String(await freePort()));
    const waiting = dict.increment('n');
    await delay(100);
    await admin.replicaof('NO', 'ONE');
    assert.equal(await waiting, 2);
  } finally {
    admin.disconnect();
    await there.close();
    await changing.stop();
  }
});

test('a server that is full', { timeout: 60_000 }, async () => {
  const full = await RedisServer.start(['--maxmemory-policy', 'noeviction']);
  const there = await connect(full.url);
  const admin = new Redis(full.port, '127.0.0.1');
  try {
    const dict = await there.dict<string, any>({ a: 1, b: 2 });
    const list = await there.list([1, 2, 3]);
    const lock = await there.Lock({ name: 'lock' });
    const theirs = await there.Lock();
    await lock.acquire();
    await admin.config('SET', 'maxmemory', '1');
    const none = { code: 'ENOSPC', syscall: 'write' };
    await assert.rejects(dict.set('c', 3), none);
    await assert.rejects(dict.increment('a'), none);
    await assert.rejects(list.splice(0, 3, 4), none);
    await assert.rejects(list.sort(), none);
    await assert.rejects(theirs.acquire(), none);
    await assert.rejects(there.list(), none);
    // What was there is as it was, can be read, and can be let go of.
    assert.deepEqual([await dict.toObject(), await list.copy()], [{ a: 1, b: 2 }, [1, 2, 3]]);
    assert.deepEqual([await dict.delete('a'), await list.pop(0), await lock.locked()], [true, 1, true]);
    await lock.release();
    await list.dispose();
    await admin.config('SET', 'maxmemory', '0');
    assert.equal(await dict.increment('b'), 3);
    assert.equal(await theirs.acquire(), true);
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
  await direct.rpush('mp:{list}', 'z');
  for (const name of ['text', 'hash', 'list']) {
    await assert.rejects(manager.Lock({ name }), conflict);
    await assert.rejects(manager.dict(null, { name }), conflict);
  }
  assert.deepEqual([await direct.get('mp:{text}'), await direct.hgetall('mp:{hash}')], ['x', { id: 'y' }]);
  const list = await manager.list([1], { name: 'overwritten' });
  await direct.set('mp:{overwritten}:items', 'x');
  await assert.rejects(list.append(2), conflict);
  await assert.rejects(list.copy(), conflict);
  await direct.set('mp:{overwritten}', 'x');
  await assert.rejects(list.length(), conflict);
  // Bytes that are no value of ours.
  const dict = await manager.dict<string, number>({ a: 1 }, { name: 'scribbled' });
  const [key] = await direct.hkeysBuffer('mp:{scribbled}:values');
  await direct.hset('mp:{scribbled}:values', key!, 'scribble');
  await assert.rejects(
    dict.get('a'),
    (error: { code?: string }) => error.code?.startsWith('ERR_MULTIPROCESS') === true,
  );
  await assert.rejects(dict.increment('a'), TypeError);
});

test('a script cache that has been emptied', async () => {
  const dict = await manager.dict<string, number>();
  for (let i = 1; i <= 3; i++) {
    await direct.script('FLUSH');
    assert.equal(await dict.increment('n'), i);
  }
});

test('connections that are lost: each thing is done once', { timeout: 60_000 }, async () => {
  for (const [library, client] of clients(server.port)) {
    const there = await connect(server.url, { client });
    const dict = await there.dict<string, number>();
    const list = await there.list<number>();
    const killing = new AbortController();
    let kills = 0;
    const killer = (async () => {
      while (!killing.signal.aborted) {
        // All but its own.
        kills += (await direct.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')) as number;
        await delay(10);
      }
    })();
    const answers: number[] = [];
    for (let round = 0; round < 20; round++) {
      const calls = Array.from({ length: 50 }, async (_, i) => {
        answers.push(await dict.increment('n'));
        await list.append(50 * round + i);
      });
      await Promise.all(calls);
    }
    killing.abort();
    await killer;
    assert.ok(kills > 0, 'connections were lost');
    assert.equal(await dict.get('n'), 1000, library);
    assert.deepEqual(
      answers.sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, i) => i + 1),
    );
    assert.deepEqual(
      (await list.copy()).sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, i) => i),
    );
    await there.close();
  }
});

test('connections that are lost: who waits goes on waiting', { timeout: 60_000 }, async () => {
  for (const [library, client] of clients(server.port)) {
    const [there, theirs] = await Promise.all([connect(server.url, { client }), connect(server.url, { client })]);
    const lock = await there.Lock({ name: `waiting through ${library}` });
    const same = await theirs.Lock({ name: `waiting through ${library}` });
    const dict = await theirs.dict<string, number>();
    await lock.acquire();
    const waiting = same.acquire();
    const changed = dict.changed('n');
    await eventually('they wait', async () => (await direct.llen(`mp:{waiting through ${library}}:line`)) === 1);
    for (const type of ['normal', 'pubsub', 'normal']) {
      await direct.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
      await delay(20);
    }
    await lock.release();
    assert.equal(await waiting, true);
    await eventually('a change comes through', async () => {
      await dict.increment('n');
      return Promise.race([changed, delay(20, false)]);
    });
    assert.notEqual(same.token, undefined, 'and it is not lost');
    await same.release();
    await Promise.all([there.close(), theirs.close()]);
  }
});

test('a server that stops for 5 s and comes back', { timeout: 60_000 }, async () => {
  const lock = await manager.Lock({ name: 'through a stop' });
  const second = await connect(server.url);
  const theirs = await second.Lock({ name: 'through a stop' });
  const dict = await manager.dict<string, number>({ n: 1 });
  await lock.acquire();
  const waiting = theirs.acquire();
  server.signal('SIGSTOP');
  const calls = [dict.increment('n'), dict.get('n'), theirs.acquire({ timeout: 100 })];
  assert.equal(await calls[2], false, 'who does not wait for long is not kept');
  await delay(5000);
  server.signal('SIGCONT');
  assert.deepEqual([await calls[0], await calls[1]], [2, 2]);
  assert.notEqual(lock.token, undefined, 'it is still held');
  await lock.release();
  assert.equal(await waiting, true);
  await theirs.release();
  await second.close();
});

test('a server that is killed, and restarted empty', { timeout: 60_000 }, async () => {
  const dying = await RedisServer.start();
  const there = await connect(dying.url, { lease: LEASE_MS });
  const second = await connect(dying.url, { lease: LEASE_MS });
  try {
    const lock = await there.Lock({ name: 'lock' });
    const theirs = await second.Lock({ name: 'lock' });
    const dict = await there.dict<string, number>({ n: 1 }, { name: 'dict' });
    await lock.acquire();
    const token = lock.token!;
    const stale = { code: 'ERR_MULTIPROCESS_STALE_HANDLE' };
    const waiting = assert.rejects(theirs.acquire(), stale);
    await theirs.locked();
    dying.signal('SIGSTOP'); // so that what is asked now is not answered any more
    const uncertain = assert.rejects(dict.increment('n'), { code: 'ERR_MULTIPROCESS_UNCERTAIN_OUTCOME' });
    await delay(50);
    await dying.kill();
    const meanwhile = dict.get('n');
    await dying.restart();
    await uncertain;
    await assert.rejects(meanwhile, stale);
    await waiting;
    await lock.lost;
    assert.equal(lock.token, undefined);
    await assert.rejects(lock.release(), { code: 'ERR_MULTIPROCESS_NOT_OWNER' });
    await assert.rejects(dict.set('n', 1), stale);
    const again = await there.Lock({ name: 'lock' });
    assert.equal(await again.acquire(), true);
    assert.ok(again.token! > token, 'tokens go on growing');
    assert.deepEqual(await (await there.dict(null, { name: 'dict' })).entries(), []);
    await again.release();
  } finally {
    await Promise.all([there.close(), second.close()]);
    await dying.stop();
  }
});

test('a replica that takes the place of its primary', { timeout: 60_000 }, async () => {
  const primary = await RedisServer.start();
  const replica = await RedisServer.start(['--replicaof', '127.0.0.1', String(primary.port)]);
  const there = await connect(primary.url, { lease: LEASE_MS });
  const second = await connect(primary.url, { lease: LEASE_MS });
  const promoted = new Redis(replica.port, '127.0.0.1');
  const before = new Redis(primary.port, '127.0.0.1');
  try {
    const lock = await there.Lock({ name: 'lock' });
    const theirs = await second.Lock({ name: 'lock' });
    const dict = await there.dict<string, number>({ n: 1 });
    await eventually('it replicates', async () => (await before.wait(1, 100)) === 1, 20_000);
    await dict.increment('n');
    await before.set('marker', 'behind it'); // WAIT is for the writes of its own connection
    assert.equal(await before.wait(1, 5000), 1);
    // From here on the replica hears of nothing.
    replica.signal('SIGSTOP');
    await before.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await lock.acquire();
    const { token } = lock;
    const waiting = theirs.acquire();
    waiting.catch(() => {}); // what fails first is what is told
    primary.signal('SIGSTOP'); // what is asked now is not answered any more
    const uncertain = assert.rejects(dict.increment('n'), { code: 'ERR_MULTIPROCESS_UNCERTAIN_OUTCOME' });
    await delay(50);
    await primary.kill();
    replica.signal('SIGCONT');
    await promoted.replicaof('NO', 'ONE');
    await promoted.config('SET', 'port', String(primary.port)); // the address leads there now
    await uncertain;
    assert.equal(await dict.get('n'), 2, 'what was replicated is there');
    assert.equal(await waiting, true, 'the replica has not known that it was taken');
    await lock.lost;
    assert.ok(theirs.token! > token!, 'but the token tells');
    await theirs.release();
  } finally {
    promoted.disconnect();
    before.disconnect();
    await Promise.all([there.close(), second.close()]);
    await Promise.all([primary.stop(), replica.stop()]);
  }
});

test('a server that does not come back', { timeout: 60_000 }, async () => {
  const dying = await RedisServer.start();
  const there = await connect(dying.url, { lease: LEASE_MS });
  try {
    const dict = await there.dict<string, number>();
    const lock = await there.Lock();
    await lock.acquire();
    await dying.kill();
    const calls = [
      assert.rejects(dict.get('n'), { code: 'ECONNREFUSED' }),
      assert.rejects(there.list(), { code: 'ECONNREFUSED' }),
    ];
    assert.equal(await lock.acquire({ timeout: 50 }), false);
    await lock.lost;
    await assert.rejects(lock.acquire({ signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
    await Promise.all(calls);
  } finally {
    await there.close();
    await dying.stop();
  }
});
