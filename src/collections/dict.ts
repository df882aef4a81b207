import { StaleHandleError } from '../errors/index.js';
import {
  discardBody,
  EXTENT_MASK,
  type Heap,
  now,
  type Place,
  type RootAddress,
  readConsistently,
  root,
  type Transaction,
} from '../heap/internal.js';
import {
  absent,
  cell,
  cellKind,
  type LoadedCell,
  type Prepared,
  prepare,
  replaceCell,
  returnLoaded,
  takeLoaded,
} from '../values/internal.js';
import { again, computeOn, isComputing, touched } from './computing.js';
import { hashKey } from './dict-hash.js';
import { type DictKey, type KeyWords, keyOf, plainKey, scratch, takeKey } from './dict-keys.js';
import { body, bodyOf, corrupt, dictRoot, EXPIRING, entry, readDouble } from './dict-layout.js';
import type { DictOperations } from './dict-operations.js';
import { DictSnapshot } from './dict-snapshot.js';
import {
  type DictSettings,
  entryRefers,
  expiryOf,
  findEntry,
  grow,
  INSERTION_ROOM,
  insertEntry,
  makeBody,
  REFERRING_REMOVAL_ROOM,
  REFERRING_REPLACEMENT_ROOM,
  REMOVAL_ROOM,
  REPLACEMENT_ROOM,
  removeEntry,
  setExpiry,
  shrink,
} from './dict-table.js';
import { refuseThenable } from './refuse-thenable.js';
import { tellWatchers } from './watchers.js';

/** How many entries each write looks at for such as have expired. */
const SWEPT_AT_ONCE = 2;

/** An entry that is written keeps the time that it has left; a new one gets what the dict gives to all. */
export const KEEP_TTL = -1;

/** An entry that is ready to be stored. */
export interface MadeEntry {
  readonly key: KeyWords;
  readonly prepared: Prepared;
  readonly ttl: number | undefined;
}

/** Makes an empty dict in a heap, held by this environment. */
export function createDict(
  heap: Heap,
  kind: number,
  settings: DictSettings,
  secret: readonly number[] = randomSecret(),
): RootAddress {
  return heap.create(kind, [0, 0, 0, ...secret], (tx, { address }) => {
    tx.write(address + dictRoot.body, makeBody(tx, settings));
  });
}

function randomSecret(): readonly number[] {
  return [...new Int32Array(crypto.getRandomValues(new Int32Array(2)))];
}

/** What a dict does, seen from one environment: each operation is one transaction, or reads without a lock. */
export class Dict implements DictOperations {
  readonly place: Place;
  readonly heap: Heap;
  readonly at: RootAddress;
  readonly secret: readonly [number, number];
  /** What `read` looks for: nobody else uses it between setting and using, since no user's code runs there. */
  #hash = 0;
  #into: LoadedCell | undefined;
  readonly #find = (tx: Transaction): number => {
    const found = this.#live(tx, bodyOf(tx, this.at), this.#hash);
    if (found === 0) return 0;
    this.#into?.take(tx, found + entry.cell);
    return tx.read(found + entry.stamp);
  };

  readonly #stamp: number | undefined;
  /** The extent in which the root lies, and its index there. */
  readonly #words: Int32Array;
  readonly #index: number;

  /** @param stamp what everything is stamped with in a dict that is made aside; by default, each change with its own. */
  constructor(place: Place, stamp?: number) {
    this.place = place;
    this.#stamp = stamp;
    this.heap = place.heap;
    this.at = place.at;
    this.#words = this.heap.memory.at(this.at.address);
    this.#index = this.at.address & EXTENT_MASK;
    const secret = this.#index + dictRoot.secret;
    this.secret = [this.#words[secret]!, this.#words[secret + 1]!];
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  read(key: unknown): unknown {
    return this.#peek(key, undefined);
  }

  has(key: unknown): boolean {
    scratch.set(key);
    return this.#look(undefined) !== 0;
  }

  /** The stamp of an entry, 0 where there is none. */
  stampOf(key: unknown): number {
    scratch.set(key);
    return this.#look(undefined);
  }

  /** The sequence of a moment in which nobody changes anything. @throws StaleHandleError */
  sequence(): number {
    const sequence = readConsistently(this.heap.transaction, this.at.address, (tx) => {
      bodyOf(tx, this.at);
      return tx.read(this.at.address + root.sequence);
    });
    // Odd where it was read with the lock, as a writer does: it is made even on leaving.
    return (sequence + 1) & ~1;
  }

  /** The stamp of the last change of anything. */
  lastStamp(): number {
    return readConsistently(this.heap.transaction, this.at.address, (tx) => {
      bodyOf(tx, this.at);
      return tx.read(this.at.address + dictRoot.stamp);
    });
  }

  /** Reads a value, and notes which it was. */
  #peek(key: unknown, note: { stamp: number } | undefined): unknown {
    const loaded = takeLoaded();
    for (;;) {
      scratch.set(key);
      const sequence = this.#words[this.#index + root.sequence]!;
      const stamp = this.#look(loaded);
      if (note !== undefined) note.stamp = stamp;
      let value: unknown = absent;
      try {
        if (stamp !== 0) value = loaded.value(this.heap);
      } catch (error) {
        // Replaced after it was read, and its last reference dropped: then there is another value to read.
        if (!(error instanceof StaleHandleError)) throw error;
        if (this.#words[this.#index + root.sequence] === sequence) throw error;
        continue;
      }
      // One that is not given back, because of what is thrown, is not missed.
      returnLoaded(loaded);
      return value;
    }
  }

  /** Copies the value of the key in hand. @returns the entry's stamp, 0 where there is none. */
  #look(into: LoadedCell | undefined): number {
    this.heap.participant.check();
    this.#hash = this.hash();
    this.#into = into;
    return readConsistently(this.heap.transaction, this.at.address, this.#find);
  }

  size(): number {
    return readConsistently(this.heap.transaction, this.at.address, (tx) => {
      const from = bodyOf(tx, this.at);
      const count = tx.read(from + body.count);
      if (tx.read(from + body.expiring) === 0) return count;
      const clock = now();
      let live = 0;
      let steps = 0;
      for (let address = tx.read(from + body.first); address !== 0; address = tx.read(address + entry.after)) {
        if (++steps > count) throw corrupt('more entries than it counts');
        if (expiryOf(tx, address) > clock) live += 1;
      }
      return live;
    });
  }

  keys(): DictKey[] {
    return [...DictSnapshot.take(this.heap, this.at, false).keys()];
  }

  entries(): Iterable<[DictKey, unknown]> {
    return DictSnapshot.take(this.heap, this.at, true).entries();
  }

  settings(): DictSettings {
    return readConsistently(this.heap.transaction, this.at.address, (tx) => settingsOf(tx, bodyOf(tx, this.at)));
  }

  // ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  write(key: unknown, value: unknown, ttl: number | undefined): void {
    const plain = plainKey(key);
    const prepared = prepare(this.heap, value);
    try {
      scratch.set(plain);
      this.put(prepared, ttl);
    } finally {
      prepared.release();
    }
  }

  /**
   * Stores a value under the key in hand.
   *
   * @param expected the stamp that the entry must have, 0 for none.
   * @returns false when it has another.
   */
  put(prepared: Prepared, ttl: number | undefined, expected?: number): boolean {
    const hash = this.hash();
    const done = this.heap.transaction.run((tx) => {
      tx.lockObject(this.at.address);
      const to = bodyOf(tx, this.at);
      const found = findEntry(tx, to, scratch, hash);
      if (expected !== undefined && expected !== this.#stampAt(tx, found)) return false;
      if (prepared.refers || this.#dropsReferences(tx, to, found)) tx.lockRoots();
      this.putIn(tx, to, found, hash, prepared, ttl);
      this.#sweep(tx, to);
      return true;
    });
    if (done) this.changedHere(hash);
    return done;
  }

  /**
   * Stores a value under the key in hand, in a transaction that has the dict's lock, and that of the roots if it is needed.
   * Logs at most as many words as `roomFor` says.
   */
  putIn(tx: Transaction, to: number, found: number, hash: number, prepared: Prepared, ttl: number | undefined): void {
    const stamp = this.stampNow(tx);
    tx.write(this.at.address + dictRoot.stamp, stamp);
    if (found !== 0 && this.#isExpired(tx, found)) {
      removeEntry(tx, to, found);
      found = 0;
    }
    if (found !== 0) {
      replaceCell(tx, found + entry.cell, prepared);
      tx.write(found + entry.stamp, stamp);
      if (ttl === KEEP_TTL) return;
      const expiry = expiryFrom(tx, to, ttl);
      if (expiry !== undefined) setExpiry(tx, to, found, expiry);
      else if (tx.read(found + entry.head) & EXPIRING) setExpiry(tx, to, found, Number.POSITIVE_INFINITY);
      return;
    }
    const most = tx.read(to + body.maxEntries);
    if (most !== 0 && tx.read(to + body.count) >= most) removeEntry(tx, to, tx.read(to + body.first));
    const expiry = expiryFrom(tx, to, ttl === KEEP_TTL ? undefined : ttl);
    insertEntry(tx, to, scratch, hash, prepared, stamp, expiry);
    grow(tx, to);
  }

  /** How many words `putIn` logs at most. */
  roomFor(tx: Transaction, to: number, found: number, prepared: Prepared): number {
    const replaces = found !== 0 && !this.#isExpired(tx, found);
    if (replaces) {
      const refers = prepared.refers || entryRefers(tx, found);
      return refers ? REFERRING_REPLACEMENT_ROOM : REPLACEMENT_ROOM;
    }
    const gone = found !== 0 ? found : this.#evicted(tx, to);
    const removal = gone === 0 ? 0 : entryRefers(tx, gone) ? REFERRING_REMOVAL_ROOM : REMOVAL_ROOM;
    return INSERTION_ROOM + removal;
  }

  remove(key: unknown): boolean {
    scratch.set(key);
    return this.#delete(undefined);
  }

  /** Removes the entry of the key in hand. @returns whether there was one, with the stamp that is expected if one is. */
  #delete(expected: number | undefined): boolean {
    const hash = this.hash();
    const done = this.heap.transaction.run((tx) => {
      tx.lockObject(this.at.address);
      const to = bodyOf(tx, this.at);
      const found = findEntry(tx, to, scratch, hash);
      if (found === 0 || (expected !== undefined && expected !== this.#stampAt(tx, found))) return false;
      const lived = !this.#isExpired(tx, found);
      if (this.#dropsReferences(tx, to, found)) tx.lockRoots();
      this.removeIn(tx, to, found);
      this.#sweep(tx, to);
      return lived;
    });
    if (done) this.changedHere(hash);
    return done;
  }

  /** Logs at most {@link REFERRING_REMOVAL_ROOM} words and 16. */
  removeIn(tx: Transaction, to: number, found: number): void {
    removeEntry(tx, to, found);
    shrink(tx, to);
    tx.write(this.at.address + dictRoot.stamp, this.stampNow(tx));
  }

  take(key: unknown): unknown {
    const plain = plainKey(key);
    const note = { stamp: 0 };
    for (;;) {
      const value = this.#peek(plain, note);
      if (value === absent) return absent;
      scratch.set(plain);
      if (this.#delete(note.stamp)) return value;
    }
  }

  takeLast(): [DictKey, unknown] | undefined {
    const loaded = takeLoaded();
    try {
      for (;;) {
        const sequence = this.heap.memory.load(this.at.address + root.sequence);
        const stamp = readConsistently(this.heap.transaction, this.at.address, (tx) => {
          const last = this.#lastLive(tx);
          if (last === 0) return 0;
          takeKey(tx, last, scratch);
          loaded.take(tx, last + entry.cell);
          return tx.read(last + entry.stamp);
        });
        if (stamp === 0) return undefined;
        const kept = scratch.keep();
        const key = keyOf(kept.head, kept.words, 0);
        let value: unknown;
        try {
          value = loaded.value(this.heap);
        } catch (error) {
          if (!(error instanceof StaleHandleError)) throw error;
          if (this.heap.memory.load(this.at.address + root.sequence) === sequence) throw error;
          continue;
        }
        scratch.copy(kept);
        if (this.#deleteLast(stamp)) return [key, value];
      }
    } finally {
      returnLoaded(loaded);
    }
  }

  #lastLive(tx: Transaction): number {
    const from = bodyOf(tx, this.at);
    let steps = tx.read(from + body.count);
    let address = tx.read(from + body.last);
    while (address !== 0 && this.#isExpired(tx, address)) {
      if (--steps < 0) throw corrupt('more entries than it counts');
      address = tx.read(address + entry.before);
    }
    return address;
  }

  /** Removes the entry of the key in hand if it is still the last one, unchanged. */
  #deleteLast(stamp: number): boolean {
    const hash = this.hash();
    const done = this.heap.transaction.run((tx) => {
      tx.lockObject(this.at.address);
      const to = bodyOf(tx, this.at);
      const last = this.#lastLive(tx);
      if (last === 0 || tx.read(last + entry.stamp) !== stamp || tx.read(last + entry.hash) !== hash) return false;
      if (this.#dropsReferences(tx, to, last)) tx.lockRoots();
      this.removeIn(tx, to, last);
      return true;
    });
    if (done) this.changedHere(hash);
    return done;
  }

  clear(): void {
    this.heap.transaction.run(
      (tx) => {
        tx.lockObject(this.at.address);
        const old = bodyOf(tx, this.at);
        if (tx.read(old + body.count) === 0) return;
        tx.lockRoots();
        const settings = settingsOf(tx, old);
        discardBody(tx, this.at.address);
        tx.write(this.at.address + dictRoot.body, makeBody(tx, settings));
        tx.write(this.at.address + dictRoot.stamp, this.stampNow(tx));
      },
      undefined,
      true,
    );
    this.changedHere('all');
    this.heap.buryAny();
  }

  setDefault(key: unknown, value: unknown): unknown {
    const plain = plainKey(key);
    for (;;) {
      const old = this.read(plain);
      if (old !== absent) return old;
      const prepared = prepare(this.heap, value);
      try {
        scratch.set(plain);
        if (this.put(prepared, undefined, 0)) return value;
      } finally {
        prepared.release();
      }
    }
  }

  compute(key: unknown, fn: (old: unknown) => unknown): unknown {
    const plain = plainKey(key);
    scratch.set(plain);
    const note = { stamp: 0 };
    return computeOn(this, this.hash(), () => {
      const old = this.#peek(plain, note);
      const { stamp } = note;
      const value = refuseThenable(fn(old === absent ? undefined : old), 'compute');
      if (value === undefined) {
        scratch.set(plain);
        if (stamp === 0 ? this.#look(undefined) !== 0 : !this.#delete(stamp)) return again;
        return undefined;
      }
      const prepared = prepare(this.heap, value);
      try {
        scratch.set(plain);
        return this.put(prepared, KEEP_TTL, stamp) ? value : again;
      } finally {
        prepared.release();
      }
    });
  }

  increment(key: unknown, by: number): number {
    scratch.set(key);
    const hash = this.hash();
    const sum = this.heap.transaction.run((tx) => {
      tx.lockObject(this.at.address);
      const to = bodyOf(tx, this.at);
      const found = findEntry(tx, to, scratch, hash);
      const sum = by + (found === 0 || this.#isExpired(tx, found) ? 0 : numberIn(tx, found + entry.cell));
      // Numbers are made ready without any code of the user's, and without memory.
      const prepared = prepare(this.heap, sum);
      if (this.#dropsReferences(tx, to, found)) tx.lockRoots();
      this.putIn(tx, to, found, hash, prepared, KEEP_TTL);
      this.#sweep(tx, to);
      return sum;
    });
    this.changedHere(hash);
    return sum;
  }

  compareAndSet(key: unknown, expected: unknown, value: unknown): boolean {
    const plain = plainKey(key);
    const wanted = expected === undefined ? undefined : prepare(this.heap, expected, 'expected').keep();
    const loaded = takeLoaded();
    try {
      const next = value === undefined ? undefined : prepare(this.heap, value).keep();
      try {
        for (;;) {
          scratch.set(plain);
          const sequence = this.#words[this.#index + root.sequence]!;
          const stamp = this.#look(loaded);
          let isEqual: boolean;
          try {
            isEqual = stamp === 0 ? wanted === undefined : wanted !== undefined && loaded.holds(this.heap, wanted);
          } catch (error) {
            // A large value, replaced after it was looked at: then there is another one to look at.
            if (!(error instanceof StaleHandleError)) throw error;
            if (this.#words[this.#index + root.sequence] === sequence) throw error;
            continue;
          }
          if (!isEqual) return false;
          if (next === undefined) {
            if (stamp === 0 || this.#delete(stamp)) return true;
          } else if (this.put(next, KEEP_TTL, stamp)) {
            return true;
          }
        }
      } finally {
        next?.release();
      }
    } finally {
      returnLoaded(loaded);
      wanted?.release();
    }
  }

  update(pairs: readonly (readonly [unknown, unknown])[]): void {
    const made: MadeEntry[] = [];
    try {
      for (const [key, value] of pairs) {
        const plain = plainKey(key);
        const prepared = prepare(this.heap, value).keep();
        made.push({ key: keptKey(plain, prepared), prepared, ttl: undefined });
      }
      for (let done = 0; done < made.length; ) {
        done += this.heap.transaction.run((tx) => {
          tx.lockObject(this.at.address);
          return this.putMany(tx, made, done);
        });
        this.changedHere('all');
      }
    } finally {
      for (const { prepared } of made) prepared.release();
    }
  }

  /** Stores as many entries as there is room for, from one on. @returns how many; at least one, in a fresh transaction. */
  putMany(tx: Transaction, made: readonly MadeEntry[], from: number): number {
    const to = bodyOf(tx, this.at);
    // Before anything is allocated, because some of them may need it.
    tx.lockRoots();
    let done = 0;
    for (; from + done < made.length; done++) {
      const { key, prepared, ttl } = made[from + done]!;
      scratch.copy(key);
      const hash = this.hash();
      const found = findEntry(tx, to, scratch, hash);
      if (tx.room < this.roomFor(tx, to, found, prepared)) break;
      this.putIn(tx, to, found, hash, prepared, ttl);
    }
    return done;
  }

  // ── what they consist of ─────────────────────────────────────────────────────────────────────────────────────────

  /** The word that those sleep on who wait for a change. */
  get futexAddress(): number {
    return this.at.address + root.futex;
  }

  /** The hash of the key in hand. */
  hash(): number {
    return hashKey(scratch, this.secret[0], this.secret[1]);
  }

  /** Of a transaction that has the lock: no other change has the same. */
  stampNow(tx: Transaction): number {
    return this.#stamp ?? tx.read(this.at.address + root.sequence);
  }

  /** To be called after every change. */
  changedHere(hash: number | 'all'): void {
    if (isComputing()) touched(this, hash);
    tellWatchers(this.place);
  }

  #live(tx: Transaction, from: number, hash: number): number {
    const found = findEntry(tx, from, scratch, hash);
    return found !== 0 && this.#isExpired(tx, found) ? 0 : found;
  }

  #stampAt(tx: Transaction, found: number): number {
    return found === 0 || this.#isExpired(tx, found) ? 0 : tx.read(found + entry.stamp);
  }

  #isExpired(tx: Transaction, address: number): boolean {
    return (tx.read(address + entry.head) & EXPIRING) !== 0 && expiryOf(tx, address) <= now();
  }

  /** The entry that makes room for another, 0 if none must. */
  #evicted(tx: Transaction, to: number): number {
    const most = tx.read(to + body.maxEntries);
    return most !== 0 && tx.read(to + body.count) >= most ? tx.read(to + body.first) : 0;
  }

  /** Whether a write may let go of references: the entry's own, those of the one that it evicts, or of what it sweeps. */
  #dropsReferences(tx: Transaction, to: number, found: number): boolean {
    if (entryRefers(tx, found) || (found === 0 && entryRefers(tx, this.#evicted(tx, to)))) return true;
    if (tx.read(to + body.expiring) === 0) return false;
    let hand = this.#hand(tx, to);
    for (let i = 0; i < SWEPT_AT_ONCE && hand !== 0; i++) {
      if (entryRefers(tx, hand)) return true;
      hand = tx.read(hand + entry.after);
    }
    return false;
  }

  #hand(tx: Transaction, to: number): number {
    return tx.read(to + body.hand) || tx.read(to + body.first);
  }

  /** Takes out what has expired of the next two entries. Logs nothing where there is no room for it. */
  #sweep(tx: Transaction, to: number): void {
    if (tx.read(to + body.expiring) === 0) return;
    for (let i = 0; i < SWEPT_AT_ONCE; i++) {
      const here = this.#hand(tx, to);
      if (here === 0 || tx.room < REFERRING_REMOVAL_ROOM + 1) return;
      const after = tx.read(here + entry.after);
      // What refers is let be if the roots lock was not needed before: another write comes by.
      if (this.#isExpired(tx, here) && (!entryRefers(tx, here) || tx.hasRootsLock)) removeEntry(tx, to, here);
      tx.write(to + body.hand, after);
    }
  }
}

/** The words of a key that cannot run anybody's code any more; what was prepared is let go of if it is none. */
function keptKey(plain: unknown, prepared: Prepared): KeyWords {
  try {
    scratch.set(plain);
  } catch (error) {
    prepared.release();
    throw error;
  }
  return scratch.keep();
}

function numberIn(tx: Transaction, at: number): number {
  const kind = tx.read(at + cell.kind);
  if (kind === cellKind.int32) return tx.read(at + cell.x);
  if (kind === cellKind.double) return readDouble(tx, at + cell.x);
  throw notANumber();
}

export function notANumber(): TypeError {
  return new TypeError('increment adds to numbers; the value here is none.');
}

function settingsOf(tx: Transaction, at: number): DictSettings {
  return { ttl: readDouble(tx, at + body.ttl), maxEntries: tx.read(at + body.maxEntries) };
}

/** When what is written now expires; undefined for never. */
function expiryFrom(tx: Transaction, to: number, ttl: number | undefined): number | undefined {
  if (ttl === undefined) {
    // Most dicts have none: the words of 0 are 0.
    if (tx.read(to + body.ttl + 1) === 0) return undefined;
    return now() + readDouble(tx, to + body.ttl);
  }
  return ttl === Number.POSITIVE_INFINITY ? undefined : now() + ttl;
}
