import { checkObject, makeOrFind, Script, serverTime } from '../script.js';

// A bounded semaphore, of an object's keys:
//   meta    permits: how many there are; fence: the token of the last acquisition
//   leases  those that have a permit, and the waiters, each until when it lives
//   line    the waiters, first come first served
//   held    of each that has a permit, its token
// Acquisitions and tokens are as of a lock. Whoever finds one dead that has a permit gives it to the first living waiter.

/** ARGV: kind, id, permits. */
export const makeBoundedSemaphore = new Script(
  'writes',
  makeOrFind,
  `
redis.call('HSET', meta, 'permits', ARGV[3])
return ARGV[2]
`,
);

const steps = `
local leases, line, held = KEYS[2], KEYS[3], KEYS[4]
local wakes = ARGV[2]
local facts = redis.call('HMGET', meta, 'permits', 'fence')
local last = facts[2] or '0'
local free = tonumber(facts[1]) - redis.call('HLEN', held)
local function lives(member)
  local ends = redis.call('ZSCORE', leases, member)
  return ends and tonumber(ends) > now
end
local function enter(member)
  last = string.format('%.0f', math.max(tonumber(last) + 1, clock[1] * 1000000 + clock[2]))
  redis.call('HSET', meta, 'fence', last)
  redis.call('HSET', held, member, last)
  free = free - 1
  return last
end
local function passOn()
  while free > 0 do
    local member = redis.call('LPOP', line)
    if not member then return end
    if lives(member) then
      local won = member .. ' ' .. enter(member) .. ' 0'
      redis.call('PUBLISH', wakes .. string.match(member, '^[^.]*'), won)
    else
      redis.call('ZREM', leases, member)
    end
  end
end
local function settle()
  local gaveBack = 0
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
    redis.call('ZREM', leases, member)
    local had = redis.call('HDEL', held, member)
    if had == 0 then redis.call('LREM', line, 1, member) end
    gaveBack = gaveBack + had
  end
  free = free + gaveBack
  -- While something is free, nobody waits: then only what comes back is there for those in the line.
  if gaveBack > 0 then passOn() end
end
`;

export const boundedSemaphoreScripts = {
  /** ARGV: wakes, member, lease, whether it waits. */
  acquire: new Script(
    'writes',
    checkObject,
    serverTime,
    steps,
    `
local member, lease = ARGV[3], tonumber(ARGV[4])
settle()
local fence = redis.call('HGET', held, member)
if not fence and free > 0 then fence = enter(member) end
if fence then
  redis.call('ZADD', leases, now + lease, member)
  return { 1, fence, '0' }
end
if ARGV[5] == '1' then
  if not redis.call('ZSCORE', leases, member) then redis.call('RPUSH', line, member) end
  redis.call('ZADD', leases, now + lease, member)
end
local first = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')[2]
return { 0, first and math.ceil(tonumber(first) - now) or lease }
`,
  ),
  /** Of those that have permits: gives them back. Of waiters: leaves the line. ARGV: wakes, members. @returns how many had one. */
  leave: new Script(
    'lets go',
    checkObject,
    serverTime,
    steps,
    `
local given = 0
for i = 3, #ARGV do
  redis.call('ZREM', leases, ARGV[i])
  local had = redis.call('HDEL', held, ARGV[i])
  if had == 0 then redis.call('LREM', line, 1, ARGV[i]) end
  given = given + had
end
free = free + given
if given > 0 then passOn() end
settle()
return given
`,
  ),
  /** @returns how many permits nobody has, and how many there are. */
  value: new Script(
    'reads',
    checkObject,
    serverTime,
    `
local permits = tonumber(redis.call('HGET', meta, 'permits'))
local free = permits - redis.call('HLEN', KEYS[4])
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  free = free + redis.call('HEXISTS', KEYS[4], member)
end
return { free, permits }
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
