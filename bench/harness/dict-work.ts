import { check, secondsSince } from './serve.js';

/** What a dict and a Map have in common. */
interface Entries {
  get(key: number): unknown;
  set(key: number, value: unknown): unknown;
  has?(key: number): boolean;
  delete?(key: number): boolean;
  [Symbol.iterator]?(): Iterator<[number, unknown]>;
}

type Works = Required<Entries>;

// A step that has no factor in common with the numbers of entries: keys do not come in the order in which they lie.
const STRIDE = 7919;

/**
 * Works on entries of a dict of so many: `get`, `set`, `has`, `delete` (and set again), or `iterate` (over all of them, as often
 * as it takes).
 */
export function dictWork(dict: Entries, work: string, kind: string, entries: number): (count: number) => number {
  const make = (i: number) => (kind === 'object' ? { id: i, name: 'a name' } : i);
  for (let i = 0; i < entries; i++) dict.set(i, make(i));
  if (work === 'iterate') return iterate(dict as Works, entries);
  const works = dict as Works;
  let next = 0;
  return (count) => {
    let found = 0;
    const start = performance.now();
    if (work === 'get') {
      for (let i = 0; i < count; i++) {
        next = (next + STRIDE) % entries;
        if (dict.get(next) !== undefined) found += 1;
      }
    } else if (work === 'has') {
      for (let i = 0; i < count; i++) {
        next = (next + STRIDE) % entries;
        if (works.has(next)) found += 1;
      }
    } else if (work === 'delete') {
      for (let i = 0; i < count; i++) {
        next = (next + STRIDE) % entries;
        if (works.delete(next)) found += 1;
        dict.set(next, make(i));
      }
    } else {
      for (let i = 0; i < count; i++) {
        next = (next + STRIDE) % entries;
        dict.set(next, make(i));
      }
      found = count;
    }
    const seconds = secondsSince(start);
    check(found === count, 'an entry is missing');
    return seconds;
  };
}

function iterate(dict: Works, entries: number): (count: number) => number {
  return (count) => {
    const rounds = Math.ceil(count / entries);
    let found = 0;
    const start = performance.now();
    for (let i = 0; i < rounds; i++) for (const [, value] of dict) if (value !== undefined) found += 1;
    const seconds = secondsSince(start);
    check(found === rounds * entries, 'an entry is missing');
    return (seconds * count) / found;
  };
}
