import type { RemoteManager } from './remote-manager.js';

/**
 * A server of Redis or Valkey, by `connect('redis://…')`: what a manager on another machine has, as far as there are such
 * objects at a server yet. They stay there until they are disposed of.
 */
export interface EngineManager
  extends Pick<
    RemoteManager,
    | 'dict'
    | 'list'
    | 'Namespace'
    | 'Lock'
    | 'RLock'
    | 'Semaphore'
    | 'BoundedSemaphore'
    | 'Condition'
    | 'Event'
    | 'Barrier'
    | 'Value'
    | 'Array'
    | 'address'
    | 'closed'
    | 'close'
    | typeof Symbol.asyncDispose
  > {}
