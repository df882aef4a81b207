import { checkObject, makeOrFind, onlyOnce, Script } from '../script.js';

// A list, of an object's keys:
//   meta    version: how often it has been written
//   items   a list of the bytes of its elements
// Elements are never empty, so an empty one marks a place while a step is under way.

const reading = `local items = KEYS[2]\n`;
const writing = `
local items = KEYS[3]
local function wrote() redis.call('HINCRBY', meta, 'version', 1) end
local function place(index)
  local length = redis.call('LLEN', items)
  if index < 0 then index = index + length end
  if index < 0 or index >= length then return nil end
  return index
end
local function add(first)
  for i = first, #ARGV, 1000 do
    redis.call('RPUSH', items, unpack(ARGV, i, math.min(i + 999, #ARGV)))
  end
end
local function removeAt(index)
  redis.call('LSET', items, index, '')
  redis.call('LREM', items, 1, '')
end
`;

const step = (text: string) => new Script('writes', checkObject, onlyOnce, writing, text);
const removal = (text: string) => new Script('lets go', checkObject, onlyOnce, writing, text);
const look = (text: string) => new Script('reads', checkObject, reading, text);

/** ARGV: kind, id, then elements. */
export const makeList = new Script(
  'writes',
  makeOrFind,
  `
for i = 3, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
return ARGV[2]
`,
);

export const listScripts = {
  /** ARGV: index. @returns the element, or how many there are when it is none. */
  get: look(`return redis.call('LINDEX', items, ARGV[2]) or redis.call('LLEN', items)`),
  length: look(`return redis.call('LLEN', items)`),
  /** ARGV: the first and the last, as LRANGE takes them. */
  slice: look(`return redis.call('LRANGE', items, ARGV[2], ARGV[3])`),
  /** @returns the version and all elements. */
  all: look(`return { redis.call('HGET', meta, 'version') or '0', redis.call('LRANGE', items, 0, -1) }`),
  /** ARGV: index, element. @returns 'ok', or how many there are. */
  set: step(`
local index = place(tonumber(ARGV[4]))
if not index then return answer(redis.call('LLEN', items)) end
redis.call('LSET', items, index, ARGV[5])
wrote()
return answer('ok')
`),
  /** ARGV: elements. @returns how many there are. */
  push: step(`
add(4)
wrote()
return answer(redis.call('LLEN', items))
`),
  /** ARGV: index, element. */
  insert: step(`
local length = redis.call('LLEN', items)
local index = tonumber(ARGV[4])
if index < 0 then index = math.max(0, index + length) end
if index >= length then
  redis.call('RPUSH', items, ARGV[5])
elseif index == 0 then
  redis.call('LPUSH', items, ARGV[5])
else
  local there = redis.call('LINDEX', items, index)
  redis.call('LSET', items, index, '')
  redis.call('LINSERT', items, 'BEFORE', '', ARGV[5])
  redis.call('LSET', items, index + 1, there)
end
wrote()
return answer(0)
`),
  /** ARGV: index. @returns the element, or how many there are when it is none. */
  pop: removal(`
local index = place(tonumber(ARGV[4]))
if not index then return answer(redis.call('LLEN', items)) end
local value = redis.call('LINDEX', items, index)
if index == 0 then redis.call('LPOP', items) else removeAt(index) end
wrote()
return answer(value)
`),
  /** ARGV: index, version. @returns 1, or 0 when the list has been written meanwhile. */
  removeAt: removal(`
if (redis.call('HGET', meta, 'version') or '0') ~= ARGV[5] then return answer(0) end
removeAt(tonumber(ARGV[4]))
wrote()
return answer(1)
`),
  /** ARGV: from where, how many go, then what comes instead. @returns what has gone. */
  splice: step(`
local from, count = tonumber(ARGV[4]), tonumber(ARGV[5])
local length = redis.call('LLEN', items)
if from < 0 then from = math.max(0, from + length) end
from = math.min(from, length)
count = math.max(0, math.min(count, length - from))
local gone = {}
if count > 0 then gone = redis.call('LRANGE', items, from, from + count - 1) end
local rest = redis.call('LRANGE', items, from + count, -1)
if from == 0 then redis.call('DEL', items) else redis.call('LTRIM', items, 0, from - 1) end
add(6)
for i = 1, #rest, 1000 do redis.call('RPUSH', items, unpack(rest, i, math.min(i + 999, #rest))) end
wrote()
return answer(gone)
`),
  reverse: step(`
local all = redis.call('LRANGE', items, 0, -1)
redis.call('DEL', items)
for _, value in ipairs(all) do redis.call('LPUSH', items, value) end
wrote()
return answer(0)
`),
  clear: removal(`
redis.call('DEL', items)
wrote()
return answer(0)
`),
  /** ARGV: version, then all elements in their new order. @returns 1, or 0 when the list has been written meanwhile. */
  replace: step(`
if (redis.call('HGET', meta, 'version') or '0') ~= ARGV[4] then return answer(0) end
redis.call('DEL', items)
add(5)
wrote()
return answer(1)
`),
  /** ARGV: index, what is expected, what is to be instead. @returns 1, or the element that is there, or {how many}. */
  compareAndSet: step(`
local index = place(tonumber(ARGV[4]))
if not index then return answer({ redis.call('LLEN', items) }) end
local found = redis.call('LINDEX', items, index)
if found ~= ARGV[5] then return answer(found) end
redis.call('LSET', items, index, ARGV[6])
wrote()
return answer(1)
`),
  dispose: new Script('lets go', checkObject, `redis.call('DEL', unpack(KEYS)) return 1`),
};
