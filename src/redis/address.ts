import { ValueError } from '../errors/index.js';
import type { Node } from './port.js';

const FORM = /^(redis|rediss|valkey|valkeys):\/\//;
const DEFAULT_PORT = 6379;

function isUrl(address: unknown): address is string {
  return typeof address === 'string' && FORM.test(address);
}

/** Whether an address is that of a server of Redis or Valkey, or those of some servers of a cluster. */
export function isEngineAddress(address: unknown): address is string | readonly string[] {
  return isUrl(address) || (Array.isArray(address) && address.length > 0 && address.every(isUrl));
}

/** @throws ValueError for what is no URL. */
export function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch (error) {
    throw new ValueError("This is no URL: needed is 'redis://user:password@host:port/database'.", { cause: error });
  }
}

export function nodeOf({ hostname, port }: URL): Node {
  return { host: hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost', port: Number(port) || DEFAULT_PORT };
}

/** The same, of another node of the same cluster. */
export function urlOfNode(url: string, { host, port }: Node): string {
  const found = new URL(url);
  return `${found.protocol}//${credentialsOf(found)}${hostText(host)}:${port}`;
}

export function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** For people, and in handles: without what is secret. */
export function withoutSecret(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return String(shown);
}

/**
 * A URL without a user and a password gets those that the environment has for the same host and port, in
 * `MULTIPROCESS_REDIS_URL`: one URL or several, with spaces between. So they go to no other server than that, whatever
 * address somebody else has sent.
 */
export function withSecret(url: string, { MULTIPROCESS_REDIS_URL: known = '' } = process.env): string {
  const found = parseUrl(url.replace(/^valkey/, 'redis'));
  if (found.username !== '' || found.password !== '') return String(found);
  const { host, port } = nodeOf(found);
  for (const candidate of known.split(/\s+/)) {
    if (!isUrl(candidate)) continue;
    const other = parseUrl(candidate.replace(/^valkey/, 'redis'));
    if (other.username === '' && other.password === '') continue;
    const node = nodeOf(other);
    if (node.host !== host || node.port !== port || other.protocol !== found.protocol) continue;
    found.username = other.username;
    found.password = other.password;
    break;
  }
  return String(found);
}

function credentialsOf({ username, password }: URL): string {
  return username === '' && password === '' ? '' : `${username}:${password}@`;
}
