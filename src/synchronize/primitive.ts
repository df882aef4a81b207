import { enterWrapper, formatPlace, type Heap, Place, type RootAddress, treeHeap } from '../heap/internal.js';
import { markUncloneable, refuseJson, unsharedWarning } from '../shared-memory/internal.js';

/** What all objects have in common with which processes wait for each other: a root of their own, a handle, an end. */
export abstract class Primitive {
  protected readonly place: Place;
  #warnUnshared: (() => void) | undefined;

  /**
   * @param name as in `new Name()`.
   * @param found where it is, or how it is made in a heap.
   * @param home the heap to make it in; default: that of the process tree.
   */
  constructor(name: string, found: Place | ((heap: Heap) => RootAddress), home?: Heap) {
    if (typeof found === 'function') {
      const heap = home ?? treeHeap();
      this.place = new Place(heap, found(heap));
      this.#warnUnshared = unsharedWarning(name);
    } else {
      this.place = found;
    }
    enterWrapper(this, this.place);
    markUncloneable(this);
  }

  /** Ends it for all who use it: those who wait, and every later use, throw `StaleHandleError`. */
  dispose(): void {
    this.place.heap.dispose(this.place.at);
  }

  /** @throws TypeError: it is no data. */
  toJSON(): never {
    return refuseJson(this.constructor.name);
  }

  /** Called on first use of all that waits or wakes. */
  protected used(): void {
    if (this.#warnUnshared === undefined) return;
    this.#warnUnshared();
    this.#warnUnshared = undefined;
  }

  protected get fields(): string {
    return formatPlace(this.place);
  }
}
