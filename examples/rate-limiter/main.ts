// An HTTP server of several processes with one rate limiter. A real load generator sends far more requests than are allowed,
// one worker is killed in the middle and replaced, and still exactly as many are let through as the limit says.
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import autocannon, { type Result } from 'autocannon';
import { SharedDict, toMessage } from 'multiprocess';
import { SlidingWindow } from './sliding-window.js';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '2' },
    clients: { type: 'string', default: '10' },
    limit: { type: 'string', default: '200' },
    requests: { type: 'string', default: '6000' },
  },
});
const [workers, clients, limit, requests] = [values.workers, values.clients, values.limit, values.requests].map(Number);
const windowMs = 24 * 60 * 60 * 1000; // a day: longer than this program runs, so that the totals are exact

const counts = SharedDict<string, { window: number; before: number; now: number }>();
const cache = SharedDict<string, string>(null, { maxEntries: 100 });
cluster.setupPrimary({ exec: new URL('./server.js', import.meta.url).pathname });

async function startWorker(): Promise<{ worker: Worker; port: number }> {
  const worker = cluster.fork({ SETUP: toMessage({ counts, cache, limit, windowMs }) });
  const [address] = (await once(worker, 'listening')) as [AddressInfo];
  return { worker, port: address.port };
}

const first = await startWorker();
for (let i = 1; i < workers!; i++) await startWorker();

// Worker dies, another takes its place.
let replaced = 0;
cluster.on('exit', (worker) => {
  if (worker.exitedAfterDisconnect) return;
  replaced += 1;
  void startWorker();
});

const result = await new Promise<Result>((resolve, reject) => {
  let nextClient = 0;
  let answered = 0;
  const load = autocannon(
    {
      url: `http://127.0.0.1:${first.port}`,
      connections: clients!,
      amount: requests!,
      // All clients ask by turns, each for a few pages.
      requests: ['/', '/about', '/prices'].map((path) => ({
        method: 'GET' as const,
        path,
        setupRequest: (request) => ({ ...request, headers: { 'x-client': `client-${nextClient++ % clients!}` } }),
      })),
    },
    (error, done) => (error ? reject(error as Error) : resolve(done)),
  );
  load.on('response', () => {
    answered += 1;
    if (answered === Math.floor(requests! / 4)) first.worker.process.kill('SIGKILL');
  });
});

const limiter = new SlidingWindow(counts, limit!, windowMs);
let admitted = 0;
for (const client of counts.keys()) admitted += limiter.admitted(client);
console.log(
  `${clients} clients, ${limit} requests allowed to each, ${workers} workers, ${replaced} killed and replaced`,
);
console.log(`let through: ${admitted}`);
console.log(
  `answered with 200: ${result['2xx']}, with 429: ${result.non2xx}, lost with the killed worker: ${result.errors}`,
);
console.log(`pages in the cache: ${cache.size}`);
await new Promise<void>((resolve) => cluster.disconnect(resolve));
