import type { Line } from '../line.js';
import { Script, serverTime } from '../script.js';

const script = new Script(
  'lets go', // it makes nothing larger
  `
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
`,
  serverTime,
  `
if not ends or tonumber(ends) <= now then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
return 1
`,
);

/** Lets a lease last for `lease` ms more. @returns whether it was still there. */
export async function renew(line: Line, leases: string, member: string, lease: number): Promise<boolean> {
  const call = { script, keys: [leases], args: [member, lease], again: 'repeatable' } as const;
  return (await line.run(call)) === 1;
}
