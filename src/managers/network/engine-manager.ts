import type { RedisManager } from '../../redis/index.js';
import type { RemoteManager } from './remote-manager.js';

/**
 * A server of Redis or Valkey, by `connect('redis://…')`: what a manager on another machine has, as far as there are such
 * objects at a server yet. They stay there until they are disposed of.
 */
export interface EngineManager
  extends Pick<
    RemoteManager,
    'dict' | 'list' | 'Namespace' | 'Lock' | 'RLock' | 'address' | 'closed' | 'close' | typeof Symbol.asyncDispose
  > {}

/** The same for the compiler: what is done there is what is said here. */
export function asEngineManager(manager: RedisManager): EngineManager {
  return manager;
}
