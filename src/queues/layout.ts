import { belonging, root } from '../heap/internal.js';

// Where everything lies in a queue and in a pipe. Both are roots of one kind with a body block; its first word says what it
// is. All of it is guarded by the lock of the root; only what `end` says of a pipe's ends is guarded by the roots lock.
//
//   queue   one channel        pipe   two channels, one for each direction        end   of a pipe: refers to its root
//
// A channel is a log of records in a row of chunks, and a list of items that have been given back and come before it:
//
//   chunk    next chunk | record … record | 0
//   record   a cell (values/), and behind it the bytes of short values
//   item     what has been taken out with a lease, or has been given back: a cell with links of its own

export const bodyType = { queue: 1, joinable: 2, simple: 3, pipe: 4, end: 5 } as const;
export type QueueType = typeof bodyType.queue | typeof bodyType.joinable | typeof bodyType.simple;

export const body = {
  /** One of `bodyType`. */
  type: 0,
  /** Whether no more items are taken. */
  ended: 1,
  /** The most items; 0 for as many as there is memory for. */
  maxsize: 2,
  /** First of the items that somebody has taken out and is not done with. */
  out: 3,
  /** How many of those are leased. */
  leased: 4,
  /** Of a joinable queue: how many items have been taken without a lease by those who are not done with them. */
  taken: 5,
  /** How many of those somebody else has said to be done. */
  doneByOthers: 6,
  channel: 8,
  otherChannel: 16,
} as const;
export const QUEUE_WORDS = 16;
export const PIPE_WORDS = 24;

export const channel = {
  headChunk: 0,
  /** Where the first record is; equal to the tail when there is none. */
  head: 1,
  tailChunk: 2,
  /** Where the next record goes. */
  tail: 3,
  /** Items that there are to get: records and those given back. */
  count: 4,
  /** First of the items that have been given back. */
  returned: 5,
  words: 6,
} as const;

/** 4 KiB: four of them fill a page. */
export const CHUNK_WORDS = 1024;
export const chunk = { next: 0, records: 1 } as const;

export const item = {
  next: 0,
  /** Unused while it is not out. */
  previous: 1,
  /** How often it has been handed out before. */
  deliveries: 2,
  cell: 3,
  /** The word behind the cell is the item's own, whatever it is: no block begins there. */
  words: 8,
} as const;

/** The body of one end of a pipe, which is as large as that of a queue: one that is not yet made looks like an empty queue. */
export const end = {
  type: 0,
  /** The root of the pipe, which this refers to. */
  pipe: 1,
  side: 2,
  /** Of `endMode`. */
  mode: 3,
} as const;
export const endMode = { reads: 1, writes: 2 } as const;
/** In the root of a pipe, which nobody else needs: which of its ends are gone. Guarded by the roots lock. */
export const ENDS_GONE = root.b;

/** What a participant has of a queue besides its hold. */
export const share = {
  /** One of `shareKind`. */
  kind: belonging.words,
  item: belonging.words + 1,
  /** Of the queue when it was entered: another one, and there is no such item any more. */
  serial: belonging.words + 2,
  /** Of a taker: how many items. */
  count: belonging.words + 3,
  words: belonging.words + 4,
} as const;
export const shareKind = {
  /** An item that goes back if its holder does. */
  lease: 1,
  /** An item that is being unpacked. */
  custody: 2,
  /** Items of a joinable queue that have yet to be done. */
  taker: 3,
} as const;

/** Words on which those sleep who wait: for an item, for room, for all to be done; of a pipe, for an item at each end. */
export const waitWord = { items: root.futex, room: root.d, done: root.e, otherItems: root.d } as const;
