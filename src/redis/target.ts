import type { Redis } from 'ioredis';
import { MultiprocessError, ValueError } from '../errors/index.js';
import { dialIoredis, duplicateIoredis } from './ioredis.js';
import { dialNodeRedis, duplicateNodeRedis, type NodeRedisClient } from './node-redis.js';
import type { Connection, Dial, Target } from './port.js';

// How a server is reached: by a URL and whichever client library there is, or as a client that the user has is connected.

/** How connections are made, here and in other threads. */
export interface Reached {
  readonly dial: Dial;
  readonly target: Target;
  /** For people: without what is secret. */
  readonly address: string;
}

/** @throws ValueError when it is no URL; MultiprocessError when there is no client library. */
export async function reachedByUrl(url: string): Promise<Reached> {
  const address = parse(url);
  const options = url.replace(/^valkey/, 'redis');
  address.username = '';
  address.password = '';
  const library = await findLibrary();
  const target: Target = { library, options };
  return { dial: () => dialTarget(target), target, address: String(address) };
}

/** @throws TypeError for what is no client of ioredis or node-redis, or one of a cluster. */
export function reachedByClient(client: unknown): Reached {
  if (typeof client !== 'object' || client === null || !('duplicate' in client)) throw noClient();
  if ('isCluster' in client && client.isCluster === true) throw isACluster();
  if ('callBuffer' in client) {
    const redis = client as unknown as Redis;
    const { host, port, path } = redis.options;
    return {
      dial: () => duplicateIoredis(redis),
      target: { library: 'ioredis', options: plainOptions(redis.options) },
      address: path ?? `redis://${host}:${port}`,
    };
  }
  if ('masters' in client) throw isACluster();
  if (!('withTypeMapping' in client)) throw noClient();
  const redis = client as unknown as NodeRedisClient;
  // Modules are of no use here, and what provides credentials is made of the password again.
  const {
    modules: _,
    functions: __,
    scripts: ___,
    credentialsProvider: ____,
    ...options
  } = (redis.options ?? {}) as Record<string, unknown>;
  const { host = 'localhost', port = 6379, path } = (options['socket'] ?? {}) as Record<string, unknown>;
  return {
    dial: () => duplicateNodeRedis(redis),
    target: { library: 'redis', options: plainOptions(options) },
    address: typeof path === 'string' ? path : `redis://${String(host)}:${String(port)}`,
  };
}

/** Connects by a library that is loaded here. */
export function dialTarget({ library, options }: Target): Promise<Connection> {
  return library === 'ioredis' ? dialIoredis(options) : dialNodeRedis(options);
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch (error) {
    throw new ValueError("This is no URL: needed is 'redis://user:password@host:port/database'.", { cause: error });
  }
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
  return new TypeError('client is a client of ioredis (new Redis(…)) or of node-redis (createClient(…)).');
}

function isACluster(): TypeError {
  return new TypeError('Clusters are not supported yet: give a client of a single server.');
}
