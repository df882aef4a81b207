// A cluster of three primaries: the behaviours that all remote managers share, and what becomes of slots that move and of a
// primary that fails.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, Redis } from 'ioredis';
import { connect, type EngineManager } from 'multiprocess';
import { createCluster } from 'redis';
import { RedisCluster } from '../support/redis-cluster.js';
import { behaviours } from '../support/remote-behaviours.js';
import { eventually } from '../support/shm.js';

let cluster: RedisCluster;
const opened: EngineManager[] = [];
const connections: Record<string, [EngineManager, EngineManager]> = {};

before(async () => {
  cluster = await RedisCluster.start();
  const open = async (client?: unknown): Promise<EngineManager> => {
    const manager = await connect(cluster.urls.slice(0, 2), { client });
    opened.push(manager);
    return manager;
  };
  const ioredis = new Cluster(
    cluster.primaries.map(({ port }) => ({ host: '127.0.0.1', port })),
    { lazyConnect: true },
  );
  const nodeRedis = createCluster({ rootNodes: cluster.urls.map((url) => ({ url })) });
  connections['a cluster by URLs'] = [await open(), await open()];
  connections['a cluster by clients'] = [await open(ioredis), await open(nodeRedis)];
});
after(async () => {
  await Promise.all(opened.map((manager) => manager.close()));
  await cluster.stop();
});

for (const name of ['a cluster by URLs', 'a cluster by clients']) {
  behaviours({ name, hasHandles: true, connections: () => connections[name]! });
}

/** A key, and what serves its slot: index in `primaries`. */
async function ownerOf(admin: Redis, name: string): Promise<{ slot: number; owner: number }> {
  const slot = Number(await admin.call('CLUSTER', 'KEYSLOT', `mp:{${name}}`));
  const ranges = (await admin.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const [, , [, port]] = ranges.find(([first, last]) => first <= slot && slot <= last)!;
  return { slot, owner: cluster.primaries.findIndex((server) => server.port === port) };
}

test('objects lie on all servers', async () => {
  const [manager] = connections['a cluster by URLs']!;
  const admin = new Redis(cluster.primaries[0]!.port, '127.0.0.1');
  try {
    const owners = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const dict = await manager.dict<string, number>(null, { name: `spread ${i}` });
      assert.equal(await dict.increment('n'), 1);
      owners.add((await ownerOf(admin, `spread ${i}`)).owner);
    }
    assert.deepEqual([...owners].sort(), [0, 1, 2]);
  } finally {
    admin.disconnect();
  }
});

test('one server of a cluster alone is refused, and says what to do', async () => {
  await assert.rejects(connect(cluster.urls[0]!), {
    code: 'ERR_MULTIPROCESS_ENGINE',
    message: /one of a cluster\. Give a list/,
  });
});

test('a slot that moves while it is used: everything is done once, whoever waits goes on', {
  timeout: 60_000,
}, async () => {
  const [manager, theirs] = connections['a cluster by URLs']!;
  const admins = cluster.primaries.map(({ port }) => new Redis(port, '127.0.0.1'));
  try {
    const name = 'moving';
    const queue = await manager.Queue<number>(0, { name });
    const same = await theirs.Queue<number>(0, { name });
    const { slot, owner } = await ownerOf(admins[0]!, name);
    const to = (owner + 1) % 3;
    const ids = await Promise.all(admins.map(async (admin) => String(await admin.call('CLUSTER', 'MYID'))));
    const got: number[] = [];
    const consuming = (async () => {
      for await (const item of same) got.push(item);
    })();
    let stop = false;
    let put = 0;
    const producing = (async () => {
      while (!stop) await queue.put(put++);
    })();
    await eventually('items flow', () => got.length > 20);
    await admins[to]!.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', ids[owner]!);
    await admins[owner]!.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', ids[to]!);
    for (;;) {
      const keys = (await admins[owner]!.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '100')) as string[];
      if (keys.length === 0) break;
      const { port } = cluster.primaries[to]!;
      await admins[owner]!.call('MIGRATE', '127.0.0.1', String(port), '', '0', '5000', 'KEYS', ...keys);
    }
    for (const i of [to, owner]) await admins[i]!.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', ids[to]!);
    const before = got.length;
    await eventually('items flow there', () => got.length > before + 20, 20_000);
    stop = true;
    await producing;
    await queue.end();
    await consuming;
    assert.deepEqual(
      got,
      Array.from({ length: put }, (_, i) => i),
    );
  } finally {
    for (const admin of admins) admin.disconnect();
  }
});

test('a replica takes the place of a primary that is killed', { timeout: 120_000 }, async () => {
  const failing = await RedisCluster.start(3, 1);
  const manager = await connect(failing.urls, { lease: 1000 });
  const admin = new Redis(failing.primaries[0]!.port, '127.0.0.1');
  try {
    // Objects of the server that will be killed, and of another.
    const names = Array.from({ length: 30 }, (_, i) => `object ${i}`);
    const ranges = (await admin.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    const { port } = failing.primaries[0]!;
    const range = ranges.find(([, , [, owner]]) => owner === port)!;
    const isThere = async (name: string) => {
      const slot = Number(await admin.call('CLUSTER', 'KEYSLOT', `mp:{${name}}`));
      return range[0] <= slot && slot <= range[1];
    };
    const there: string[] = [];
    for (const name of names) if (await isThere(name)) there.push(name);
    const elsewhere = names.find((name) => !there.includes(name))!;
    const dict = await manager.dict<string, number>(null, { name: there[0]! });
    const other = await manager.dict<string, number>(null, { name: elsewhere });
    const queue = await manager.Queue<string>(0, { name: there[1]! });
    await dict.increment('n');
    const waiting = queue.get();
    await queue.qsize();
    await eventually('it replicates', async () => (await admin.wait(1, 1000)) === 1, 20_000);
    await failing.primaries[0]!.kill();
    assert.equal(await other.increment('n'), 1);
    await eventually('the replica has taken over', async () => (await dict.increment('n').catch(() => 0)) > 1, 60_000);
    await queue.put('after');
    assert.equal(await waiting, 'after');
    const lock = await manager.Lock({ name: there[2]! });
    assert.equal(await lock.acquire(), true);
    await lock.release();
  } finally {
    admin.disconnect();
    await manager.close();
    await failing.stop();
  }
});
