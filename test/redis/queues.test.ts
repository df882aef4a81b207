// Queues at a server of Redis: what becomes of items when consumers and producers are killed, stopped, busy or cut off, and
// when the server is.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { connect, type EngineManager } from 'multiprocess';
import { program } from '../support/paths.js';
import { randomFrom, seedOf } from '../support/random.js';
import { RedisServer } from '../support/redis-server.js';
import { type Running, startNode } from '../support/run.js';
import { eventually } from '../support/shm.js';

const LEASE_MS = 1000;
/** One lease, and what a busy machine takes. */
const soon = { timeout: 20_000 };
const SECONDS = Number(process.env['SECONDS'] ?? 6);
let server: RedisServer;
let one: EngineManager;
let other: EngineManager;
let direct: Redis;

before(async () => {
  server = await RedisServer.start();
  one = await connect(server.url, { lease: LEASE_MS });
  other = await connect(server.url, { lease: LEASE_MS });
  direct = new Redis(server.port, '127.0.0.1');
});
after(async () => {
  direct.disconnect();
  await Promise.all([one.close(), other.close()]);
  await server.stop();
});

async function client(action: string, name: string): Promise<{ running: Running; done: unknown }> {
  const running = startNode(program('redis-queue-client'), [server.url, String(LEASE_MS), action, name]);
  const [, done] = await running.line(/^done (.*)$/);
  return { running, done: JSON.parse(done!) };
}

test('killed while it has an item: somebody else gets it after a lease, before all others', {
  timeout: 60_000,
}, async () => {
  const queue = await one.Queue<string>(0, { name: 'killed' });
  await queue.put('first');
  const { running, done } = await client('lease', 'killed');
  assert.equal(done, 'first');
  await queue.put('second');
  assert.equal(await queue.get(), 'second');
  await running.kill();
  const again = await queue.get({ lease: true, ...soon });
  assert.deepEqual([again.value, again.deliveries], ['first', 2]);
  await again.ack();
  await assert.rejects(queue.get({ timeout: 2 * LEASE_MS }), { code: 'ERR_MULTIPROCESS_QUEUE_EMPTY' });
});

test('a busy event loop loses nothing', { timeout: 60_000 }, async () => {
  const queue = await one.Queue<string>(0, { name: 'busy' });
  await queue.put('x');
  const { running } = await client('leaseBusily', 'busy');
  await assert.rejects(queue.get({ timeout: 3 * LEASE_MS }), { code: 'ERR_MULTIPROCESS_QUEUE_EMPTY' });
  await running.kill();
  assert.equal(await queue.get(soon), 'x');
});

test('one that is stopped for too long has lost its item, and is told', { timeout: 60_000 }, async () => {
  const queue = await one.Queue<string>(0, { name: 'stopped' });
  await queue.put('x');
  const { running } = await client('leaseAndAck', 'stopped');
  process.kill(running.pid, 'SIGSTOP');
  const again = await queue.get({ lease: true, ...soon });
  assert.deepEqual([again.value, again.deliveries], ['x', 2]);
  process.kill(running.pid, 'SIGCONT');
  running.say('acknowledge');
  const [, outcome] = await running.line(/^then (.*)$/);
  assert.equal(outcome, 'ERR_MULTIPROCESS_NOT_OWNER');
  await again.giveBack();
  assert.equal(await queue.get(), 'x', 'what it did afterwards has not taken it away');
  await running.kill();
});

test('killed before taskDone: join does not wait for it', { timeout: 60_000 }, async () => {
  const queue = await one.JoinableQueue<string>(0, { name: 'joined' });
  await queue.put('taken');
  await queue.put('leased');
  const joining = queue.join(soon);
  const { running } = await client('takeAndLeaseOfJoinable', 'joined');
  await running.kill();
  // What was taken counts as done, what was leased comes back.
  const lease = await queue.get({ lease: true, ...soon });
  assert.deepEqual([lease.value, lease.deliveries], ['leased', 2]);
  await lease.ack();
  assert.equal(await joining, true);
});

test('killed while they wait: nobody is kept by them', { timeout: 60_000 }, async () => {
  const queue = await one.Queue<string>(1, { name: 'waiting' });
  const getter = await client('waitForItem', 'waiting');
  await eventually('it waits', async () => (await direct.zcard('mp:{waiting}:getters')) === 1);
  const theirs = await other.Queue<string>(1, { name: 'waiting' });
  const behind = theirs.get(soon);
  await getter.running.kill();
  await queue.put('x');
  assert.equal(await behind, 'x');
  await queue.put('y');
  const putter = await client('waitForRoom', 'waiting');
  await eventually('it waits', async () => (await direct.zcard('mp:{waiting}:putters')) === 1);
  const putting = theirs.put('z', soon);
  await eventually('so do we', async () => (await direct.zcard('mp:{waiting}:putters')) === 2);
  await putter.running.kill();
  assert.equal(await queue.get(), 'y');
  await putting;
  assert.equal(await queue.get(), 'z');
});

test('close gives back at once, and rejects who waits', async () => {
  const closing = await connect(server.url, { lease: 60_000 });
  const queue = await closing.JoinableQueue<string>(1, { name: 'closing' });
  const theirs = await one.JoinableQueue<string>(1, { name: 'closing' });
  await theirs.put('taken');
  await queue.get();
  await theirs.put('leased');
  const lease = await queue.get({ lease: true });
  const closed = { code: 'ERR_MULTIPROCESS_MANAGER_CLOSED' };
  const waits = [assert.rejects(queue.get(), closed), assert.rejects(queue.join(), closed)];
  await queue.qsize();
  await closing.close();
  await Promise.all(waits);
  assert.equal(await theirs.get({ timeout: 0 }), 'leased');
  await theirs.taskDone();
  assert.equal(await theirs.join({ timeout: 0 }), true);
  await assert.rejects(queue.put('x'), closed);
  await assert.rejects(queue.tryGet(), closed);
  await assert.rejects(lease.ack(), closed);
});

test('connections that are lost: each item is put once and got once', { timeout: 60_000 }, async () => {
  const queue = await one.Queue<number>(10, { name: 'lost connections' });
  const theirs = await other.Queue<number>(10, { name: 'lost connections' });
  const killing = new AbortController();
  let kills = 0;
  const killer = (async () => {
    while (!killing.signal.aborted) {
      for (const type of ['normal', 'pubsub']) {
        kills += (await direct.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')) as number;
      }
      await delay(20);
    }
  })();
  const count = 600;
  const got: number[] = [];
  const producing = (async () => {
    for (let i = 0; i < count; i += 4) await Promise.all([0, 1, 2, 3].map((n) => queue.put(i + n)));
    await queue.end();
  })();
  const consume = async () => {
    for await (const item of theirs) got.push(item);
  };
  const lease = async () => {
    for (;;) {
      const found = await theirs.get({ lease: true });
      got.push(found.value);
      await found.ack();
    }
  };
  try {
    await Promise.all([producing, consume(), assert.rejects(lease(), { code: 'ERR_MULTIPROCESS_QUEUE_CLOSED' })]);
  } finally {
    killing.abort();
    await killer;
  }
  assert.ok(kills > 0, 'connections were lost');
  assert.deepEqual(
    got.sort((a, b) => a - b),
    Array.from({ length: count }, (_, i) => i),
  );
});

test('a server that is killed: what was under way is uncertain, who waits goes on', { timeout: 60_000 }, async () => {
  const dying = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always']);
  const there = await connect(dying.url, { lease: LEASE_MS });
  try {
    const queue = await there.Queue<string>(0, { name: 'queue' });
    const waiting = queue.get();
    const bounded = await there.Queue<string>(1, { name: 'bounded' });
    await bounded.put('x');
    const putting = bounded.put('y');
    await bounded.qsize();
    const third = await there.Queue<string>(0, { name: 'third' });
    dying.signal('SIGSTOP'); // what is asked now is not answered any more
    const uncertain = assert.rejects(third.put('?'), { code: 'ERR_MULTIPROCESS_UNCERTAIN_OUTCOME' });
    const late = assert.rejects(third.put('?', { timeout: 50 }), { code: 'ERR_MULTIPROCESS_UNCERTAIN_OUTCOME' });
    await late;
    await dying.kill();
    await dying.restart();
    await uncertain;
    await queue.put('after');
    assert.equal(await waiting, 'after');
    assert.equal(await bounded.get(), 'x');
    await putting;
    assert.equal(await bounded.get(), 'y');
  } finally {
    await there.close();
    await dying.stop();
  }
});

test(`random kills for ${SECONDS} s: no acknowledged item is lost`, {
  timeout: (SECONDS + 90) * 1000,
}, async (context) => {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  const roles = ['produce', 'consume', 'produce', 'consume'];
  const clients = await Promise.all(roles.map((role) => client(role, 'random')));
  const put: string[] = [];
  let consumersKilled = 0;
  const bury = async (index: number) => {
    const { signal, stdout, stderr } = await clients[index]!.running.kill();
    assert.equal(signal, 'SIGKILL', stderr);
    for (const [, item] of stdout.matchAll(/^put (\S+)$/gm)) put.push(item!);
    if (roles[index] === 'consume') consumersKilled += 1;
  };
  const until = performance.now() + SECONDS * 1000;
  while (performance.now() < until) {
    await delay(100 + random() * 400);
    const index = Math.floor(random() * roles.length);
    await bury(index);
    clients[index] = await client(roles[index]!, 'random');
  }
  await Promise.all(roles.map((_, index) => bury(index)));
  const queue = await one.Queue<string>(20, { name: 'random' });
  const plain = await one.Queue<string>(0, { name: 'random plain' });
  const seen = await (await one.dict<string, number>(null, { name: 'random seen' })).copy();
  await queue.end();
  await plain.end();
  const see = (item: string) => seen.set(item, (seen.get(item) ?? 0) + 1);
  for await (const item of queue) see(item); // also what the dead had leased
  for await (const item of plain) see(item);
  const lost = put.filter((item) => !seen.has(item));
  const isPlain = (item: string) => Number(item.split(':')[1]) % 2 === 1;
  assert.deepEqual(
    lost.filter((item) => !isPlain(item)),
    [],
  );
  assert.ok(lost.length <= consumersKilled, `${lost.length} lost without a lease, ${consumersKilled} consumers killed`);
  const again = [...seen].filter(([, count]) => count > 1);
  assert.deepEqual(
    again.filter(([item]) => isPlain(item)),
    [],
  );
  assert.ok(again.length <= consumersKilled, `${again.length} came twice, ${consumersKilled} consumers were killed`);
  assert.ok(put.length > 100, `${put.length} were put`);
});
