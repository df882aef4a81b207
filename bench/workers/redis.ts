import type { ManagedWork } from '../harness/managed-work.js';
import { ENTRIES, MOST_ITEMS, smallObject } from '../harness/managed-work.js';
import { type Operation, oneByOne } from '../harness/one-by-one.js';
import { startRedis } from '../harness/redis.js';
import { check, serve } from '../harness/serve.js';

// node redis.js <work>: a Redis of its own on a Unix socket, each command after the answer to the one before.
const redis = await startRedis();
const { client } = redis;
for (let i = 0; i < ENTRIES; i++) {
  await client.hset('dict', String(i), JSON.stringify(smallObject(i)));
  await client.rpush('list', String(i));
}
await client.hset('namespace', 'x', '0');

const operations: Record<ManagedWork, Operation> = {
  'dict get': async (i) => {
    const found = await client.hget('dict', String(i % ENTRIES));
    check(JSON.parse(found!) !== null, 'an entry is missing');
  },
  'dict set': (i) => client.hset('dict', String(i % ENTRIES), JSON.stringify(smallObject(i))),
  'list append': async (i) => {
    await client.rpush('list', String(i));
    if (i % MOST_ITEMS === MOST_ITEMS - 1) await client.ltrim('list', 0, ENTRIES - 1);
  },
  'list get': async (i) => check((await client.lindex('list', i % ENTRIES)) === String(i % ENTRIES), 'another item'),
  'namespace get': async () => check(Number(await client.hget('namespace', 'x')) >= 0, 'a property is missing'),
  'namespace set': (i) => client.hset('namespace', 'x', String(i)),
  'lock pair': async () => {
    check((await client.set('lock', 'mine', 'PX', 10_000, 'NX')) === 'OK', 'a free lock was not acquired');
    await client.del('lock');
  },
};
const operation = operations[process.argv[2] as ManagedWork];

await serve((count) => oneByOne(operation, count));
await redis.stop();
