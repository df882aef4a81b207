import type { Cluster, Redis } from 'ioredis';
import { MultiprocessError } from '../errors/index.js';
import { hostText, nodeOf, parseUrl, withoutSecret, withSecret } from './address.js';
import { dialIoredis, duplicateIoredis } from './ioredis.js';
import { dialNodeRedis, duplicateNodeRedis, type NodeRedisClient } from './node-redis.js';
import type { Connection, Node, Target } from './port.js';

// How a server, or a cluster, is reached: by URLs and whichever client library there is, or as a client that the user has is
// connected.

/** How connections are made, here and in other threads. */
export interface Reached {
  /** @param node of a cluster. */
  dial(node?: Node): Promise<Connection>;
  target(): Promise<Target>;
  /** Of a cluster: servers of it that are known. */
  readonly seeds?: readonly Node[] | undefined;
  /** Of a cluster: where a server is reached that says that it is there. */
  map?(node: Node): Node;
  /** For people: without what is secret. */
  readonly address: string;
  /** What others reach it by, without what is secret, of a cluster a list; undefined when that cannot be said. */
  readonly url: string | readonly string[] | undefined;
}

/** @throws ValueError for what is no URL. What is missing is told when it is dialled. */
export function reachedByUrl(address: string | readonly string[]): Reached {
  const isCluster = typeof address !== 'string';
  const given = isCluster ? address : [address];
  const urls = given.map((url) => withoutSecret(parseUrl(url)));
  const options = withSecret(given[0]!);
  const seeds = isCluster ? given.map((url) => nodeOf(parseUrl(url))) : undefined;
  let target: Promise<Target> | undefined;
  const findTarget = () => {
    target ??= findLibrary().then((library) => ({ library, options, seeds }));
    return target;
  };
  return {
    dial: async (node) => dialTarget(await findTarget(), node),
    target: findTarget,
    seeds,
    address: urls.join(' '),
    url: isCluster ? urls : urls[0]!,
  };
}

/** @throws TypeError for what is no client of ioredis or node-redis. */
export function reachedByClient(client: unknown): Reached {
  if (typeof client !== 'object' || client === null || !('duplicate' in client)) throw noClient();
  if ('isCluster' in client && client.isCluster === true) return reachedByIoredisCluster(client as unknown as Cluster);
  if ('callBuffer' in client) return reachedByIoredis(client as unknown as Redis);
  if ('masters' in client) return reachedByNodeRedisCluster(client as unknown as NodeRedisCluster);
  if (!('withTypeMapping' in client)) throw noClient();
  return reachedByNodeRedis(client as unknown as NodeRedisClient);
}

/** What another thread was told. */
export function reachedByTarget(target: Target): Reached {
  const { seeds, map } = target;
  return {
    dial: (node) => dialTarget(target, node),
    target: async () => target,
    seeds,
    map: (node) => mapped(map, node),
    address: '',
    url: undefined,
  };
}

/** Connects by a library that is loaded here. */
function dialTarget({ library, options }: Target, node?: Node): Promise<Connection> {
  return library === 'ioredis' ? dialIoredis(options, node) : dialNodeRedis(options, node);
}

function reachedByIoredis(redis: Redis): Reached {
  const { host = 'localhost', port = 6379, path, db, tls } = redis.options;
  const target: Target = { library: 'ioredis', options: plainOptions(redis.options) };
  const url = urlOf({ host, port }, tls !== undefined, db);
  return {
    dial: () => duplicateIoredis(redis),
    target: async () => target,
    address: path ?? url,
    url: path === undefined ? url : undefined,
  };
}

function reachedByNodeRedis(redis: NodeRedisClient): Reached {
  // Modules are of no use here, and what provides credentials is made of the password again.
  const {
    modules: _,
    functions: __,
    scripts: ___,
    credentialsProvider: ____,
    ...options
  } = (redis.options ?? {}) as Record<string, unknown>;
  const { host = 'localhost', port = 6379, path, tls } = (options['socket'] ?? {}) as Record<string, unknown>;
  const target: Target = { library: 'redis', options: plainOptions(options) };
  const url = urlOf({ host: String(host), port: Number(port) }, Boolean(tls), options['database'] as number);
  const isPath = typeof path === 'string';
  return {
    dial: () => duplicateNodeRedis(redis),
    target: async () => target,
    address: isPath ? path : url,
    url: isPath ? undefined : url,
  };
}

/** Its settings are used; connections to the nodes are made and kept here. */
function reachedByIoredisCluster(cluster: Cluster): Reached {
  const { redisOptions = {}, natMap } = cluster.options as { redisOptions?: object; natMap?: NodeMap };
  const seeds = (cluster as unknown as { startupNodes: readonly IoredisSeed[] }).startupNodes.map(seedOfIoredis);
  return reachedByCluster('ioredis', redisOptions, seeds, natMap, 'tls' in redisOptions, (node) =>
    dialIoredis(redisOptions, node),
  );
}

function reachedByNodeRedisCluster({ _options: settings }: NodeRedisCluster): Reached {
  if (settings === undefined) {
    throw new TypeError('The settings of this client of a cluster cannot be read: give URLs instead, and no client.');
  }
  const { rootNodes, defaults = {}, nodeAddressMap } = settings;
  const seeds = rootNodes.map(({ url, socket: { host = 'localhost', port = 6379 } = {} }) =>
    url === undefined ? { host, port } : nodeOf(parseUrl(url)),
  );
  const isSecure = Boolean((defaults as { socket?: { tls?: unknown } }).socket?.tls);
  return reachedByCluster('redis', defaults, seeds, nodeAddressMap, isSecure, (node) => dialNodeRedis(defaults, node));
}

function reachedByCluster(
  library: Target['library'],
  options: object,
  seeds: readonly Node[],
  map: NodeMap | undefined,
  isSecure: boolean,
  dial: (node?: Node) => Promise<Connection>,
): Reached {
  const plainMap = typeof map === 'function' ? undefined : map;
  const target: Target = { library, options: plainOptions(options), seeds, map: plainMap };
  const urls = seeds.map((seed) => urlOf(seed, isSecure));
  return {
    dial,
    target: async () => target,
    seeds,
    map: (node) => mapped(map, node),
    address: urls.join(' '),
    url: urls,
  };
}

type NodeMap = Readonly<Record<string, Node>> | ((address: string) => Node | null | undefined);
type IoredisSeed = string | number | { host?: string; port?: number };

/** What is used of node-redis' client of a cluster. */
interface NodeRedisCluster {
  readonly _options?: {
    readonly rootNodes: readonly { url?: string; socket?: { host?: string; port?: number } }[];
    readonly defaults?: object;
    readonly nodeAddressMap?: NodeMap;
  };
}

function mapped(map: NodeMap | undefined, node: Node): Node {
  const address = `${node.host}:${node.port}`;
  const found = typeof map === 'function' ? map(address) : map?.[address];
  return found ? { host: found.host, port: found.port } : node;
}

function seedOfIoredis(seed: IoredisSeed): Node {
  if (typeof seed === 'number') return { host: '127.0.0.1', port: seed };
  if (typeof seed === 'string') return nodeOf(parseUrl(/^\w+:\/\//.test(seed) ? seed : `redis://${seed}`));
  return { host: seed.host ?? '127.0.0.1', port: seed.port ?? 6379 };
}

function urlOf({ host, port }: Node, isSecure: boolean, database = 0): string {
  return `redis${isSecure ? 's' : ''}://${hostText(host)}:${port}${database === 0 ? '' : `/${database}`}`;
}

async function findLibrary(): Promise<Target['library']> {
  for (const library of ['ioredis', 'redis'] as const) {
    try {
      await (library === 'ioredis' ? import('ioredis') : import('redis'));
      return library;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    }
  }
  throw new MultiprocessError(
    'Neither ioredis nor redis is installed, by which Redis and Valkey are reached. Install one: npm install ioredis',
    { code: 'ERR_MULTIPROCESS_NO_CLIENT' },
  );
}

/** Without functions, which other threads cannot be told. */
function plainOptions(options: object): object {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (typeof value === 'function' || typeof value === 'symbol') continue;
    const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    if (isPlain) plain[key] = plainOptions(value);
    else if (Array.isArray(value)) plain[key] = value.filter((item) => typeof item !== 'function');
    else if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) plain[key] = value;
  }
  return plain;
}

function noClient(): TypeError {
  return new TypeError(
    'client is a client of ioredis (new Redis(…), new Cluster(…)) or of node-redis (createClient(…), createCluster(…)).',
  );
}
