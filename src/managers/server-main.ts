// The program of a manager's server: `Process`'s bootstrap imports it in the child, and calls `serve`.
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decode, findFunction } from '../codec/internal.js';
import { type DictProxy, SharedDict } from '../collections/index.js';
import { MultiprocessError, RemoteError } from '../errors/index.js';
import { formatPlace, type Heap, makeHeap, makeIn, Place, placeOf, rootKind } from '../heap/internal.js';
import { removeFile } from '../os/index.js';
import './index.js';
import { wordOfCallTimeout } from './call-timeout.js';
import { IdleCollection } from './idle-collection.js';
import { Instances } from './instances.js';
import { KeptMemory } from './kept-memory.js';
import type { Gateway } from './network/gateway.js';
import type { PoolRequest } from './pool/served-pool.js';
import { PROTOCOL } from './protocol.js';
import { serveHere } from './served-here.js';
import type { Ready, ServerConfig } from './server-config.js';
import { ServerConnection } from './server-connection.js';
import { privateSocket, sweepSockets } from './socket-directory.js';

/** How long a named manager waits for its very first client, which may be killed on its way. */
const FIRST_CLIENT_MS = 5000;
const GOODBYE_MS = 500;
const LOOK_AT = 64;

/** The objects that have names (names.ts), held for as long as the server lives. */
let names: DictProxy | undefined;

/** Serves until it is shut down; then the process exits. */
export async function serve(config: ServerConfig): Promise<never> {
  process.on('SIGINT', () => {}); // Ctrl-C is for whoever started this one, who then ends it
  const heap = makeHeap(config.maxBytes);
  names = makeIn(heap, () => SharedDict());
  const { at } = placeOf(names);
  const words = [heap.participant.token, at.address, at.serial, wordOfCallTimeout(config.callTimeout)];
  const place = new Place(heap, heap.create(rootKind.manager, words));
  const path = config.path ?? privateSocket(heap.id);
  const fields = `${formatPlace(place)}:${Buffer.from(path).toString('base64url')}`;
  const instances = new Instances(heap, () => fields);
  for (const [typeid, location, exposed] of config.types) {
    await userCode(() => instances.register(typeid, location, exposed));
  }
  await initialize(config);
  serveHere(instances);
  sweepSockets();
  await serveClients(config, { heap, place: formatPlace(place), path, fields, instances });
  process.exit(0);
}

async function initialize({ initializer, initargs }: ServerConfig): Promise<void> {
  if (initializer === undefined) return;
  await userCode(async () => {
    const found = findFunction((await import(initializer.url)) as Record<string, unknown>, initializer);
    return found(...(decode(initargs) as unknown[]));
  });
}

interface Serving extends Ready {
  readonly heap: Heap;
  readonly instances: Instances;
  /** What the handle of the manager says. */
  readonly fields: string;
}

async function serveClients(config: ServerConfig, { heap, place, path, fields, instances }: Serving): Promise<void> {
  const named = config.path !== undefined;
  const connections = new Set<ServerConnection>();
  /** Those that have said what they are: who only looks whether somebody serves here keeps nothing alive. */
  const clients = new Set<ServerConnection>();
  let linger = 0;
  let alone: NodeJS.Timeout | undefined;
  let end!: () => void;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const waitForClients = (ms: number) => {
    clearTimeout(alone);
    if (named && clients.size + (gateway?.count ?? 0) === 0) alone = setTimeout(end, ms);
  };
  let gateway: Gateway | undefined;
  // Most managers are served to no network: their servers need not load what that takes.
  const serve = async (...address: Parameters<Gateway['serve']>) => {
    const { Gateway: Opened } = await import('./network/on-demand.js');
    gateway ??= new Opened(heap, instances, `mp:manager::${fields}`, () => waitForClients(linger));
    return gateway.serve(...address);
  };
  const kept = new KeptMemory();
  const collection = new IdleCollection();
  const host = {
    instances,
    kept,
    hello(connection: ServerConnection, ms: number) {
      clearTimeout(alone);
      clients.add(connection);
      if (typeof ms === 'number') linger = Math.max(linger, ms);
    },
    serve,
    // Nor need they load what pools take.
    async pool(request: PoolRequest) {
      const { ServedPool } = await import('./pool/served-pool.js');
      return new ServedPool(request, heap, instances, fields).object;
    },
    passed: () => collection.needed(),
    shutdown: end,
    closed(connection: ServerConnection) {
      connections.delete(connection);
      heap.lookAround(LOOK_AT); // it may have been killed
      instances.sweep();
      if (clients.delete(connection)) waitForClients(linger);
    },
  };
  const server = createServer({ noDelay: true }, (socket) => {
    const greeting = { protocol: PROTOCOL, pid: process.pid, place, types: instances.typeids };
    connections.add(new ServerConnection(socket, host, Buffer.from(JSON.stringify(greeting))));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  process.once('SIGTERM', end);
  if (!named) process.once('disconnect', end);
  process.send?.({ place, path } satisfies Ready, undefined, undefined, () => {
    // Told, or whoever started this one is gone.
    if (named && process.connected) process.disconnect();
  });
  if (!named && process.send !== undefined && !process.connected) end();
  waitForClients(FIRST_CLIENT_MS);
  await ended;
  server.close();
  kept.unlinkAll();
  for (const file of [path, ...config.files]) removeFile(file);
  const goodbyes = [...connections].map((connection) => connection.end());
  await Promise.race([Promise.all([...goodbyes, gateway?.end()]), delay(GOODBYE_MS)]);
  gateway?.destroy(); // so that what they hold is given back
}

async function userCode<T>(run: () => T): Promise<Awaited<T>> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof MultiprocessError) throw error;
    const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    throw new RemoteError(message, { remoteName: name, remoteStack: stack, cause: error });
  }
}
