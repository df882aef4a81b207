import {
  allocate,
  BODY,
  BURIAL_ROOM,
  DYING,
  EXTENT_MASK,
  registerContents,
  root,
  rootKind,
  type Survey,
  step,
  type Transaction,
} from '../heap/internal.js';
import { dropCell, fillCell, type Prepared, refers, surveyCell } from '../values/internal.js';
import { type KeyWords, keyLength } from './dict-keys.js';
import {
  BODY_WORDS,
  body,
  bucketAt,
  bucketOf,
  corrupt,
  EXPIRING,
  entry,
  FIRST_BUCKETS,
  firstOf,
  HEAD_MASK,
  halvesOf,
  MOST_BUCKETS,
  MOST_IN_CHAIN,
  MOST_SEGMENTS,
  readDouble,
  segmentOf,
  splitFrom,
  wordsOfSegment,
} from './dict-layout.js';

// The steps of which the operations of a dict consist, each within a transaction that has the dict's lock.

/** What `removeEntry` logs at most, its frees included, of an entry whose value refers to nothing. */
export const REMOVAL_ROOM = 30;
/** And of any. */
export const REFERRING_REMOVAL_ROOM = 130;
/** What `insertEntry` logs at most. */
export const INSERTION_ROOM = 45;
/** What replacing a value logs at most, where neither refers to anything, and otherwise. */
export const REPLACEMENT_ROOM = 70;
export const REFERRING_REPLACEMENT_ROOM = 150;
const MOST_RELINKED = 40;
const SEGMENT_ROOM = 20;

export interface DictSettings {
  /** Milliseconds; 0: for ever. */
  readonly ttl: number;
  /** 0: as many as there is room for. */
  readonly maxEntries: number;
}

/** An empty body. Logs at most 24 words. */
export function makeBody(tx: Transaction, { ttl, maxEntries }: DictSettings): number {
  const at = allocate(tx, BODY_WORDS);
  const segment = allocate(tx, FIRST_BUCKETS);
  step();
  zero(tx, segment, FIRST_BUCKETS);
  step();
  zero(tx, at, BODY_WORDS);
  tx.fill(at + body.buckets, FIRST_BUCKETS);
  tx.fill(at + body.ttl, ...halvesOf(ttl), maxEntries);
  tx.fill(at + body.segments, segment);
  return at;
}

/** Of a fresh block: needs no log. */
function zero(tx: Transaction, address: number, words: number): void {
  tx.memory.at(address).fill(0, address & EXTENT_MASK, (address & EXTENT_MASK) + words);
}

/** The entry of a key, 0 where there is none. Also for readers, who may see words that are changing. */
export function findEntry(tx: Transaction, at: number, { head, length, words }: KeyWords, hash: number): number {
  let address = tx.read(bucketOf(tx, at, hash));
  for (let steps = 0; address !== 0; steps++) {
    if (steps >= MOST_IN_CHAIN) throw corrupt('a chain without an end');
    const extent = tx.memory.at(address);
    const index = address & EXTENT_MASK;
    if (extent[index + entry.hash] === hash && (extent[index + entry.head]! & HEAD_MASK) === head) {
      let i = 0;
      while (i < length && extent[index + entry.key + i] === words[i]) i++;
      if (i === length) return address;
    }
    address = extent[index + entry.next]! | 0;
  }
  return 0;
}

/** When an entry expires, in ms of the monotonic clock; Infinity for never. */
export function expiryOf(tx: Transaction, address: number): number {
  const head = tx.read(address + entry.head);
  if ((head & EXPIRING) === 0) return Number.POSITIVE_INFINITY;
  return readDouble(tx, address + entry.key + keyLength(head));
}

/**
 * Appends an entry. Logs at most {@link INSERTION_ROOM} words.
 *
 * @param expiry when it expires; undefined where it has no room for that.
 */
export function insertEntry(
  tx: Transaction,
  at: number,
  { head, length, words }: KeyWords,
  hash: number,
  prepared: Prepared,
  stamp: number,
  expiry: number | undefined,
): void {
  const address = allocate(tx, entry.key + length + (expiry === undefined ? 0 : 2));
  const bucket = bucketOf(tx, at, hash);
  const last = tx.read(at + body.last);
  step();
  const extent = tx.memory.at(address);
  const index = address & EXTENT_MASK;
  extent[index + entry.next] = tx.read(bucket);
  extent[index + entry.hash] = hash;
  extent[index + entry.before] = last;
  extent[index + entry.after] = 0;
  extent[index + entry.stamp] = stamp;
  extent[index + entry.head] = expiry === undefined ? head : head | EXPIRING;
  for (let i = 0; i < length; i++) extent[index + entry.key + i] = words[i]!;
  fillCell(tx, address + entry.cell, prepared);
  if (expiry !== undefined) {
    tx.fill(address + entry.key + length, ...halvesOf(expiry));
    tx.write(at + body.expiring, tx.read(at + body.expiring) + 1);
  }
  tx.write(bucket, address);
  tx.write(last === 0 ? at + body.first : last + entry.after, address);
  tx.write(at + body.last, address);
  tx.write(at + body.count, tx.read(at + body.count) + 1);
}

/** Takes an entry out. Logs at most {@link REMOVAL_ROOM} words, {@link REFERRING_REMOVAL_ROOM} if its value refers. */
export function removeEntry(tx: Transaction, at: number, address: number): void {
  tx.write(linkTo(tx, at, address), tx.read(address + entry.next));
  relink(tx, at, address, tx.read(address + entry.after), tx.read(address + entry.before));
  tx.write(at + body.count, tx.read(at + body.count) - 1);
  if (tx.read(address + entry.head) & EXPIRING) tx.write(at + body.expiring, tx.read(at + body.expiring) - 1);
  dropCell(tx, address + entry.cell);
  tx.free(address);
}

/** The word that leads to an entry in its chain. */
function linkTo(tx: Transaction, at: number, address: number): number {
  let link = bucketOf(tx, at, tx.read(address + entry.hash));
  for (let steps = 0; tx.read(link) !== address; steps++) {
    if (tx.read(link) === 0 || steps >= MOST_IN_CHAIN) throw corrupt('an entry outside its chain');
    link = tx.read(link) + entry.next;
  }
  return link;
}

/** Leads those before and after an entry, and the hand, to others. Logs at most 3 words. */
function relink(tx: Transaction, at: number, address: number, following: number, preceding: number): void {
  const before = tx.read(address + entry.before);
  const after = tx.read(address + entry.after);
  tx.write(before === 0 ? at + body.first : before + entry.after, following);
  tx.write(after === 0 ? at + body.last : after + entry.before, preceding);
  if (tx.read(at + body.hand) === address) tx.write(at + body.hand, following);
}

/** Sets when an entry expires; one that has no room for that moves to another block. Logs at most 32 words. */
export function setExpiry(tx: Transaction, at: number, address: number, expiry: number): void {
  const head = tx.read(address + entry.head);
  const length = keyLength(head);
  const [low, high] = halvesOf(expiry);
  if (head & EXPIRING) {
    tx.write(address + entry.key + length, low);
    tx.write(address + entry.key + length + 1, high);
    return;
  }
  const words = entry.key + length;
  const moved = allocate(tx, words + 2);
  step();
  const from = tx.memory.at(address);
  const to = tx.memory.at(moved);
  for (let i = 0; i < words; i++) to[(moved & EXTENT_MASK) + i] = from[(address & EXTENT_MASK) + i]!;
  tx.fill(moved + entry.head, head | EXPIRING);
  tx.fill(moved + words, low, high);
  tx.write(linkTo(tx, at, address), moved);
  relink(tx, at, address, moved, moved);
  tx.write(at + body.expiring, tx.read(at + body.expiring) + 1);
  tx.free(address);
}

/** Makes one bucket more when there are more entries than buckets, if there is room in the log. Logs at most 64 words. */
export function grow(tx: Transaction, at: number): void {
  const buckets = tx.read(at + body.buckets);
  if (tx.read(at + body.count) <= buckets || buckets >= MOST_BUCKETS) return;
  if (tx.room < MOST_RELINKED + SEGMENT_ROOM) return;
  const from = splitFrom(buckets);
  const lower = bucketAt(tx, at, from);
  // A chain that is too long is split when it has become shorter, or never: its dict works all the same.
  let length = 0;
  for (let address = tx.read(lower); address !== 0; address = tx.read(address + entry.next)) {
    if (++length > MOST_RELINKED) return;
  }
  const segment = segmentOf(buckets);
  if (buckets === firstOf(segment)) {
    tx.write(at + body.segments + segment, allocate(tx, wordsOfSegment(segment)));
  }
  // Buckets beyond those in use have arbitrary words.
  const upper = bucketAt(tx, at, buckets);
  const bit = buckets - from;
  let lowerLink = lower;
  let upperLink = upper;
  let address = tx.read(lower);
  while (address !== 0) {
    const link = tx.read(address + entry.hash) & bit ? upperLink : lowerLink;
    if (link === upper || tx.read(link) !== address) tx.write(link, address);
    if (link === upperLink) upperLink = address + entry.next;
    else lowerLink = address + entry.next;
    address = tx.read(address + entry.next);
  }
  if (upperLink === upper || tx.read(upperLink) !== 0) tx.write(upperLink, 0);
  if (tx.read(lowerLink) !== 0) tx.write(lowerLink, 0);
  tx.write(at + body.buckets, buckets + 1);
}

/** Gives one bucket up when there are four for each entry. Logs at most 15 words. */
export function shrink(tx: Transaction, at: number): void {
  const buckets = tx.read(at + body.buckets);
  if (buckets <= FIRST_BUCKETS || tx.read(at + body.count) * 4 >= buckets || tx.room < SEGMENT_ROOM) return;
  const last = buckets - 1;
  const upper = tx.read(bucketAt(tx, at, last));
  if (upper !== 0) {
    const lower = bucketAt(tx, at, splitFrom(last));
    let end = upper;
    for (let steps = 0; tx.read(end + entry.next) !== 0; steps++) {
      if (steps >= MOST_IN_CHAIN) throw corrupt('a chain without an end');
      end = tx.read(end + entry.next);
    }
    tx.write(end + entry.next, tx.read(lower));
    tx.write(lower, upper);
  }
  tx.write(at + body.buckets, last);
  const segment = segmentOf(last);
  if (last === firstOf(segment)) {
    tx.free(tx.read(at + body.segments + segment));
    tx.write(at + body.segments + segment, 0);
  }
}

function bury(tx: Transaction, address: number): boolean {
  const at = tx.read(address + BODY);
  if (at === 0) return true;
  const first = tx.read(at + body.first);
  let next = first;
  while (next !== 0) {
    if (tx.room < BURIAL_ROOM + 10) {
      tx.write(at + body.first, next);
      return false;
    }
    const dead = next;
    next = tx.read(dead + entry.after);
    dropCell(tx, dead + entry.cell);
    tx.free(dead);
  }
  if (first !== 0) tx.write(at + body.first, 0);
  for (let segment = MOST_SEGMENTS - 1; segment >= 0; segment--) {
    const block = tx.read(at + body.segments + segment);
    if (block === 0) continue;
    if (tx.room < BURIAL_ROOM) return false;
    tx.free(block);
    tx.write(at + body.segments + segment, 0);
  }
  tx.free(at);
  tx.write(address + BODY, 0);
  return true;
}

function survey(tx: Transaction, address: number, survey: Survey): void {
  const at = tx.read(address + BODY);
  if (at === 0) return;
  survey.owns(at);
  for (let segment = 0; segment < MOST_SEGMENTS; segment++) {
    const block = tx.read(at + body.segments + segment);
    if (block !== 0) survey.owns(block);
  }
  // Of one that is dying some entries have been let go of; its chains and counts are not kept.
  const isWhole = (tx.read(address + root.kind) & DYING) === 0;
  let count = 0;
  let expiring = 0;
  let before = 0;
  let handSeen = tx.read(at + body.hand) === 0;
  for (let here = tx.read(at + body.first); here !== 0; here = tx.read(here + entry.after)) {
    survey.owns(here);
    surveyCell(tx, here + entry.cell, survey);
    count += 1;
    if (tx.read(here + entry.head) & EXPIRING) expiring += 1;
    if (tx.read(at + body.hand) === here) handSeen = true;
    if (isWhole && tx.read(here + entry.before) !== before)
      survey.problem('an entry that does not know the one before');
    if (isWhole) linkTo(tx, at, here);
    before = here;
  }
  if (!isWhole) return;
  if (count !== tx.read(at + body.count)) survey.problem(`a dict counts other than its ${count} entries`);
  if (expiring !== tx.read(at + body.expiring)) survey.problem('a dict counts other than its expiring entries');
  if (before !== tx.read(at + body.last)) survey.problem('a dict does not know its last entry');
  if (!handSeen) survey.problem('the hand of a dict is at none of its entries');
  if (count !== entriesInChains(tx, at)) survey.problem('a dict has other entries in its chains than in its list');
}

function entriesInChains(tx: Transaction, at: number): number {
  let count = 0;
  for (let bucket = 0; bucket < tx.read(at + body.buckets); bucket++) {
    for (let here = tx.read(bucketAt(tx, at, bucket)); here !== 0; here = tx.read(here + entry.next)) {
      if (bucketOf(tx, at, tx.read(here + entry.hash)) !== bucketAt(tx, at, bucket))
        throw corrupt('an entry in a wrong chain');
      count += 1;
    }
  }
  return count;
}

/** Whether taking an entry out drops references, for which the roots lock is needed. */
export function entryRefers(tx: Transaction, address: number): boolean {
  return address !== 0 && refers(tx, address + entry.cell);
}

for (const kind of [rootKind.dict, rootKind.namespace]) registerContents(kind, { bury, survey });
