import type { Reply } from '../port.js';
import { checkObject, makeOrFind, onlyOnce, Script, serverTime } from '../script.js';

// A queue, of an object's keys:
//   meta     maxsize (0 for none), isJoinable, ended, last (the number of the last waiter)
//            of a joinable one: taken (items that have been taken for good, and are not done), doneByOthers (how many of
//            them have been said to be done by others than took them)
//   items    a list: for each item, how often it has been handed out with a lease (4 bytes), and its bytes
//   lent     a hash of the items that are leased: '<consumer>.<number>' → the item
//   taken    of a joinable one, a hash: consumer → how many of `taken` are its own
//   leases   consumers that have something, and those who wait, each until when it lives
//   getters  a sorted set of those who wait for an item, by when they came
//   putters  a sorted set of those who wait for room
//   done     no key, but the channel of hints for those who wait until all is done
// A consumer is '<client>/<n>', who waits is '<client>.<n>'. Those who wait are woken one by one, and take for themselves: so
// nothing is ever granted to somebody dead. Whoever takes, puts or waits finds the consumers whose leases have ended, and has
// what they leased go back to the head.

/** `shift` is how many keys come between the first one and those of the queue; `wakes` what channels of clients begin with. */
const steps = `
local items, lent, takers, leases = KEYS[2 + shift], KEYS[3 + shift], KEYS[4 + shift], KEYS[5 + shift]
local getters, putters, done = KEYS[6 + shift], KEYS[7 + shift], KEYS[8 + shift]
local facts = redis.call('HMGET', meta, 'maxsize', 'isJoinable', 'ended')
local maxsize, isJoinable, hasEnded = tonumber(facts[1]), facts[2] == '1', facts[3]
local function number(field)
  return tonumber(redis.call('HGET', meta, field) or '0')
end
local function hasRoom()
  return maxsize == 0 or redis.call('LLEN', items) < maxsize
end
local function wake(line, count)
  while count > 0 do
    local waiter = redis.call('ZPOPMIN', line)[1]
    if not waiter then return end
    local ends = redis.call('ZSCORE', leases, waiter)
    if ends and tonumber(ends) > now then
      count = count - 1
      redis.call('PUBLISH', wakes .. string.match(waiter, '^[^.]*'), waiter)
    else
      redis.call('ZREM', leases, waiter)
    end
  end
end
local function wait(line, waiter, lease)
  redis.call('ZADD', leases, now + lease, waiter)
  if not redis.call('ZSCORE', line, waiter) then
    redis.call('ZADD', line, redis.call('HINCRBY', meta, 'last', 1), waiter)
  end
end
local function leave(waiter)
  redis.call('ZREM', leases, waiter)
  redis.call('ZREM', getters, waiter)
  redis.call('ZREM', putters, waiter)
end
local function unfinished()
  local out = number('taken') - number('doneByOthers')
  return redis.call('LLEN', items) + redis.call('HLEN', lent) + out
end
local function tellIfOver()
  if isJoinable and unfinished() == 0 then redis.call('PUBLISH', done, '') end
  if hasEnded and redis.call('LLEN', items) == 0 then wake(getters, math.huge) end
end
local function finishTaken(consumer, count)
  if redis.call('HINCRBY', takers, consumer, -count) <= 0 then redis.call('HDEL', takers, consumer) end
  local taken = redis.call('HINCRBY', meta, 'taken', -count)
  if number('doneByOthers') > taken then redis.call('HSET', meta, 'doneByOthers', taken) end
end
local function giveBack(field)
  local item = redis.call('HGET', lent, field)
  if not item then return 0 end
  redis.call('HDEL', lent, field)
  redis.call('LPUSH', items, item)
  return 1
end
local function bury(consumer)
  local numbers = {}
  local prefix = consumer .. '.'
  for _, field in ipairs(redis.call('HKEYS', lent)) do
    if string.sub(field, 1, #prefix) == prefix then numbers[#numbers + 1] = tonumber(string.sub(field, #prefix + 1)) end
  end
  -- The last one first: so they are at the head in the order in which they were taken.
  table.sort(numbers, function(a, b) return a > b end)
  for _, n in ipairs(numbers) do giveBack(prefix .. string.format('%.0f', n)) end
  local taken = tonumber(redis.call('HGET', takers, consumer) or '0')
  if taken > 0 then finishTaken(consumer, taken) end
  redis.call('ZREM', leases, consumer)
  if #numbers > 0 then wake(getters, #numbers) end
  if #numbers > 0 or taken > 0 then tellIfOver() end
end
local function buryTheDead()
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 100)) do
    if string.find(member, '/', 1, true) then bury(member) else leave(member) end
  end
end
-- In how many ms somebody's lease ends, of those that may have something; or the longest that is worth waiting.
local function nextDeath(longest)
  if redis.call('HLEN', lent) == 0 and redis.call('HLEN', takers) == 0 then return longest end
  local first = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')
  if not first[2] then return longest end
  return math.max(1, math.min(longest, math.ceil(tonumber(first[2]) - now) + 1))
end
`;

/** What runs again when the connection was lost: the same again. */
const repeatable = (...parts: string[]) =>
  [checkObject, serverTime, 'local shift, wakes = 0, ARGV[2]', steps, ...parts] as const;
/** What is remembered. */
const once = (...parts: string[]) =>
  [checkObject, onlyOnce, serverTime, 'local shift, wakes = 1, ARGV[4]', steps, ...parts] as const;

/** ARGV: kind, id, maxsize, whether it is joinable. */
export const makeQueue = new Script(
  'writes',
  makeOrFind,
  `
redis.call('HSET', meta, 'maxsize', ARGV[3], 'isJoinable', ARGV[4])
return ARGV[2]
`,
);

const noMore = `return redis.error_reply('MPENDED the queue takes no more')`;
const over = `return redis.error_reply('MPOVER the queue has been ended')`;

/**
 * Nothing is there: waits, if it is to. What others have leased may come back, so even an ended queue is not over before.
 * `own` is the prefix of what this client has leased.
 */
const none = (answer: string) => `
if hasEnded then
  local others = false
  for _, field in ipairs(redis.call('HKEYS', lent)) do
    if string.sub(field, 1, #own) ~= own then others = true break end
  end
  if not others then
    leave(waiter)
    ${over}
  end
end
if waiter ~= '' then wait(getters, waiter, lease) end
return ${answer}({ 0, nextDeath(math.floor(lease / 3)) })
`;

export const queueScripts = {
  /** ARGV: wakes, item, waiter or '', lease. @returns 1, or 0 when there is no room. */
  put: new Script(
    'writes',
    ...once(`
local item, waiter, lease = ARGV[5], ARGV[6], tonumber(ARGV[7])
if hasEnded then
  leave(waiter)
  ${noMore}
end
if not hasRoom() then
  if waiter ~= '' then wait(putters, waiter, lease) end
  return answer(0)
end
if waiter ~= '' then leave(waiter) end
redis.call('RPUSH', items, item)
wake(getters, 1)
if maxsize > 0 and hasRoom() then wake(putters, 1) end
return answer(1)
`),
  ),
  /** ARGV: wakes, waiter, lease. @returns 1 when there is room. */
  awaitRoom: new Script(
    'lets go',
    ...repeatable(`
if hasEnded then
  leave(ARGV[3])
  ${noMore}
end
if hasRoom() then return 1 end
wait(putters, ARGV[3], tonumber(ARGV[4]))
return 0
`),
  ),
  /** Takes for good. ARGV: wakes, waiter or '', lease, the client's prefix, consumer. @returns 1 and the item; or 0 and when to look again. */
  take: new Script(
    'lets go',
    ...once(`
local waiter, lease, own, consumer = ARGV[5], tonumber(ARGV[6]), ARGV[7], ARGV[8]
buryTheDead()
local item = redis.call('LPOP', items)
if not item then
  ${none('answer')}
end
if waiter ~= '' then leave(waiter) end
if isJoinable then
  redis.call('HINCRBY', takers, consumer, 1)
  redis.call('HINCRBY', meta, 'taken', 1)
  redis.call('ZADD', leases, now + lease, consumer)
end
if maxsize > 0 then wake(putters, 1) end
if redis.call('LLEN', items) > 0 then wake(getters, 1) else tellIfOver() end
return answer({ 1, item })
`),
  ),
  /**
   * Takes with a lease. ARGV: wakes, waiter or '', lease, the client's prefix, consumer, '<consumer>.<number>'. @returns 1 and
   * the item; or 0 and when to look again.
   */
  lend: new Script(
    'lets go',
    ...repeatable(`
local waiter, lease, own, consumer, field = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local item = redis.call('HGET', lent, field)
if not item then
  buryTheDead()
  item = redis.call('LPOP', items)
  if not item then
    local function answer(result) return result end
    ${none('answer')}
  end
  item = struct.pack('<I4', struct.unpack('<I4', item) + 1) .. string.sub(item, 5)
  redis.call('HSET', lent, field, item)
  if maxsize > 0 then wake(putters, 1) end
  if redis.call('LLEN', items) > 0 then wake(getters, 1) end
end
if waiter ~= '' then leave(waiter) end
redis.call('ZADD', leases, now + lease, consumer)
return { 1, item }
`),
  ),
  /** What was taken for good, by somebody who does not want it any more. ARGV: wakes, item, consumer. */
  putBack: new Script(
    'lets go', // it was there before
    ...once(`
redis.call('LPUSH', items, ARGV[5])
if tonumber(redis.call('HGET', takers, ARGV[6]) or '0') > 0 then finishTaken(ARGV[6], 1) end
wake(getters, 1)
return answer(0)
`),
  ),
  /**
   * Gives a leased item back, and leaves the line. ARGV: wakes, waiter or '', '<consumer>.<number>' or ''. @returns whether it
   * was leased still.
   */
  leave: new Script(
    'lets go',
    ...repeatable(`
if ARGV[3] ~= '' then leave(ARGV[3]) end
local found = giveBack(ARGV[4])
-- Whoever leaves may have been woken in vain.
if redis.call('LLEN', items) > 0 then wake(getters, 1) end
if maxsize > 0 and hasRoom() then wake(putters, 1) end
return found
`),
  ),
  /** The item is dealt with. ARGV: wakes, '<consumer>.<number>'. @returns whether it was leased still. */
  ack: new Script(
    'lets go',
    ...repeatable(`
local found = redis.call('HDEL', lent, ARGV[3])
if found == 1 then tellIfOver() end
return found
`),
  ),
  /** All that a consumer has goes back, or is done. ARGV: wakes, consumer. */
  resign: new Script('lets go', ...repeatable('bury(ARGV[3]) return 1')),
  /** ARGV: wakes, consumer. @returns whether it was one that this consumer had taken. */
  taskDone: new Script(
    'lets go',
    ...once(`
local isOwn = redis.call('HEXISTS', takers, ARGV[5])
if isOwn == 1 then
  finishTaken(ARGV[5], 1)
elseif number('taken') > number('doneByOthers') then
  redis.call('HINCRBY', meta, 'doneByOthers', 1)
else
  return redis.error_reply('MPDONE all that were taken are done')
end
tellIfOver()
return answer(isOwn)
`),
  ),
  /** ARGV: wakes, lease. @returns 0 when all is done; or in how many ms to look again. */
  join: new Script(
    'lets go',
    ...repeatable(`
buryTheDead()
if unfinished() == 0 then return 0 end
return nextDeath(tonumber(ARGV[3]))
`),
  ),
  /** @returns how many items there are to get, and how many there may be. */
  size: new Script('reads', checkObject, `return { redis.call('LLEN', KEYS[2]), redis.call('HGET', meta, 'maxsize') }`),
  /** ARGV: wakes. */
  end: new Script(
    'lets go',
    ...once(`
redis.call('HSET', meta, 'ended', 1)
wake(getters, math.huge)
wake(putters, math.huge)
return answer(0)
`),
  ),
  /** ARGV: wakes. */
  dispose: new Script(
    'lets go',
    ...repeatable(`
wake(getters, math.huge)
wake(putters, math.huge)
redis.call('PUBLISH', done, '')
redis.call('DEL', unpack(KEYS))
return 1
`),
  ),
};

/** How often it has been handed out with a lease stands before the bytes of an item. */
const HEADER_BYTES = 4;
const NEVER = Buffer.alloc(HEADER_BYTES);

/** An item as it lies at the server. */
export class Item {
  readonly #raw: Buffer;

  constructor(raw: Buffer) {
    this.#raw = raw;
  }

  static of(bytes: Buffer): Item {
    return new Item(Buffer.concat([NEVER, bytes]));
  }

  get raw(): Buffer {
    return this.#raw;
  }

  get bytes(): Buffer {
    return this.#raw.subarray(HEADER_BYTES);
  }

  get deliveries(): number {
    return this.#raw.readUInt32LE(0);
  }
}

/** @returns what was taken; or in how many ms to look again. */
export function readTaken(reply: Reply): Item | number {
  const [found, what] = reply as [number, Buffer | number];
  return found === 1 ? new Item(what as Buffer) : Number(what);
}
