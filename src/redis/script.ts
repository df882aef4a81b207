import { createHash } from 'node:crypto';

// Each atomic step is one script. The server knows it by its hash once it has seen it.

/** Whether it writes: then a server that is full refuses the whole of it, unless what it does is to let go of something. */
type Access = 'writes' | 'lets go' | 'reads';

const first: Record<Access, string> = {
  writes: '#!lua',
  'lets go': '#!lua flags=allow-oom',
  reads: '#!lua flags=no-writes',
};

export class Script {
  readonly text: string;
  readonly hash: string;

  constructor(access: Access, ...parts: readonly string[]) {
    this.text = `${first[access]}\n${parts.join('\n')}`;
    this.hash = createHash('sha1').update(this.text).digest('hex');
  }
}

/**
 * Every step on an object that is there begins so: KEYS[1] is what says that it is, ARGV[1] the id that it was given when it
 * was made. One that was made again under the same name has another.
 */
export const checkObject = `
local meta = KEYS[1]
if redis.call('HGET', meta, 'id') ~= ARGV[1] then return redis.error_reply('MPSTALE the object is not there') end
`;

/** The server's clock, in ms: those of clients may differ, and jump. */
export const serverTime = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
`;

/**
 * What must not be done twice: KEYS[2] remembers what was answered to which step of the client, ARGV[2], until it says that it
 * has got the answer: ARGV[3] has the numbers of such steps. For who asks again because a connection was lost.
 */
export const onlyOnce = `
local answers = KEYS[2]
local before = redis.call('HGET', answers, ARGV[2])
if before then return cmsgpack.unpack(before)[1] end
local function answer(result)
  for number in string.gmatch(ARGV[3], '%d+') do redis.call('HDEL', answers, number) end
  redis.call('HSET', answers, ARGV[2], cmsgpack.pack({ result }))
  redis.call('PEXPIRE', answers, 600000)
  return result
end
`;

/** How an object is made, or found: what makes it follows. ARGV: kind, id. */
export const makeOrFind = `
local meta = KEYS[1]
if redis.call('EXISTS', meta) == 1 then
  local kind = redis.call('HGET', meta, 'kind')
  if kind ~= ARGV[1] then return redis.error_reply('MPKIND the object is of another kind') end
  return redis.call('HGET', meta, 'id')
end
redis.call('HSET', meta, 'kind', ARGV[1], 'id', ARGV[2])
`;
