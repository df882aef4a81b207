import type { Reply } from '../port.js';
import { checkObject, makeOrFind, onlyOnce, Script, serverTime } from '../script.js';

// A pool, of an object's keys:
//   meta     nothing more
//   tasks    a list of the chunks that nobody has begun, and the channel on which workers are told of them
//   chunks   a hash: chunk → what is to be done; empty for one of which nobody wants the outcome
//   held     a hash: chunk → the worker that is at it
//   results  a hash: chunk → 'D' and the outcome; or 'L' when the worker was lost
//   leases   clients that have asked for something, and workers, each until when it lives
//   workers  a hash: worker → what it says of itself
// Clients and workers are '<client>/<n>', a chunk is '<client>/<n>.<number>', by the client that wants it.

const steps = `
local tasks, chunks, held, results, leases, workers =
  KEYS[2 + shift], KEYS[3 + shift], KEYS[4 + shift], KEYS[5 + shift], KEYS[6 + shift], KEYS[7 + shift]
local function tell(id)
  redis.call('PUBLISH', wakes .. string.match(id, '^[^/]*'), id)
end
local function removeOf(key, prefix)
  for _, id in ipairs(redis.call('HKEYS', key)) do
    if string.sub(id, 1, #prefix) == prefix then redis.call('HDEL', key, id) end
  end
end
local function bury(member)
  redis.call('ZREM', leases, member)
  redis.call('HDEL', workers, member)
  -- What a worker was at is lost.
  local all = redis.call('HGETALL', held)
  for i = 1, #all, 2 do
    if all[i + 1] == member then
      local id = all[i]
      redis.call('HDEL', held, id)
      local isWanted = redis.call('HSTRLEN', chunks, id) > 0
      redis.call('HDEL', chunks, id)
      if isWanted then
        redis.call('HSET', results, id, 'L')
        tell(id)
      end
    end
  end
  -- What a client has asked for is not wanted any more.
  removeOf(chunks, member .. '.')
  removeOf(results, member .. '.')
end
local function buryTheDead()
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 100)) do bury(member) end
end
local function nextDeath(longest)
  local first = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')
  if not first[2] then return longest end
  return math.max(1, math.min(longest, math.ceil(tonumber(first[2]) - now) + 1))
end
`;

const repeatable = (...parts: string[]) =>
  [checkObject, serverTime, 'local shift, wakes = 0, ARGV[2]', steps, ...parts] as const;
const once = (...parts: string[]) =>
  [checkObject, onlyOnce, serverTime, 'local shift, wakes = 1, ARGV[4]', steps, ...parts] as const;

/** ARGV: kind, id. */
export const makePool = new Script('writes', makeOrFind, 'return ARGV[2]');

/** What is said on the channel of workers when something is not wanted any more. */
export const DROPPED = 'dropped';

export const poolScripts = {
  /** ARGV: wakes, client, lease, then chunks and what is to be done by turns. */
  submit: new Script(
    'writes',
    ...once(`
redis.call('ZADD', leases, now + tonumber(ARGV[6]), ARGV[5])
for i = 7, #ARGV, 2 do
  redis.call('HSET', chunks, ARGV[i], ARGV[i + 1])
  redis.call('RPUSH', tasks, ARGV[i])
end
redis.call('PUBLISH', tasks, '')
return answer(0)
`),
  ),
  /**
   * What is not wanted any more. ARGV: wakes, whether workers that are at it are to be ended, then chunks. What is left of them
   * in the list is found to be nothing.
   */
  drop: new Script(
    'lets go',
    ...repeatable(`
for i = 4, #ARGV do
  if ARGV[3] == '1' or redis.call('HEXISTS', held, ARGV[i]) == 0 then
    redis.call('HDEL', chunks, ARGV[i])
  elseif redis.call('HEXISTS', chunks, ARGV[i]) == 1 then
    redis.call('HSET', chunks, ARGV[i], '')
  end
  redis.call('HDEL', results, ARGV[i])
end
redis.call('PUBLISH', tasks, '${DROPPED}')
return 1
`),
  ),
  /**
   * ARGV: wakes, lease, whether to tell of the workers, how many chunks follow of which the outcome has arrived, those, and the
   * ones of which it has not. @returns when to look again; for each of the latter what is known: the outcome, '' for none yet,
   * 'G' when it is gone; and workers.
   */
  collect: new Script(
    'lets go',
    ...repeatable(`
local count = tonumber(ARGV[5])
for i = 6, 5 + count do redis.call('HDEL', results, ARGV[i]) end
buryTheDead()
local found = {}
for i = 6 + count, #ARGV do
  local outcome = redis.call('HGET', results, ARGV[i])
  if not outcome then outcome = redis.call('HEXISTS', chunks, ARGV[i]) == 1 and '' or 'G' end
  found[#found + 1] = outcome
end
local all = ARGV[4] == '1' and redis.call('HVALS', workers) or {}
return { nextDeath(math.floor(tonumber(ARGV[3]) / 3)), found, all }
`),
  ),
  /**
   * ARGV: wakes, worker, lease, how many chunks it takes, what it says of itself, whether to look at all that it has, and all
   * that it knows to have. @returns when to look again; chunks that it has to give up; chunks that it has got, and what is to be
   * done, by turns.
   */
  take: new Script(
    'lets go',
    ...repeatable(`
local worker, lease, free, check = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[7] == '1'
buryTheDead()
redis.call('ZADD', leases, now + lease, worker)
redis.call('HSET', workers, worker, ARGV[6])
local dropped, given = {}, {}
local function give(id, what)
  given[#given + 1] = id
  given[#given + 1] = what
end
if check then
  local known = {}
  for i = 8, #ARGV do
    local id = ARGV[i]
    known[id] = true
    if redis.call('HEXISTS', chunks, id) == 0 or redis.call('HGET', held, id) ~= worker then
      dropped[#dropped + 1] = id
      if redis.call('HGET', held, id) == worker then redis.call('HDEL', held, id) end
    end
  end
  -- What it was given, and has not heard of.
  local all = redis.call('HGETALL', held)
  for i = 1, #all, 2 do
    if all[i + 1] == worker and not known[all[i]] then
      local what = redis.call('HGET', chunks, all[i])
      if what and what ~= '' then
        give(all[i], what)
      else
        redis.call('HDEL', held, all[i])
        redis.call('HDEL', chunks, all[i])
      end
    end
  end
end
while free > 0 do
  local id = redis.call('LPOP', tasks)
  if not id then break end
  local what = redis.call('HGET', chunks, id)
  if what then
    redis.call('HSET', held, id, worker)
    give(id, what)
    free = free - 1
  end
end
return { nextDeath(math.floor(lease / 3)), dropped, given }
`),
  ),
  /** A chunk is done. ARGV: wakes, worker, chunk, outcome. @returns whether the worker still had it. */
  finish: new Script(
    'lets go',
    ...repeatable(`
local worker, id = ARGV[3], ARGV[4]
if redis.call('HGET', held, id) ~= worker then return 0 end
redis.call('HDEL', held, id)
local isWanted = redis.call('HSTRLEN', chunks, id) > 0
redis.call('HDEL', chunks, id)
if isWanted then
  redis.call('HSET', results, id, 'D' .. ARGV[5])
  tell(id)
end
return 1
`),
  ),
  /** A client or a worker leaves. ARGV: wakes, who. */
  resign: new Script('lets go', ...repeatable('bury(ARGV[3]) return 1')),
  /** ARGV: wakes. */
  dispose: new Script(
    'lets go',
    ...repeatable(`
for _, id in ipairs(redis.call('HKEYS', chunks)) do tell(id) end
redis.call('PUBLISH', tasks, '${DROPPED}')
redis.call('DEL', unpack(KEYS))
return 1
`),
  ),
};

/** What has become of a chunk. */
export type Outcome = Buffer | 'pending' | 'lost' | 'gone';

export interface Collected {
  readonly again: number;
  readonly outcomes: readonly Outcome[];
  readonly workers: readonly string[];
}

export function readCollected(reply: Reply): Collected {
  const [again, found, workers] = reply as [number, Buffer[], Buffer[]];
  return { again, outcomes: found.map(outcomeOf), workers: workers.map(String) };
}

function outcomeOf(found: Buffer): Outcome {
  if (found.length === 0) return 'pending';
  const tag = String.fromCharCode(found[0]!);
  if (tag === 'D') return found.subarray(1);
  return tag === 'L' ? 'lost' : 'gone';
}

export interface TakenChunks {
  readonly again: number;
  readonly dropped: readonly string[];
  readonly given: readonly (readonly [id: string, what: Buffer])[];
}

export function readChunks(reply: Reply): TakenChunks {
  const [again, dropped, flat] = reply as [number, Buffer[], Buffer[]];
  const given: [string, Buffer][] = [];
  for (let i = 0; i < flat.length; i += 2) given.push([String(flat[i]), flat[i + 1]!]);
  return { again, dropped: dropped.map(String), given };
}
