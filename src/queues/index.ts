import './contents.js';

export type { SyncWaitOptions, WaitOptions } from '../heap/internal.js';
export { Connection, Pipe } from './connection.js';
export { JoinableQueue } from './joinable-queue.js';
export type { Lease } from './lease.js';
export { Queue } from './queue.js';
export { SimpleQueue } from './simple-queue.js';
