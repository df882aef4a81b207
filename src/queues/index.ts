import './contents.js';

export type { SyncWaitOptions, WaitOptions } from '../heap/internal.js';
export type { Lease } from './lease.js';
export { Queue } from './queue.js';
