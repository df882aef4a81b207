import { checkObject, makeOrFind, onlyOnce, Script, serverTime } from '../script.js';

// A dict, of an object's keys:
//   meta     ttl (ms, 0 for none), most (entries, 0 for any number), last (the number of the last insertion)
//   values   a hash: the bytes of a key → the bytes of its value
//   order    a sorted set of the keys by the number of their insertion
//   ends     a sorted set of the keys that are to end, by when
//   writes   only while somebody watches: a hash of the numbers of the last writes, by key
// Keys and values are bytes of the codec, which begin with its version, 1: so nothing else in `writes` is taken for a key.

/** A ttl is in ms, '0' for never, '' for what the dict was made with, 'keep' for what an entry that is there has left. */
const steps = `
local values, order, ends, writes = KEYS[2 + shift], KEYS[3 + shift], KEYS[4 + shift], KEYS[5 + shift]
local watched = redis.call('EXISTS', writes) == 1
local function wrote(key)
  if not watched then return end
  local number = redis.call('HINCRBY', writes, '#', 1)
  redis.call('HSET', writes, key, number, '*', number)
  redis.call('PUBLISH', writes, '')
end
local function lives(key)
  local last = redis.call('ZSCORE', ends, key)
  return not last or tonumber(last) > now
end
local function read(key)
  local value = redis.call('HGET', values, key)
  if value and lives(key) then return value end
  return nil
end
local function remove(key)
  redis.call('HDEL', values, key)
  redis.call('ZREM', order, key)
  redis.call('ZREM', ends, key)
end
local function endOld()
  while true do
    local old = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 500)
    if #old == 0 then return end
    for _, key in ipairs(old) do remove(key) end
  end
end
local function write(key, value, ttl)
  local isNew = redis.call('HSET', values, key, value) == 1
  if isNew then
    redis.call('ZADD', order, redis.call('HINCRBY', meta, 'last', 1), key)
    local most = tonumber(redis.call('HGET', meta, 'most') or '0')
    while most > 0 and redis.call('ZCARD', order) > most do
      local oldest = redis.call('ZRANGE', order, 0, 0)[1]
      remove(oldest)
      wrote(oldest)
    end
  end
  if ttl == 'keep' and not isNew then return wrote(key) end
  if ttl == '' or ttl == 'keep' then ttl = redis.call('HGET', meta, 'ttl') or '0' end
  if ttl == '0' then redis.call('ZREM', ends, key) else redis.call('ZADD', ends, now + tonumber(ttl), key) end
  wrote(key)
end
`;
const reading = `local shift = 0\n${steps}`;
const writing = `local shift = 1\n${steps}\nendOld()\n`;

const step = (...parts: string[]) => new Script('writes', checkObject, onlyOnce, serverTime, writing, ...parts);
const removal = (...parts: string[]) => new Script('lets go', checkObject, onlyOnce, serverTime, writing, ...parts);
const look = (...parts: string[]) => new Script('reads', checkObject, serverTime, reading, ...parts);

/** ARGV: kind, id, ttl, most entries, then keys and values by turns. */
export const makeDict = new Script(
  'writes',
  makeOrFind,
  serverTime,
  reading,
  `
redis.call('HSET', meta, 'ttl', ARGV[3], 'most', ARGV[4])
for i = 5, #ARGV, 2 do write(ARGV[i], ARGV[i + 1], '') end
return ARGV[2]
`,
);

export const dictScripts = {
  /** ARGV: ttl or '', then keys and values by turns. */
  update: step(`
for i = 5, #ARGV, 2 do write(ARGV[i], ARGV[i + 1], ARGV[4]) end
return answer(0)
`),
  /** ARGV: key, value. @returns the value that is there then. */
  setDefault: step(`
local value = read(ARGV[4])
if value then return answer(value) end
write(ARGV[4], ARGV[5], '')
return answer(ARGV[5])
`),
  /** ARGV: key. @returns the value that was there, or null. */
  take: removal(`
local value = read(ARGV[4])
if not value then return answer(false) end
remove(ARGV[4])
wrote(ARGV[4])
return answer(value)
`),
  /** @returns the key and the value that were inserted last, or null. */
  takeLast: removal(`
local key = redis.call('ZRANGE', order, -1, -1)[1]
if not key then return answer(false) end
local value = redis.call('HGET', values, key)
remove(key)
wrote(key)
return answer({ key, value })
`),
  clear: removal(`
if watched then
  for _, key in ipairs(redis.call('ZRANGE', order, 0, -1)) do wrote(key) end
end
redis.call('DEL', values, order, ends)
return answer(0)
`),
  /**
   * ARGV: key, what is expected and what is to be instead, each empty for no entry. @returns 1, or the value that was there
   * instead, or 0 where there was none.
   */
  compareAndSet: step(`
local key, expected, value = ARGV[4], ARGV[5], ARGV[6]
local found = read(key)
if (found or '') ~= expected then return answer(found or 0) end
if value ~= '' then
  write(key, value, 'keep')
elseif found then
  remove(key)
  wrote(key)
end
return answer(1)
`),
  /** ARGV: key, number. Numbers are those of the codec: one byte, or an int32, or a double. @returns the value after. */
  increment: step(`
local function number(bytes)
  local tag = string.byte(bytes, 2)
  if tag >= 128 then return tag - 128 end
  if tag == 4 then return (struct.unpack('<i4', bytes, 3)) end
  if tag == 5 then return (struct.unpack('<d', bytes, 3)) end
  return nil
end
local function bytes(n)
  local isInt = n % 1 == 0 and n >= -2147483648 and n <= 2147483647 and not (n == 0 and 1 / n < 0)
  if isInt and n >= 0 and n < 128 then return string.char(1, 128 + n) end
  if isInt then return string.char(1, 4) .. struct.pack('<i4', n) end
  return string.char(1, 5) .. struct.pack('<d', n)
end
local found = read(ARGV[4])
local old = 0
if found then old = number(found) end
if not old then return redis.error_reply('MPNUMBER the value is none') end
local value = bytes(old + number(ARGV[5]))
write(ARGV[4], value, 'keep')
return answer(value)
`),
  /** ARGV: key. */
  get: look(`return read(ARGV[2]) or false`),
  size: look(`return redis.call('HLEN', values) - redis.call('ZCOUNT', ends, '-inf', now)`),
  /** @returns keys and values by turns. */
  entries: look(`
local ended = {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now)) do ended[key] = true end
local keys = redis.call('ZRANGE', order, 0, -1)
local found = {}
for first = 1, #keys, 1000 do
  local some = {}
  for i = first, math.min(first + 999, #keys) do some[#some + 1] = keys[i] end
  for i, value in ipairs(redis.call('HMGET', values, unpack(some))) do
    if not ended[some[i]] then
      found[#found + 1] = some[i]
      found[#found + 1] = value
    end
  end
end
return found
`),
  /**
   * ARGV: what to watch: a key, or '*'; for how long, in ms. While somebody watches, writes are numbered. @returns since when
   * that has been so, and the number of the last write of it.
   */
  watch: new Script(
    'writes',
    checkObject,
    `
local writes, what = KEYS[5], ARGV[2]
if redis.call('EXISTS', writes) == 0 then
  local clock = redis.call('TIME')
  redis.call('HSET', writes, '#', 0, 'since', clock[1] .. '.' .. clock[2])
end
redis.call('PEXPIRE', writes, ARGV[3])
return { redis.call('HGET', writes, 'since'), redis.call('HGET', writes, what) or '0' }
`,
  ),
  dispose: new Script(
    'lets go',
    checkObject,
    `
if redis.call('EXISTS', KEYS[5]) == 1 then redis.call('PUBLISH', KEYS[5], '') end
redis.call('DEL', unpack(KEYS))
return 1
`,
  ),
};
