// Where everything lies in a heap. All numbers are 32-bit words unless a name says bytes.
//
// A heap is a segment file and extent files. An *address* is one number for a word anywhere in it: the extent's index in
// the upper bits, the word's index within it in the lower 22; the segment is extent 0.
//
//   segment   header | slot 0 … slot 511 | undo log 0 … undo log 511 | extent table
//   slot      what there is to know of a participant; all together, because they are looked over often
//   undo log  248 pairs of address and old value
//   extent    pages of 16 KiB; the first ones hold the descriptors of all its pages

export const SEGMENT_MAGIC = 0x6870_6d34; // 'mph' and the layout's version
export const WORD_BYTES = 4;

export const EXTENT_SHIFT = 22;
export const EXTENT_MASK = (1 << EXTENT_SHIFT) - 1;
export const MAX_EXTENTS = 512;

// Header of the segment.
export const header = {
  magic: 0,
  /** One of `heapState`. */
  state: 1,
  /** Tells this heap from an earlier one of the same name; part of every handle. */
  nonce: 2,
  words: 3,
  /** Where the next joiner begins to look for a slot, so that generations are spread over all of them. */
  nextSlot: 4,
  extentCount: 5,
  rootsLock: 16,
  allocatorLock: 32,
  growthLock: 48,
  /** First of the free roots, and the page from which new ones are cut. */
  freeRoots: 64,
  rootsPage: 65,
  rootsCut: 66,
  /** Roots whose contents have yet to be let go of. */
  dying: 67,
  /** First node of the list of references from other heaps. */
  foreign: 68,
  /** Pages that the heap may take in all; 0 for no limit. Written once, before the heap is published. */
  maxPages: 69,
  /** Pages that the files of large objects take (limit.ts). */
  filePages: 70,
  /** A few pages that only transactions which make room may use (allocator.ts): address of the block, 0 for none. */
  reserve: 71,
  /** Pages with room, a list for each size class: structure first, then raw memory. */
  partial: 128,
  rawPartial: 192,
} as const;
export const HEADER_WORDS = 1024;

export const heapState = { ready: 1, ending: 2 } as const;

// Slots of participants.
export const MAX_SLOTS = 512;
export const SLOT_WORDS = 16; // a cache line: each is written by its owner
export const slot = {
  /** generation << 3 | one of `slotState`. One store changes both. */
  state: 0,
  /** The generation for which the log has been rolled back after a death. */
  rolledBack: 1,
  /** The generation that takes no more arrivals, because its estate is being settled. */
  closed: 2,
  pid: 3,
  /** Entries in the log; 0 outside a transaction. Setting it to 0 is the commit. */
  logLength: 4,
  /** First node of the list of what this participant has: its holds, and its places in the waiting lists of objects. */
  belongings: 5,
  /** First node of the list of holds that others have taken for this participant. */
  arrivals: 6,
  /** Wakes the thread that sleeps for this environment. */
  doorbell: 7,
} as const;
export const LOG_CAPACITY = 248;
const LOG_WORDS = 2 * LOG_CAPACITY;
export const slotState = { free: 0, live: 1 } as const;
export const GENERATION_SHIFT = 3;
export const MAX_GENERATION = (1 << 21) - 1;

// Owner tokens, in lock words: never 0, because generations begin at 1.
export const TOKEN_SLOT_BITS = 9;
export const TOKEN_MASK = 0x3fff_ffff;
export const RESERVED = 0x4000_0000;
export const WAITERS = 0x8000_0000 | 0;

const FIRST_LOG = HEADER_WORDS + MAX_SLOTS * SLOT_WORDS;
export const EXTENT_TABLE = FIRST_LOG + MAX_SLOTS * LOG_WORDS;
export const EXTENT_ENTRY_WORDS = 4;
export const extentEntry = {
  kind: 0,
  pages: 1,
  /** Where its page descriptors lie. */ table: 2,
  freePages: 3,
} as const;
export const extentKind = { structure: 1, raw: 2 } as const;
export type ExtentKind = (typeof extentKind)[keyof typeof extentKind];
export const SEGMENT_WORDS = EXTENT_TABLE + MAX_EXTENTS * EXTENT_ENTRY_WORDS;

// Pages and their descriptors.
export const PAGE_WORDS = 4096;
export const PAGE_SHIFT = 12;
export const MAX_EXTENT_PAGES = (EXTENT_MASK + 1) / PAGE_WORDS;
export const DESCRIPTOR_WORDS = 40;
export const descriptor = {
  /** `pageKind` | size class << 8. Only the first page of a run has one that means anything. */
  kind: 0,
  /** Pages in the run. */
  run: 1,
  /** Blocks in use. */
  used: 2,
  /** Neighbours in the list of pages with room: page references, 0 for none. */
  next: 3,
  previous: 4,
  /** Bitmap word in which a free block was last seen; may be wrong. */
  hint: 5,
  bitmap: 8,
} as const;
export const BITMAP_WORDS = DESCRIPTOR_WORDS - descriptor.bitmap;
export const pageKind = { free: 1, large: 2, small: 3, roots: 4, table: 5 } as const;

// Roots: one for each shared object.
export const ROOT_WORDS = 16;
export const root = {
  /** Changes when the object ends; part of its handle. */
  serial: 0,
  /** One of `rootKind`; 0 for a free root. */
  kind: 1,
  /** Containers that refer to it. */
  references: 2,
  /** Participants that hold it. */
  holds: 3,
  lock: 4,
  sequence: 5,
  futex: 6,
  /** First of the nodes that say from which other heaps it is referred to. */
  foreignNodes: 7,
  /** Kind-specific words. */
  a: 8,
  b: 9,
  c: 10,
  d: 11,
  e: 12,
  /** Next in the list of free or of dying roots. */
  next: 14,
  /** Number of references from other heaps, which `references` includes. */
  foreign: 15,
} as const;
export const rootKind = {
  free: 0,
  lock: 1,
  rlock: 2,
  raw: 3,
  cell: 4,
  semaphore: 5,
  boundedSemaphore: 6,
  event: 7,
  condition: 8,
  barrier: 9,
  /** Containers: what they consist of lies in blocks, and takes many transactions to let go of (contents.ts). */
  dict: 10,
  list: 11,
  queue: 12,
  /** A value that is too large for one transaction, or refers to too many objects. */
  parcel: 13,
  /** A dict with names of properties as keys. */
  namespace: 14,
  /** Raw memory whose root's lock word is an RLock: a typed value with a lock of its own is one object, not two. */
  lockedRaw: 16,
  /** A manager's server, which holds it for as long as it lives. */
  manager: 17,
  /** An object that lives in the memory of a manager's server. */
  instance: 18,
} as const;
/** In the kind of an object that `dispose()` has ended and that somebody still holds. */
export const DISPOSED = 0x100;
/** In the kind of an object that is on the dying list. */
export const DYING = 0x200;
export const KIND_MASK = 0xff;
export function isRawKind(kind: number): boolean {
  return (kind & KIND_MASK) === rootKind.raw || (kind & KIND_MASK) === rootKind.lockedRaw;
}

export function isContainerKind(kind: number): boolean {
  const bare = kind & KIND_MASK;
  return bare >= rootKind.dict && bare <= rootKind.namespace;
}

export const MAX_SERIAL = 0x7fff_ffff;

// A node in a slot's list of belongings or of arrivals. Each holds a root, and begins like this.
export const belonging = {
  root: 0,
  next: 1,
  previous: 2,
  /** One of `belongingKind`; of an arrival, the label under which it was handed over. */
  kind: 3,
  words: 4,
} as const;
export const belongingKind = {
  hold: 0,
  /** Waits for a condition. */
  waiter: 1,
  /** Has waited at a barrier, so others count on it. */
  member: 2,
  /** Waits at a barrier. */
  party: 3,
  /** Has taken an item from a queue and not yet said that it is done with it. */
  lease: 4,
} as const;

// A node in the list of references from other heaps.
export const foreignNode = {
  root: 0,
  next: 1,
  previous: 2,
  heapLow: 3,
  heapHigh: 4,
  nonce: 5,
  count: 6,
  /** Next of the nodes of the same root. */
  sibling: 7,
  words: 8,
} as const;

export function slotBase(index: number): number {
  return HEADER_WORDS + index * SLOT_WORDS;
}

export function logBase(index: number): number {
  return FIRST_LOG + index * LOG_WORDS;
}

export function tokenOf(index: number, generation: number): number {
  return (generation << TOKEN_SLOT_BITS) | index;
}

export function slotOfToken(token: number): number {
  return token & (MAX_SLOTS - 1);
}

export function generationOfToken(token: number): number {
  return (token & TOKEN_MASK) >>> TOKEN_SLOT_BITS;
}
