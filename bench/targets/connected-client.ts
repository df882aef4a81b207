// node connected-client.js managed <name>, or redis <path>: one of many processes that read and write one dict.
import { Redis } from 'ioredis';
import { Manager } from 'multiprocess';
import { ENTRIES } from '../harness/managed-work.js';
import { allAtOnce, type Operation, oneByOne } from '../harness/one-by-one.js';

const [kind, where] = process.argv.slice(2);

async function connectTo(): Promise<(count: number) => number | Promise<number>> {
  if (kind === 'redis') {
    const redis = new Redis(where!);
    const operation: Operation = (i) =>
      i % 2 === 0 ? redis.hget('dict', String(i % ENTRIES)) : redis.hset('dict', String(i % ENTRIES), String(i));
    return (count) => oneByOne(operation, count);
  }
  const manager = await Manager({ name: where! });
  const dict = manager.dict<number, number>(null, { name: 'dict' });
  const operation: Operation = (i) => (i % 2 === 0 ? dict.get(i % ENTRIES) : dict.set(i % ENTRIES, i));
  return (count) => allAtOnce(operation, count);
}

const work = await connectTo();
process.on('message', async (count: number) => {
  await work(count);
  process.send!('done');
});
process.once('disconnect', () => process.exit(0));
process.send!('ready');
