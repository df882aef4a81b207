import { MultiprocessError } from '../../errors/index.js';
import { RemoteDictProxy, RemoteListProxy, RemoteNamespaceProxy } from './remote-collections.js';
import type { RemoteConnection } from './remote-connection.js';
import { instanceClass } from './remote-instance.js';
import { RemoteLockProxy, RemoteRLockProxy } from './remote-lock.js';
import type { RemoteProxy } from './remote-object.js';
import { RemoteJoinableQueueProxy, RemoteQueueProxy } from './remote-queue.js';
import { RemoteArrayProxy, RemoteStringProxy, RemoteValueProxy } from './remote-value.js';
import {
  RemoteBarrierProxy,
  RemoteBoundedSemaphoreProxy,
  RemoteConditionProxy,
  RemoteEventProxy,
  RemoteSemaphoreProxy,
} from './remote-waiting.js';
import type { ObjectName } from './wire.js';

const classes: Record<string, new (connection: RemoteConnection, number: number) => RemoteProxy> = {
  dict: RemoteDictProxy,
  sharedlist: RemoteListProxy,
  namespace: RemoteNamespaceProxy,
  lock: RemoteLockProxy,
  rlock: RemoteRLockProxy,
  semaphore: RemoteSemaphoreProxy,
  boundedsemaphore: RemoteBoundedSemaphoreProxy,
  condition: RemoteConditionProxy,
  event: RemoteEventProxy,
  barrier: RemoteBarrierProxy,
  queue: RemoteQueueProxy,
  joinablequeue: RemoteJoinableQueueProxy,
  value: RemoteValueProxy,
  array: RemoteArrayProxy,
  string: RemoteStringProxy,
};

/** Makes what a client sees of an object that the server has named. */
export function makeProxy(connection: RemoteConnection, name: ObjectName): RemoteProxy {
  const [number, kind] = name;
  if (name.length > 2) {
    const [, , typeid, methods, generators] = name as Extract<ObjectName, readonly [number, 'remote', ...unknown[]]>;
    return new (instanceClass(typeid, methods, generators))(connection, number);
  }
  const type = Object.hasOwn(classes, kind) ? classes[kind] : undefined;
  if (type === undefined)
    throw new MultiprocessError(`The manager has told of an object of the unknown kind '${kind}'.`);
  return new type(connection, number);
}
