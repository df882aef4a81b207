import { root } from '../heap/internal.js';
import { absent, type Prepared, prepare, samePrepared, valueOfPrepared } from '../values/internal.js';
import { type Dict, KEEP_TTL, notANumber } from './dict.js';
import { type DictKey, type KeyWords, keyName, keyOf, plainKey, scratch } from './dict-keys.js';
import type { DictOperations } from './dict-operations.js';
import { refuseThenable } from './refuse-thenable.js';
import { Overtaken } from './transact.js';

/** What a `transact` has done to one key. */
export interface OverlayEntry {
  readonly key: KeyWords;
  /** Undefined for one that has been removed. */
  prepared: Prepared | undefined;
  ttl: number | undefined;
  /** Whether the shared dict has it, too. */
  readonly inBase: boolean;
  /** Whether it comes after those of the shared dict: because it is new, or has been removed and set again. */
  last: boolean;
}

/** What a `transact` sees of a dict: the shared one as it was at the beginning, and over it what has been changed since. */
export class DictOverlay implements DictOperations {
  readonly #base: Dict;
  /** That of the dict at the beginning. */
  sequence: number;
  readonly changes = new Map<string, OverlayEntry>();
  cleared = false;
  /** Whether somebody else has changed the dict since. */
  overtaken = false;

  constructor(base: Dict) {
    this.#base = base;
    this.sequence = base.sequence();
  }

  /** To be called in the end: gives back what has been prepared. */
  drop(): void {
    for (const { prepared } of this.changes.values()) prepared?.release();
    this.changes.clear();
  }

  read(key: unknown): unknown {
    const plain = plainKey(key);
    const known = this.#known(plain);
    if (known !== undefined) {
      return known.prepared === undefined ? absent : valueOfPrepared(this.#base.heap, known.prepared);
    }
    return this.cleared ? absent : this.#look(() => this.#base.read(plain));
  }

  has(key: unknown): boolean {
    const plain = plainKey(key);
    const known = this.#known(plain);
    if (known !== undefined) return known.prepared !== undefined;
    return this.#baseHas(plain);
  }

  write(key: unknown, value: unknown, ttl: number | undefined): void {
    const plain = plainKey(key);
    scratch.set(plain);
    const prepared = prepare(this.#base.heap, value).keep();
    const known = this.#known(plain);
    if (known?.prepared !== undefined) {
      known.prepared.release();
      known.prepared = prepared;
      if (ttl !== KEEP_TTL) known.ttl = ttl;
      return;
    }
    const inBase = known?.inBase ?? this.#baseHas(plain);
    scratch.set(plain);
    const name = keyName(scratch);
    // Removed before: it comes to stand at the end.
    this.changes.delete(name);
    this.changes.set(name, { key: scratch.keep(), prepared, ttl, inBase, last: !inBase || known !== undefined });
  }

  remove(key: unknown): boolean {
    const plain = plainKey(key);
    const known = this.#known(plain);
    if (known === undefined) {
      if (!this.#baseHas(plain)) return false;
      scratch.set(plain);
      const removed = { key: scratch.keep(), prepared: undefined, ttl: undefined, inBase: true, last: true };
      this.changes.set(keyName(scratch), removed);
      return true;
    }
    if (known.prepared === undefined) return false;
    known.prepared.release();
    known.prepared = undefined;
    known.last = true;
    if (!known.inBase) this.changes.delete(keyName(known.key));
    return true;
  }

  take(key: unknown): unknown {
    const value = this.read(key);
    if (value !== absent) this.remove(key);
    return value;
  }

  takeLast(): [DictKey, unknown] | undefined {
    let last: DictKey | undefined;
    for (const key of this.keys()) last = key;
    return last === undefined ? undefined : [last, this.take(last)];
  }

  clear(): void {
    this.drop();
    this.cleared = true;
  }

  size(): number {
    let size = this.cleared ? 0 : this.#look(() => this.#base.size());
    for (const { inBase, prepared } of this.changes.values()) {
      if (prepared === undefined) size -= 1;
      else if (!inBase) size += 1;
    }
    return size;
  }

  setDefault(key: unknown, value: unknown): unknown {
    const old = this.read(key);
    if (old !== absent) return old;
    this.write(key, value, undefined);
    return value;
  }

  compute(key: unknown, fn: (old: unknown) => unknown): unknown {
    const plain = plainKey(key);
    const old = this.read(plain);
    const value = refuseThenable(fn(old === absent ? undefined : old), 'compute');
    if (value === undefined) this.remove(plain);
    else this.write(plain, value, KEEP_TTL);
    return value;
  }

  increment(key: unknown, by: number): number {
    const plain = plainKey(key);
    const old = this.read(plain);
    if (old !== absent && typeof old !== 'number') throw notANumber();
    const sum = by + (old === absent ? 0 : (old as number));
    this.write(plain, sum, KEEP_TTL);
    return sum;
  }

  compareAndSet(key: unknown, expected: unknown, value: unknown): boolean {
    const plain = plainKey(key);
    const old = this.read(plain);
    const isEqual = old === absent ? expected === undefined : expected !== undefined && this.#same(old, expected);
    if (!isEqual) return false;
    if (value === undefined) this.remove(plain);
    else this.write(plain, value, KEEP_TTL);
    return true;
  }

  /** Whether two values are the same when they have been encoded. */
  #same(one: unknown, other: unknown): boolean {
    const first = prepare(this.#base.heap, one).keep();
    const second = prepare(this.#base.heap, other);
    try {
      return samePrepared(this.#base.heap, first, second);
    } finally {
      first.release();
      second.release();
    }
  }

  update(pairs: readonly (readonly [unknown, unknown])[]): void {
    const made = pairs.map(([key, value]) => {
      const plain = plainKey(key);
      scratch.set(plain);
      // Whether it can be encoded shows before anything has been changed.
      prepare(this.#base.heap, value).release();
      return [plain, value] as const;
    });
    for (const [key, value] of made) this.write(key, value, undefined);
  }

  keys(): DictKey[] {
    return [...this.#merged(this.cleared ? [] : this.#look(() => this.#base.keys()), (key) => key, keyOfEntry)];
  }

  entries(): [DictKey, unknown][] {
    const heap = this.#base.heap;
    const shared = this.cleared ? [] : this.#look(() => [...this.#base.entries()]);
    const all = this.#merged(
      shared,
      ([key]) => key,
      (changed): [DictKey, unknown] => [keyOfEntry(changed), valueOfPrepared(heap, changed.prepared!)],
    );
    return [...all];
  }

  *#merged<T>(shared: Iterable<T>, key: (one: T) => DictKey, made: (changed: OverlayEntry) => T): Generator<T> {
    const changes = new Map(this.changes);
    for (const one of shared) {
      scratch.set(key(one));
      const changed = changes.get(keyName(scratch));
      if (changed === undefined) yield one;
      else if (!changed.last) yield made(changed);
    }
    for (const changed of changes.values()) if (changed.last && changed.prepared !== undefined) yield made(changed);
  }

  /** What has been done to the key in hand. */
  changeOfKeyInHand(): OverlayEntry | undefined {
    return this.changes.get(keyName(scratch));
  }

  #known(plain: unknown): OverlayEntry | undefined {
    scratch.set(plain);
    return this.changes.get(keyName(scratch));
  }

  #baseHas(plain: unknown): boolean {
    return !this.cleared && this.#look(() => this.#base.has(plain));
  }

  /** Reads the shared dict, which must be as it was at the beginning. */
  #look<T>(read: () => T): T {
    const result = read();
    const { heap, at } = this.#base;
    if (heap.memory.load(at.address + root.sequence) === this.sequence) return result;
    this.overtaken = true;
    throw new Overtaken('Somebody else has changed the dict.');
  }
}

function keyOfEntry({ key }: OverlayEntry): DictKey {
  return keyOf(key.head, key.words, 0);
}
