// One worker of the cluster: an HTTP server that asks the shared rate limiter, and keeps what it has worked out in a cache
// that all workers share.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { type DictProxy, fromMessage } from 'multiprocess';
import { SlidingWindow } from './sliding-window.js';

/** What the primary tells its workers, as text in their environment. */
export interface Setup {
  readonly counts: DictProxy<string, { window: number; before: number; now: number }>;
  readonly cache: DictProxy<string, string>;
  readonly limit: number;
  readonly windowMs: number;
}

/** Stands for something that takes a while: a query, a page to render. */
function workOut(path: string): string {
  let hash = 0;
  for (let i = 0; i < 20_000; i++) hash = (hash * 31 + path.charCodeAt(i % path.length)) | 0;
  return `${path} is ${hash >>> 0}\n`;
}

if (cluster.isWorker) {
  const { counts, cache, limit, windowMs } = fromMessage(process.env['SETUP']!) as Setup;
  const limiter = new SlidingWindow(counts, limit, windowMs);

  const server = createServer((request, response) => {
    const client = String(request.headers['x-client']);
    if (!limiter.admits(client, Date.now())) {
      response.writeHead(429).end();
      return;
    }
    const path = request.url ?? '/';
    let body = cache.get(path);
    if (body === undefined) {
      body = workOut(path);
      cache.set(path, body, { ttl: 60_000 });
    }
    response.writeHead(200, { 'content-type': 'text/plain' }).end(body);
  });
  server.listen(0, '127.0.0.1');
}
