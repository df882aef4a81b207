export { BaseManager } from './base-manager.js';
export type { ManagerOptions } from './manager-options.js';
export type { Named } from './names.js';
export type { Remote } from './remote.js';
export { SharedMemoryManager } from './shared-memory-manager.js';
export { Manager, SyncManager } from './sync-manager.js';
