import { CorruptSegmentError } from '../errors/index.js';
import { EXTENT_MASK, type RootAddress, root, stale, type Transaction } from '../heap/internal.js';
import { CELL_WORDS } from '../values/internal.js';

// A dict: entries that are blocks of their own, in hash chains, and in a list in the order in which they were inserted.
//
//   root   a   body
//          b   stamp of the last change
//          c   lock word of `transact`
//          d,e the secret of the hash: random, because keys may come from people who would like all of them in one chain
//   body   counts, both ends of the list, and the segments of the bucket directory
//   bucket the first entry of a chain, 0 for none
//
// The directory grows by linear hashing: one bucket for each entry beyond as many as there are buckets, whose entries are
// taken from one other bucket. It never moves, because it lies in segments of which each is as large as all before it. So no
// operation takes longer than a few entries do, whatever the size, and none leaves anything to be cleared away.
//
// A *stamp* is the sequence of the dict's root while the change was made: no two changes have the same.

export const body = {
  count: 0,
  first: 1,
  last: 2,
  /** Buckets in use. */
  buckets: 3,
  /** Where the next look for expired entries begins; 0: at the first. */
  hand: 4,
  /** Entries with room for a time at which they expire. */
  expiring: 5,
  /** Milliseconds that an entry lives unless told otherwise, a double; 0: for ever. */
  ttl: 6,
  /** 0: as many as the heap has room for. */
  maxEntries: 8,
  segments: 9,
} as const;
export const MOST_SEGMENTS = 27;
export const BODY_WORDS = body.segments + MOST_SEGMENTS;

const FIRST_SHIFT = 4;
export const FIRST_BUCKETS = 1 << FIRST_SHIFT;
const LARGEST_SHIFT = 21;
/** Segments that double; the others are all of the largest size. */
const DOUBLING = LARGEST_SHIFT - FIRST_SHIFT + 2;
export const MOST_BUCKETS = (1 << (LARGEST_SHIFT + 1)) + (MOST_SEGMENTS - DOUBLING) * (1 << LARGEST_SHIFT);

export const entry = {
  /** The next in its chain. */
  next: 0,
  hash: 1,
  before: 2,
  after: 3,
  stamp: 4,
  /** What the key is, and how long (dict-keys.ts); EXPIRING where two words with a time follow the key. */
  head: 5,
  cell: 6,
  key: 6 + CELL_WORDS,
} as const;
export const EXPIRING = 0x8000_0000 | 0;
export const HEAD_MASK = 0x7fff_ffff;

/** A chain that is longer belongs to a dict whose bytes are not ours. */
export const MOST_IN_CHAIN = 4096;

/** The dict's words that all operations begin with. */
export const dictRoot = { body: root.a, stamp: root.b, turn: root.c, secret: root.d } as const;

/** Address of the body. @throws StaleHandleError when the dict has been disposed of; CorruptSegmentError. */
export function bodyOf(tx: Transaction, { address, serial }: RootAddress): number {
  const words = tx.memory.at(address);
  const from = address & EXTENT_MASK;
  if (words[from + root.serial] !== serial) throw stale();
  const at = words[from + dictRoot.body]!;
  if (at === 0) throw corrupt('no body');
  return at;
}

/** The bucket for a hash. @throws CorruptSegmentError */
export function bucketOf(tx: Transaction, at: number, hash: number): number {
  // Every look-up comes through here, so the body's extent is looked up once. Zeros for words that do not exist.
  const words = tx.memory.at(at);
  const from = at & EXTENT_MASK;
  const buckets = words[from + body.buckets]! | 0;
  if (buckets < FIRST_BUCKETS || buckets > MOST_BUCKETS) throw corrupt(`${buckets} buckets`);
  const level = 31 - Math.clz32(buckets);
  let index = hash & ((2 << level) - 1);
  if (index >= buckets) index &= (1 << level) - 1;
  const segment = segmentOf(index);
  const address = words[from + body.segments + segment]! | 0;
  if (address === 0) throw corrupt('a missing segment');
  return address + index - firstOf(segment);
}

/** The bucket that is split to make one more: its entries are those of the two together. */
export function splitFrom(buckets: number): number {
  return buckets - (1 << (31 - Math.clz32(buckets)));
}

export function bucketAt(tx: Transaction, at: number, index: number): number {
  const segment = segmentOf(index);
  const address = tx.read(at + body.segments + segment);
  if (address === 0) throw corrupt('a missing segment');
  return address + index - firstOf(segment);
}

export function segmentOf(index: number): number {
  if (index < FIRST_BUCKETS) return 0;
  const shift = 31 - Math.clz32(index);
  if (shift <= LARGEST_SHIFT) return shift - FIRST_SHIFT + 1;
  return DOUBLING + ((index - (2 << LARGEST_SHIFT)) >> LARGEST_SHIFT);
}

/** The first bucket of a segment. */
export function firstOf(segment: number): number {
  if (segment === 0) return 0;
  if (segment < DOUBLING) return 1 << (segment + FIRST_SHIFT - 1);
  return (2 << LARGEST_SHIFT) + ((segment - DOUBLING) << LARGEST_SHIFT);
}

export function wordsOfSegment(segment: number): number {
  if (segment === 0) return FIRST_BUCKETS;
  return segment < DOUBLING ? firstOf(segment) : 1 << LARGEST_SHIFT;
}

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

export function readDouble(tx: Transaction, at: number): number {
  halves[0] = tx.read(at);
  halves[1] = tx.read(at + 1);
  return double[0]!;
}

export function halvesOf(value: number): readonly [number, number] {
  double[0] = value;
  return [halves[0]!, halves[1]!];
}

export function corrupt(what: string): CorruptSegmentError {
  return new CorruptSegmentError(`A dict was found with ${what}, which cannot be.`);
}
