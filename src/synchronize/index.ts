export type { SyncWaitOptions, WaitOptions } from '../heap/internal.js';
export type { Acquirable } from './acquirable.js';
export type { Guard } from './guard.js';
export { Lock } from './lock.js';
export { RLock } from './rlock.js';
