import { checkObject, makeOrFind, Script, serverTime } from '../script.js';

// A lock, of an object's keys:
//   meta    owner, fence (the token of the last acquisition), ownerDied (of whom the owner has it), died (the last owner did)
//   leases  owner and waiters, each until when it lives: whoever has not renewed by then is dead
//   line    the waiters, first come first served
// Each acquisition is a member of its own, '<client>.<number>': asked for again, it is the same one. Whoever lets go, or finds
// the owner dead, makes the first living waiter the owner in the same step. A token is the time in µs, or one more than the last:
// so they grow even when the server has lost what it knew.

export const makeLock = new Script('writes', makeOrFind, 'return ARGV[2]');

// What `meta` says is read once, at the beginning. While nobody owns the lock the line is empty, so an owner is never in it.
const steps = `
local leases, line = KEYS[2], KEYS[3]
local wakes = ARGV[2]
local facts = redis.call('HMGET', meta, 'owner', 'fence', 'ownerDied', 'died')
local holder, fence, ownerDied, died = facts[1], facts[2] or '0', facts[3] or '0', facts[4] or '0'
local function lives(member)
  local ends = redis.call('ZSCORE', leases, member)
  return ends and tonumber(ends) > now
end
local function own(member)
  fence = string.format('%.0f', math.max(tonumber(fence) + 1, clock[1] * 1000000 + clock[2]))
  holder, ownerDied, died = member, died, '0'
  redis.call('HSET', meta, 'fence', fence, 'owner', member, 'ownerDied', ownerDied, 'died', died)
end
local function passOn()
  while true do
    local member = redis.call('LPOP', line)
    if not member then
      holder = false
      redis.call('HDEL', meta, 'owner')
      return
    end
    if lives(member) then
      own(member)
      local client = string.match(member, '^[^.]*')
      redis.call('PUBLISH', wakes .. client, member .. ' ' .. fence .. ' ' .. ownerDied)
      return
    end
    redis.call('ZREM', leases, member)
  end
end
local function settle()
  if not holder or lives(holder) then return end
  redis.call('ZREM', leases, holder)
  died = '1'
  redis.call('HSET', meta, 'died', died)
  passOn()
end
`;

const acquire = new Script(
  'writes',
  checkObject,
  serverTime,
  steps,
  `
local member, lease, waits = ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1'
settle()
if not holder then own(member) end
if holder == member then
  redis.call('ZADD', leases, now + lease, member)
  return { 1, fence, ownerDied }
end
if waits then
  if not redis.call('ZSCORE', leases, member) then redis.call('RPUSH', line, member) end
  redis.call('ZADD', leases, now + lease, member)
end
return { 0, math.ceil(redis.call('ZSCORE', leases, holder) - now) }
`,
);

/** Of the owner: gives the lock to the next. Of a waiter: leaves the line. */
const leave = new Script(
  'lets go',
  checkObject,
  serverTime,
  steps,
  `
local member = ARGV[3]
redis.call('ZREM', leases, member)
if holder ~= member then
  redis.call('LREM', line, 1, member)
  return 0
end
passOn()
return 1
`,
);

const locked = new Script(
  'reads',
  checkObject,
  serverTime,
  `
local member = redis.call('HGET', meta, 'owner')
if not member then return 0 end
local ends = redis.call('ZSCORE', KEYS[2], member)
return ends and tonumber(ends) > now and 1 or 0
`,
);

const dispose = new Script(
  'lets go',
  checkObject,
  `
for _, member in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
  redis.call('PUBLISH', ARGV[2] .. string.match(member, '^[^.]*'), member)
end
redis.call('DEL', unpack(KEYS))
return 1
`,
);

export const lockScripts = { acquire, leave, locked, dispose };
