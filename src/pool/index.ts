export { Pool } from './pool.js';
export type { PoolArgs, PoolOptions } from './pool-options.js';
export type { PoolStats } from './pool-stats.js';
export type { TaskOptions } from './task-options.js';
