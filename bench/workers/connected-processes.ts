import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Manager } from 'multiprocess';
import { ENTRIES } from '../harness/managed-work.js';
import { startRedis } from '../harness/redis.js';
import { secondsSince, serve } from '../harness/serve.js';

// node connected-processes.js managed|redis <how many>: a count of operations is divided among that many processes.
const [kind, processes] = process.argv.slice(2);

async function startServer(): Promise<{ where: string; stop(): Promise<void> }> {
  if (kind === 'redis') {
    const redis = await startRedis();
    for (let i = 0; i < ENTRIES; i++) await redis.client.hset('dict', String(i), String(i));
    return { where: redis.path, stop: () => redis.stop() };
  }
  const name = `bench-${process.pid}`;
  const manager = await Manager({ name, linger: 0 });
  manager.dict(
    Array.from({ length: ENTRIES }, (_, i) => [i, i] as const),
    { name: 'dict' },
  );
  return { where: name, stop: () => manager.shutdown() };
}

const server = await startServer();
const script = fileURLToPath(new URL('../targets/connected-client.js', import.meta.url));
const clients: ChildProcess[] = Array.from({ length: Number(processes) }, () => fork(script, [kind!, server.where]));
const allAnswer = () => Promise.all(clients.map((client) => once(client, 'message')));
await allAnswer();

await serve(async (count) => {
  const each = Math.ceil(count / clients.length);
  const start = performance.now();
  const answers = allAnswer();
  for (const client of clients) client.send(each);
  await answers;
  return (secondsSince(start) * count) / (each * clients.length);
});
for (const client of clients) client.disconnect();
await server.stop();
