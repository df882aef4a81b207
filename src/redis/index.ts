import { ValueError } from '../errors/index.js';
import './handle.js';
import { PREFIX } from './keys.js';
import { RedisManager } from './redis-manager.js';
import { reachedByClient, reachedByUrl } from './target.js';

export type { RedisManager } from './redis-manager.js';

const LEASE_MS = 10_000;
const SHORTEST_LEASE_MS = 100;
const LONGEST_LEASE_MS = 86_400_000;

/**
 * Connects to a Redis or Valkey server.
 *
 * @param client a client of a library whose settings are used instead of the URL.
 * @throws (rejects) TypeError, RangeError, ValueError for wrong options; MultiprocessError without a client library, and for a
 * server that cannot be used; AuthenticationError; a system error when it cannot be reached.
 */
export async function openServer(
  address: string | readonly string[],
  client: unknown,
  { prefix = PREFIX, lease = LEASE_MS }: { prefix?: unknown; lease?: unknown },
): Promise<RedisManager> {
  if (typeof prefix !== 'string') throw new TypeError(`prefix is a string; got ${typeof prefix}.`);
  if (/[{}]/.test(prefix)) throw new ValueError('prefix has no braces: they say where in a cluster an object is.');
  if (typeof lease !== 'number') throw new TypeError(`lease is a number of milliseconds; got ${typeof lease}.`);
  if (!(lease >= SHORTEST_LEASE_MS && lease <= LONGEST_LEASE_MS)) {
    throw new RangeError(`lease is from ${SHORTEST_LEASE_MS} to ${LONGEST_LEASE_MS} ms; got ${lease}.`);
  }
  const reached = client === undefined ? reachedByUrl(address) : reachedByClient(client);
  return RedisManager.open(reached, { prefix, lease: Math.round(lease) });
}
