import { checkObject, makeOrFind, onlyOnce, Script, serverTime } from '../script.js';

// A condition, of an object's keys:
//   meta      lock: the name of the lock that it was given; empty for one of its own
//   leases    the waiters, each until when it lives: until they have the lock again, those who have been notified too
//   line      those who have not been notified, first come first served
//   notified  those who have
//   lock…     the lock of its own
// A notification of one that dies before it has taken it goes to the first living one who has none.

/** ARGV: kind, id, the lock that was given. */
export const makeCondition = new Script(
  'writes',
  makeOrFind,
  `
redis.call('HSET', meta, 'lock', ARGV[3])
if ARGV[3] == '' then redis.call('HSET', KEYS[5], 'kind', 'rlock', 'id', ARGV[2]) end
return ARGV[2]
`,
);

const steps = (shift: 0 | 1, wakes: string) => `
local leases, line, notified = KEYS[${2 + shift}], KEYS[${3 + shift}], KEYS[${4 + shift}]
local wakes = ${wakes}
local function pass(count)
  while count > 0 do
    local member = redis.call('LPOP', line)
    if not member then return end
    local ends = redis.call('ZSCORE', leases, member)
    if ends and tonumber(ends) > now then
      redis.call('SADD', notified, member)
      redis.call('PUBLISH', wakes .. string.match(member, '^[^.]*'), member)
      count = count - 1
    else
      redis.call('ZREM', leases, member)
    end
  end
end
local function settle()
  local left = 0
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
    redis.call('ZREM', leases, member)
    local had = redis.call('SREM', notified, member)
    if had == 0 then redis.call('LREM', line, 1, member) end
    left = left + had
  end
  pass(left)
end
`;
const repeatable = (text: string) => new Script('writes', checkObject, serverTime, steps(0, 'ARGV[2]'), text);
const once = (text: string) => new Script('lets go', checkObject, onlyOnce, serverTime, steps(1, 'ARGV[4]'), text);

export const conditionScripts = {
  /** @returns the name of the lock that it was given. */
  lock: new Script('reads', checkObject, `return redis.call('HGET', meta, 'lock')`),
  /** Goes to the end of the line. ARGV: wakes, member, lease. */
  stand: repeatable(`
if not redis.call('ZSCORE', leases, ARGV[3]) then redis.call('RPUSH', line, ARGV[3]) end
redis.call('ZADD', leases, now + tonumber(ARGV[4]), ARGV[3])
return 1
`),
  /**
   * ARGV: wakes, member. @returns -1 when it has been notified, or its lease has ended, so that it may have been meant; or the
   * ms for which all live in any case.
   */
  look: repeatable(`
settle()
if redis.call('SISMEMBER', notified, ARGV[3]) == 1 then return -1 end
if not redis.call('ZSCORE', leases, ARGV[3]) then return -1 end
return math.ceil(tonumber(redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')[2]) - now)
`),
  /** ARGV: wakes, how many. */
  notify: once(`
settle()
pass(tonumber(ARGV[5]))
return answer(0)
`),
  /** ARGV: wakes, member, whether a notification is of no use to it any more. @returns whether it had one. */
  leave: once(`
local member = ARGV[5]
redis.call('ZREM', leases, member)
local had = redis.call('SREM', notified, member)
if had == 0 then redis.call('LREM', line, 1, member) end
if ARGV[6] == '1' then pass(had) end
settle()
return answer(had)
`),
  /** ARGV: wakes. */
  dispose: new Script(
    'lets go',
    checkObject,
    `
for _, key in ipairs({ KEYS[3], KEYS[7] }) do
  for _, member in ipairs(redis.call('LRANGE', key, 0, -1)) do
    redis.call('PUBLISH', ARGV[2] .. string.match(member, '^[^.]*'), member)
  end
end
redis.call('DEL', unpack(KEYS))
return 1
`,
  ),
};
