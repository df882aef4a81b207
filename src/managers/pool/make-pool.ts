import type { Pool, PoolArgs } from '../../pool/index.js';
import { readPoolArgs, seal } from '../../pool/internal.js';
import { travelling } from '../../process/internal.js';
import type { Link } from '../link.js';
import { ask } from '../protocol.js';
import './managed-pool.js';
import type { PoolRequest } from './served-pool.js';

/** Has a pool made in a manager's server. @throws (rejects) what the constructor of Pool throws; ManagerClosedError. */
export async function makePool(link: Link, args: PoolArgs): Promise<Pool> {
  const { initializer, initargs, processes, maxTasksPerChild, allowSource, flags } = readPoolArgs(args);
  const fn = initializer === undefined ? null : seal(travelling(initializer, allowSource), 'initializer');
  const request: PoolRequest = {
    processes,
    allowSource,
    maxTasks: maxTasksPerChild,
    flags,
    initializer: [fn, seal(initargs, 'initargs')],
  };
  return (await link.connect().request(ask.pool, [request], { timeout: link.callTimeout })) as Pool;
}
