import { registerSharedKind, type Translation } from '../codec/internal.js';
import { NotShareableError, ValueError } from '../errors/index.js';
import { isEngineAddress } from './address.js';
import { Engine, type Whereabouts } from './engine.js';
import { addEngine, findEngine } from './engines.js';
import { makeProxy } from './proxies.js';
import { RedisObject } from './redis-object.js';
import { reachedByUrl } from './target.js';

// The handle of an object at a server: where that is, and which object, as base64 of JSON. What is secret does not go along:
// whoever opens it has connected to the same place already, or has the secret in its own environment (`withSecret`).

type Fields = [url: string | readonly string[], prefix: string, lease: number, object: string];

function fieldsOf(object: RedisObject): string {
  const engine = RedisObject.engineOf(object);
  const { whereabouts } = engine;
  if (whereabouts === undefined) {
    throw new NotShareableError(
      `A ${object.constructor.name} of a server that is reached by a Unix socket has no handle. Who else needs it connects, too.`,
    );
  }
  const { url, prefix, lease } = whereabouts;
  const fields: Fields = [url, prefix, lease, engine.nameOf(object)!];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** Does not connect: that is done when something is asked for. */
function open(text: string): RedisObject {
  const [url, prefix, lease, object] = parse(text);
  const whereabouts: Whereabouts = { url, prefix, lease };
  let engine = findEngine(whereabouts);
  if (engine === undefined) {
    engine = new Engine(reachedByUrl(url), { prefix, lease }, makeProxy);
    addEngine(engine);
  }
  return engine.named(object) as RedisObject;
}

/** @throws ValueError */
function parse(text: string): Fields {
  try {
    const found: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(found)) {
      const [url, prefix, lease, object] = found;
      const isRight =
        isEngineAddress(url) && typeof prefix === 'string' && typeof lease === 'number' && typeof object === 'string';
      if (isRight) return [url, prefix, lease, object];
    }
  } catch {} // it is none
  throw new ValueError('This is not the handle of an object at a server of Redis or Valkey.');
}

/** How values travel to other machines: objects at servers by their handles, and no others. */
export const byHandle: Translation = {
  nameOf: (shared) => (shared instanceof RedisObject ? fieldsOf(shared) : undefined),
  named: open,
};

registerSharedKind<RedisObject>({
  kind: 'engine',
  type: RedisObject,
  module: import.meta.url,
  handle: (object) => `mp:engine:${fieldsOf(object)}`,
  open,
});
