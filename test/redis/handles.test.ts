// Objects at a server as arguments and results of processes, and wherever handles go. What is secret does not go along.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Redis } from 'ioredis';
import {
  connect,
  type EngineManager,
  type EngineUrl,
  fromMessage,
  handleOf,
  open,
  Process,
  SharedDict,
  toMessage,
} from 'multiprocess';
import { createClient } from 'redis';
import { connectFirst, giveBack, readErrors, readOutOf, useAll } from '../programs/redis-handle-targets.js';
import { RedisServer } from '../support/redis-server.js';

const long = { timeout: 60_000 };
let server: RedisServer;
let url: EngineUrl;
let manager: EngineManager;

before(async () => {
  server = await RedisServer.start(['--requirepass', 'hush-hush']);
  url = `redis://:hush-hush@127.0.0.1:${server.port}`;
  manager = await connect(url, { lease: 2000 });
});
after(async () => {
  await manager.close();
  await server.stop();
});

const withSecret = () => ({ ...process.env, MULTIPROCESS_REDIS_URL: `redis://other:6379 ${url}` });

test('a process uses what it is given, with the secret of its environment', long, async () => {
  const dict = await manager.dict<string, any>();
  const lock = await manager.Lock();
  const queue = await manager.JoinableQueue<number>();
  await queue.put(1);
  const children = [1, 2].map(
    () => new Process({ target: useAll, args: [dict, lock, queue] as never, env: withSecret() }) as Process,
  );
  for (const child of children) child.start();
  for (const child of children) assert.equal(await child.result(), handleOf(dict), 'the same handle there');
  assert.equal(await dict.get('n'), 2);
  assert.equal(await queue.get(), 3);
  await queue.taskDone();
  assert.equal(await queue.join(), true);
  assert.equal(await dict.get('queue'), queue, 'and what it has put in is the same object');
});

test('without the secret it is refused, when it asks for something', long, async () => {
  const dict = await manager.dict<string, number>();
  const env = { ...process.env };
  delete env['MULTIPROCESS_REDIS_URL'];
  const child = new Process({ target: readErrors, args: [dict], env }) as Process;
  child.start();
  const refused = 'ERR_MULTIPROCESS_AUTHENTICATION';
  assert.deepEqual(await child.result(), [refused, refused]);
});

test('a process that has connected has it by that connection', long, async () => {
  const dict = await manager.dict<string, number>({ n: 5 }, { name: 'handed over' });
  const child = new Process({ target: connectFirst, args: [handleOf(dict), url] }) as Process;
  child.start();
  assert.deepEqual(await child.result(), [true, 5]);
});

test('what is returned is the same object', long, async () => {
  const dict = await manager.dict<string, number>();
  const child = new Process({ target: giveBack, args: [dict], env: withSecret() }) as Process;
  child.start();
  assert.equal(((await child.result()) as { dict: object }).dict, dict);
});

test('in a shared object of this machine', long, async () => {
  const dict = await manager.dict<string, number>();
  const local = SharedDict<string, any>();
  local.set('remote', dict);
  assert.equal(local.get('remote'), dict);
  const child = new Process({ target: readOutOf, args: [local, dict] as never, env: withSecret() }) as Process;
  child.start();
  assert.equal(await child.result(), 1);
});

test('handles and messages, without what is secret', async () => {
  const ioredis = new Redis({ port: server.port, host: '127.0.0.1', password: 'hush-hush', lazyConnect: true });
  const nodeRedis = createClient({ url });
  for (const client of [undefined, ioredis, nodeRedis]) {
    const there = await connect(url, { client, prefix: 'handles:' });
    const objects = [
      await there.dict(),
      await there.list(),
      await there.Namespace(),
      await there.Lock(),
      await there.Queue(),
    ];
    for (const object of objects) {
      const handle = handleOf(object as object);
      assert.match(handle, /^mp:engine:/);
      const content = Buffer.from(handle.slice('mp:engine:'.length), 'base64url').toString();
      assert.equal(content.includes('hush'), false, content);
      assert.equal(open(handle), object);
      assert.deepEqual(fromMessage(toMessage([object])), [object]);
    }
    await there.close();
  }
  for (const bad of ['', 'x', Buffer.from('[1]').toString('base64url'), Buffer.from('{}').toString('base64url')]) {
    assert.throws(() => open(`mp:engine:${bad}`), { code: 'ERR_MULTIPROCESS_VALUE' });
  }
});
