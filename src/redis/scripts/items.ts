import { checkObject, makeOrFind, onlyOnce, Script } from '../script.js';

// A value or an array, of an object's keys:
//   meta   length: how many items there are, which never changes
//   bytes  the items, one behind the other, as they would lie in memory
//   lock…  its lock

/** ARGV: kind, id, how many items, how many bytes; the bytes, unless they are all zero. */
export const makeItems = new Script(
  'writes',
  makeOrFind,
  `
redis.call('HSET', meta, 'length', ARGV[3])
redis.call('DEL', KEYS[2])
if ARGV[5] then
  redis.call('SET', KEYS[2], ARGV[5])
elseif ARGV[4] ~= '0' then
  redis.call('SETRANGE', KEYS[2], tonumber(ARGV[4]) - 1, '\\0')
end
redis.call('HSET', KEYS[3], 'kind', 'rlock', 'id', ARGV[2])
return ARGV[2]
`,
);

const steps = `
local bytes, at = KEYS[3], tonumber(ARGV[4])
local function read(size) return redis.call('GETRANGE', bytes, at, at + size - 1) end
local function write(new) redis.call('SETRANGE', bytes, at, new) end
`;
const step = (text: string) => new Script('writes', checkObject, onlyOnce, steps, text);

export const itemScripts = {
  length: new Script('reads', checkObject, `return tonumber(redis.call('HGET', meta, 'length'))`),
  /** ARGV: the first and the last byte. */
  read: new Script('reads', checkObject, `return redis.call('GETRANGE', KEYS[2], ARGV[2], ARGV[3])`),
  /** ARGV: places and bytes by turns. */
  write: step(`
for i = 4, #ARGV, 2 do redis.call('SETRANGE', bytes, ARGV[i], ARGV[i + 1]) end
return answer(0)
`),
  /** ARGV: place, bytes. @returns what was there. */
  exchange: step(`
local old = read(#ARGV[5])
write(ARGV[5])
return answer(old)
`),
  /** ARGV: place, what is expected, what is to be instead. @returns 1, or what is there. */
  compareExchange: step(`
local old = read(#ARGV[5])
if old ~= ARGV[5] then return answer(old) end
write(ARGV[6])
return answer(1)
`),
  /**
   * ARGV: place; 'integer', 'big' or 'float'; bytes of an item, 's' if it has a sign; the number, of a big one in halves, the
   * lower one without a sign. @returns what was there; in a list, where the sum does not fit.
   */
  add: step(`
local form, size, signed = ARGV[5], tonumber(ARGV[6]), ARGV[7] == 's'
local old = read(size)
local function isFinite(n) return n - n == 0 end
local function isIn(n, bits)
  if signed then return n >= -2 ^ (bits - 1) and n < 2 ^ (bits - 1) end
  return n >= 0 and n < 2 ^ bits
end
if form == 'big' then
  local half = signed and '<i4' or '<I4'
  local low = (struct.unpack('<I4', old)) + tonumber(ARGV[8])
  local high = (struct.unpack(half, old, 5)) + tonumber(ARGV[9])
  if low >= 2 ^ 32 then
    low = low - 2 ^ 32
    high = high + 1
  end
  if not isIn(high, 32) then return answer({ old }) end
  write(struct.pack('<I4', low) .. struct.pack(half, high))
elseif form == 'float' then
  local shape = size == 4 and '<f' or '<d'
  local before, by = (struct.unpack(shape, old)), (struct.unpack('<d', ARGV[8]))
  local new = struct.pack(shape, before + by)
  if not isFinite((struct.unpack(shape, new))) and isFinite(before) and isFinite(by) then return answer({ old }) end
  write(new)
else
  local shape = (signed and '<i' or '<I') .. size
  local sum = (struct.unpack(shape, old)) + tonumber(ARGV[8])
  if not isIn(sum, 8 * size) then return answer({ old }) end
  write(struct.pack(shape, sum))
end
return answer(old)
`),
  /** ARGV: wakes. */
  dispose: new Script(
    'lets go',
    checkObject,
    `
for _, member in ipairs(redis.call('LRANGE', KEYS[5], 0, -1)) do
  redis.call('PUBLISH', ARGV[2] .. string.match(member, '^[^.]*'), member)
end
redis.call('DEL', unpack(KEYS))
return 1
`,
  ),
};
