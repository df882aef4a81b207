import { root } from './layout.js';
import type { Transaction } from './transaction.js';

// What containers consist of, as far as the heap must know: how to let go of it, and how to check it.
//
// A container whose last hold and reference have gone is put on the list of the dying by one write. Its contents are let go
// of later, by anybody, in transactions of bounded size: nobody holds or refers to it any more, so nobody else looks at its
// words, and the roots lock is enough.

export interface Contents {
  /**
   * Lets go of some of what a dying container consists of, and notes in its words what is left. Has the roots lock, and takes
   * no lock but the allocator's. Stops when less than {@link BURIAL_ROOM} words can be logged.
   *
   * @returns whether everything is gone.
   */
  bury(tx: Transaction, address: number): boolean;
  /** Tells a checker of each block and each object that a container, living or dying, has to do with. */
  survey(tx: Transaction, address: number, survey: Survey): void;
}

/** What a checker wants to know. */
export interface Survey {
  /** It has the block of that address. */
  owns(block: number): void;
  /** It counts as one reference to the object of that address, in this heap. */
  refersTo(address: number): void;
  problem(text: string): void;
}

/** Room in the log for one more part: a block or two freed, and up to four references dropped. */
export const BURIAL_ROOM = 128;

const kinds = new Map<number, Contents>();

/** Introduces a kind of container. */
export function registerContents(kind: number, contents: Contents): void {
  kinds.set(kind, contents);
}

/** Undefined for a kind that this program has not loaded: others know it. */
export function contentsOf(kind: number): Contents | undefined {
  return kinds.get(kind);
}

/** The words of a container's root that say where its contents are: `a` is the address of its body, 0 for none. */
export const BODY = root.a;
