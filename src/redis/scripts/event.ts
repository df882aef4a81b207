import { checkObject, makeOrFind, onlyOnce, Script } from '../script.js';

// An event, of an object's keys:
//   meta   isSet, and times: how often it has been set, by which one who waits knows that it was, though it was cleared since
//   sets   no key, but the channel of hints

export const makeEvent = new Script(
  'writes',
  makeOrFind,
  `
redis.call('HSET', meta, 'isSet', 0, 'times', 0)
return ARGV[2]
`,
);

export const eventScripts = {
  set: new Script(
    'lets go', // it makes nothing larger
    checkObject,
    onlyOnce,
    `
if redis.call('HGET', meta, 'isSet') ~= '1' then
  redis.call('HSET', meta, 'isSet', 1)
  redis.call('HINCRBY', meta, 'times', 1)
  redis.call('PUBLISH', KEYS[3], '')
end
return answer(0)
`,
  ),
  clear: new Script('lets go', checkObject, onlyOnce, `redis.call('HSET', meta, 'isSet', 0) return answer(0)`),
  /** @returns whether it is set, and how often it has been. */
  look: new Script('reads', checkObject, `return redis.call('HMGET', meta, 'isSet', 'times')`),
  dispose: new Script('lets go', checkObject, `redis.call('DEL', KEYS[1]) redis.call('PUBLISH', KEYS[2], '') return 1`),
};
