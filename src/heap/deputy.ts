import { openInstead } from './current-heap.js';
import { Heap } from './heap.js';
import type { HeapId } from './segment.js';
import { takeSlotForOther } from './transit.js';

// Somebody who cannot take part in heaps himself, because he is on another machine, is represented by a deputy: a participant
// of each heap that he needs, with a slot of its own, in the environment of the server that acts for him. So what he acquires
// he owns and nobody else, other clients of the same server among them; and when he goes, or the server does, it is given
// back as that of every other participant.

export class Deputy {
  readonly #heaps = new Map<HeapId, Heap>();
  #ended = false;

  /** Takes part in that heap now, not only when something of it is opened. @throws TooManyParticipantsError */
  join(heap: Heap): void {
    this.#instead(heap);
  }

  /**
   * What `open` opens by handles is the deputy's, and so is what is read in it later; until the deputy ends. Raw memory, which
   * nobody owns, is the environment's.
   *
   * @throws TooManyParticipantsError when a heap has no place left; what `open` throws.
   */
  open<T>(open: () => T): T {
    return openInstead(this.#instead, open);
  }

  /**
   * Gives back all that it has. Idempotent.
   *
   * @param died whether whom it stands for is gone without a word.
   */
  end(died: boolean): void {
    this.#ended = true;
    for (const heap of this.#heaps.values()) {
      try {
        heap.leave(died);
      } catch {
        // Its descriptor is closed all the same: what is left is reaped by others.
      }
    }
    this.#heaps.clear();
  }

  readonly #instead = (main: Heap): Heap => {
    const known = this.#heaps.get(main.id);
    if (known !== undefined && known.nonce === main.nonce) return known;
    if (this.#ended) throw new Error('A deputy that has ended opens nothing any more.');
    const { fd, ...taken } = takeSlotForOther(main);
    const heap = Heap.forAnother(main, taken, fd, this.#instead);
    this.#heaps.set(main.id, heap);
    return heap;
  };
}
