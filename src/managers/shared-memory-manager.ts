import type { ShareableItem, ShareableList, SharedMemory } from '../shared-memory/index.js';
import type { Handle } from '../shared-memory/internal.js';
import { BaseManager, formatManager, registerManagerKind } from './base-manager.js';
import { ask } from './protocol.js';
import { askSync } from './remote.js';

/**
 * A manager that makes blocks of shared memory, and unlinks all of them when it ends.
 *
 * Its methods block for as long as it takes the server to answer, about a tenth of a millisecond. They throw
 * ManagerNotStartedError and ManagerClosedError, and what making a block or a list oneself throws.
 *
 * @example
 * ```ts
 * import { SharedMemoryManager } from 'multiprocess';
 *
 * const manager = new SharedMemoryManager();
 * await manager.start();
 * const block = manager.SharedMemory(16);
 * const list = manager.ShareableList([1, 'two', null]);
 * console.log(block.size, list.get(1)); // 16 two
 * await manager.shutdown(); // both are unlinked
 * ```
 */
export class SharedMemoryManager extends BaseManager {
  /** A new block of so many bytes, all zero. */
  SharedMemory(size: number): SharedMemory {
    return askSync(BaseManager.linkOf(this), ask.block, [size]) as SharedMemory;
  }

  /** A new list with these items. */
  ShareableList<T = ShareableItem>(sequence: Iterable<T & ShareableItem>): ShareableList<T> {
    return askSync(BaseManager.linkOf(this), ask.list, [[...sequence]]) as ShareableList<T>;
  }

  override get handle(): Handle<SharedMemoryManager> {
    return formatManager('memorymanager', this) as Handle<SharedMemoryManager>;
  }
}

registerManagerKind('memorymanager', SharedMemoryManager, import.meta.url);
