import type { DictKey } from './dict-keys.js';

/** What a dict can do: the shared one itself, or what a `transact` sees of it. `absent` stands for no value. */
export interface DictOperations {
  read(key: unknown): unknown;
  has(key: unknown): boolean;
  /** @param ttl milliseconds; undefined for what the dict gives to all. */
  write(key: unknown, value: unknown, ttl: number | undefined): void;
  remove(key: unknown): boolean;
  /** Removes an entry. @returns its value, or `absent`. */
  take(key: unknown): unknown;
  takeLast(): [DictKey, unknown] | undefined;
  clear(): void;
  size(): number;
  setDefault(key: unknown, value: unknown): unknown;
  compute(key: unknown, fn: (old: unknown) => unknown): unknown;
  increment(key: unknown, by: number): number;
  compareAndSet(key: unknown, expected: unknown, value: unknown): boolean;
  update(pairs: readonly (readonly [unknown, unknown])[]): void;
  keys(): DictKey[];
  /** All entries as they are now; the values are made one by one. */
  entries(): Iterable<[DictKey, unknown]>;
}
