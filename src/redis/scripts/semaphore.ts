import { checkObject, makeOrFind, onlyOnce, Script, serverTime } from '../script.js';

// A semaphore, of an object's keys:
//   meta     value: how many permits nobody has
//   leases   the waiters, each until when it lives
//   line     the waiters, first come first served
//   granted  waiters that have been given a permit and have not heard of it, each until when it is kept for them
// Anybody may give a permit back, so nobody knows whose one was that has been taken: such permits have no lease.

/** ARGV: kind, id, value. */
export const makeSemaphore = new Script(
  'writes',
  makeOrFind,
  `
redis.call('HSET', meta, 'value', ARGV[3])
return ARGV[2]
`,
);

const steps = `
local leases, line, granted = KEYS[3], KEYS[4], KEYS[5]
local wakes = ARGV[4]
local function add(count)
  redis.call('HINCRBY', meta, 'value', count)
end
local function passOn()
  local value = tonumber(redis.call('HGET', meta, 'value'))
  while value > 0 do
    local member = redis.call('LPOP', line)
    if not member then return end
    local ends = redis.call('ZSCORE', leases, member)
    redis.call('ZREM', leases, member)
    if ends and tonumber(ends) > now then
      redis.call('ZADD', granted, ends, member)
      add(-1)
      value = value - 1
      redis.call('PUBLISH', wakes .. string.match(member, '^[^.]*'), member)
    end
  end
end
local function settle()
  local dead = redis.call('ZREMRANGEBYSCORE', granted, '-inf', now)
  if dead > 0 then add(dead) end
  passOn()
end
`;

const step = (text: string) => new Script('lets go', checkObject, onlyOnce, serverTime, steps, text);

export const semaphoreScripts = {
  /** ARGV: wakes, member, lease, whether it waits. @returns -1 for a permit, or the ms after which one may be left by the dead. */
  acquire: new Script(
    'writes',
    checkObject,
    onlyOnce,
    serverTime,
    steps,
    `
local member, lease = ARGV[5], tonumber(ARGV[6])
settle()
if redis.call('ZREM', granted, member) == 1 then return answer(-1) end
if redis.call('ZSCORE', leases, member) then
  redis.call('ZADD', leases, now + lease, member)
elseif tonumber(redis.call('HGET', meta, 'value')) > 0 then
  add(-1)
  return answer(-1)
elseif ARGV[7] == '1' then
  redis.call('RPUSH', line, member)
  redis.call('ZADD', leases, now + lease, member)
end
local first = redis.call('ZRANGE', granted, 0, 0, 'WITHSCORES')[2]
return answer(first and math.ceil(tonumber(first) - now) or lease)
`,
  ),
  /** ARGV: wakes, how many, how many there may be. @returns whether there may be so many. */
  release: step(`
local value = tonumber(redis.call('HGET', meta, 'value')) + tonumber(ARGV[5])
if value > tonumber(ARGV[6]) then return answer(0) end
add(tonumber(ARGV[5]))
settle()
return answer(1)
`),
  /** Of one that has given up. ARGV: wakes, member, whether it has a permit. */
  leave: step(`
local member = ARGV[5]
redis.call('LREM', line, 1, member)
redis.call('ZREM', leases, member)
if redis.call('ZREM', granted, member) == 1 or ARGV[6] == '1' then add(1) end
settle()
return answer(1)
`),
  value: new Script(
    'reads',
    checkObject,
    serverTime,
    `
local free = tonumber(redis.call('HGET', meta, 'value')) + redis.call('ZCOUNT', KEYS[4], '-inf', now)
return math.max(0, free - redis.call('ZCOUNT', KEYS[2], '(' .. now, '+inf'))
`,
  ),
  /** ARGV: wakes. */
  dispose: new Script(
    'lets go',
    checkObject,
    `
for _, member in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
  redis.call('PUBLISH', ARGV[2] .. string.match(member, '^[^.]*'), member)
end
redis.call('DEL', unpack(KEYS))
return 1
`,
  ),
};
