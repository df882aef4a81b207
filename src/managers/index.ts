export { BaseManager, type ServeOptions } from './base-manager.js';
export type { ManagerOptions } from './manager-options.js';
export type { Named } from './names.js';
export { type ConnectOptions, connect, type EngineOptions, type EngineUrl } from './network/connect.js';
export type { EngineManager } from './network/engine-manager.js';
export type { RemoteDict, RemoteList, RemoteNamespace } from './network/remote-collections.js';
export type { RemoteInstance } from './network/remote-instance.js';
export type { RemoteLock } from './network/remote-lock.js';
export type { RemoteFactories, RemoteManager, RemoteTypes } from './network/remote-manager.js';
export type { RemoteJoinableQueue, RemoteLease, RemoteQueue } from './network/remote-queue.js';
export type { RemoteArray, RemoteString, RemoteValue } from './network/remote-value.js';
export type {
  RemoteBarrier,
  RemoteBoundedSemaphore,
  RemoteCondition,
  RemoteEvent,
  RemoteSemaphore,
} from './network/remote-waiting.js';
export type { Remote } from './remote.js';
export { SharedMemoryManager } from './shared-memory-manager.js';
export { Manager, SyncManager } from './sync-manager.js';
