import { checkObject, makeOrFind, onlyOnce, Script, serverTime } from '../script.js';

// A barrier, of an object's keys:
//   meta     parties, timeout (ms; empty for none), broken
//   members  the clients that have come once, each until when it lives: a dead one breaks the barrier
//   arrived  the parties that have come to the round that fills, in order
//   results  of parties whose round is over, which of them they are, or 'broken', until they have taken it
// A party is a member of its own, '<client>.<number>', so it finds what became of its own round, however late it looks.

/** ARGV: kind, id, parties, timeout. */
export const makeBarrier = new Script(
  'writes',
  makeOrFind,
  `
redis.call('HSET', meta, 'parties', ARGV[3], 'timeout', ARGV[4], 'broken', 0)
return ARGV[2]
`,
);

const steps = `
local members, arrived, results = KEYS[3], KEYS[4], KEYS[5]
local wakes = ARGV[4]
local function tell(party, result)
  redis.call('HSET', results, party, result)
  redis.call('PUBLISH', wakes .. string.match(party, '^[^.]*'), party)
end
local function breakRound()
  for _, party in ipairs(redis.call('LRANGE', arrived, 0, -1)) do tell(party, 'broken') end
  redis.call('DEL', arrived)
end
local function breakAll()
  redis.call('HSET', meta, 'broken', 1)
  breakRound()
end
local function settle()
  local dead = redis.call('ZRANGEBYSCORE', members, '-inf', now)
  if #dead == 0 then return end
  breakAll()
  local gone = {}
  for _, client in ipairs(dead) do
    redis.call('ZREM', members, client)
    gone[client] = true
  end
  -- What they will not take any more.
  for _, party in ipairs(redis.call('HKEYS', results)) do
    if gone[string.match(party, '^[^.]*')] then redis.call('HDEL', results, party) end
  end
end
local function take(party)
  local result = redis.call('HGET', results, party)
  if result then redis.call('HDEL', results, party) end
  return result
end
settle()
`;

const once = (access: 'writes' | 'lets go', text: string) =>
  new Script(access, checkObject, onlyOnce, serverTime, steps, text);

export const barrierScripts = {
  /**
   * Comes, unless it has. ARGV: wakes, party, client, lease, whether it knows that it has: if nothing of it is here any more, it
   * was thought dead. @returns what became of its round, as text; while that is open, the ms for which all members live in any
   * case.
   */
  arrive: once(
    'writes',
    `
local party, client, lease = ARGV[5], ARGV[6], tonumber(ARGV[7])
local result = take(party)
if result then return answer(result) end
if not redis.call('LPOS', arrived, party) then
  if ARGV[8] == '1' or redis.call('HGET', meta, 'broken') == '1' then return answer('broken') end
  redis.call('RPUSH', arrived, party)
end
redis.call('ZADD', members, now + lease, client)
local all = redis.call('LRANGE', arrived, 0, -1)
if #all >= tonumber(redis.call('HGET', meta, 'parties')) then
  redis.call('DEL', arrived)
  for i, each in ipairs(all) do
    if each ~= party then tell(each, string.format('%d', i - 1)) end
  end
  return answer(string.format('%d', #all - 1))
end
return answer(math.ceil(tonumber(redis.call('ZRANGE', members, 0, 0, 'WITHSCORES')[2]) - now))
`,
  ),
  /**
   * Of a party that gives up. ARGV: wakes, party, how: 'withdraws', as if it had not come; 'late', which breaks the barrier;
   * 'ends', which does so only if it has come. @returns what became of its round, or 'gone'.
   */
  leave: once(
    'lets go',
    `
local party, how = ARGV[5], ARGV[6]
local result = take(party)
if result then return answer(result) end
local has_come = redis.call('LREM', arrived, 1, party) == 1
if how == 'late' or (how == 'ends' and has_come) then
  breakAll()
  return answer('broken')
end
return answer('gone')
`,
  ),
  /** ARGV: wakes. */
  abort: once('lets go', 'breakAll() return answer(0)'),
  /** ARGV: wakes. */
  reset: once('lets go', `breakRound() redis.call('HSET', meta, 'broken', 0) return answer(0)`),
  /** Of a client that does not come any more. ARGV: client. */
  quit: new Script('lets go', checkObject, `return redis.call('ZREM', KEYS[2], ARGV[2])`),
  /** @returns how many parties there are, how many wait, whether it is broken, and the timeout as text. */
  look: new Script(
    'reads',
    checkObject,
    serverTime,
    `
local facts = redis.call('HMGET', meta, 'parties', 'broken', 'timeout')
local broken = facts[2] == '1' or redis.call('ZCOUNT', KEYS[2], '-inf', now) > 0
return { tonumber(facts[1]), broken and 0 or redis.call('LLEN', KEYS[3]), broken and 1 or 0, facts[3] }
`,
  ),
  /** ARGV: wakes. */
  dispose: new Script(
    'lets go',
    checkObject,
    `
for _, party in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
  redis.call('PUBLISH', ARGV[2] .. string.match(party, '^[^.]*'), party)
end
redis.call('DEL', unpack(KEYS))
return 1
`,
  ),
};
