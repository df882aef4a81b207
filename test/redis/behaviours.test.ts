// The behaviours that all remote managers share, at a server of Redis, through each client library.
import { after, before } from 'node:test';
import { Redis } from 'ioredis';
import { connect, type EngineManager } from 'multiprocess';
import { createClient } from 'redis';
import { RedisServer } from '../support/redis-server.js';
import { behaviours } from '../support/remote-behaviours.js';

let server: RedisServer;
const opened: EngineManager[] = [];
const connections: Record<string, [EngineManager, EngineManager]> = {};

before(async () => {
  server = await RedisServer.start();
  const open = async (client?: unknown): Promise<EngineManager> => {
    const manager = await connect(server.url, { client });
    opened.push(manager);
    return manager;
  };
  const ioredis = new Redis(server.port, '127.0.0.1', { lazyConnect: true });
  const nodeRedis = createClient({ url: server.url });
  connections['by URL'] = [await open(), await open()];
  connections['ioredis'] = [await open(ioredis), await open(ioredis)];
  connections['node-redis'] = [await open(nodeRedis), await open(nodeRedis)];
  connections['both'] = [await open(ioredis), await open(nodeRedis)];
});
after(async () => {
  await Promise.all(opened.map((manager) => manager.close()));
  await server.stop();
});

for (const name of ['by URL', 'ioredis', 'node-redis', 'both']) {
  behaviours({ name, hasHandles: true, connections: () => connections[name]! });
}
