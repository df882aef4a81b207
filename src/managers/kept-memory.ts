import { errorCode } from '../os/index.js';
import { type ShareableItem, ShareableList, SharedMemory } from '../shared-memory/index.js';

/** Blocks of shared memory that a server has made for its clients. If it is killed, its process tree cleans up after it. */
export class KeptMemory {
  readonly #kept = new Set<SharedMemory | ShareableList>();

  /** @throws what `SharedMemory.create` throws. */
  block(size: number): SharedMemory {
    const block = SharedMemory.create(size);
    this.#kept.add(block);
    return block;
  }

  /** @throws what `new ShareableList` throws. */
  list(items: readonly ShareableItem[]): ShareableList {
    const list = new ShareableList(items);
    this.#kept.add(list);
    return list;
  }

  /** Those that clients have unlinked are gone already. */
  unlinkAll(): void {
    for (const kept of this.#kept) {
      try {
        kept.unlink();
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
    this.#kept.clear();
  }
}
