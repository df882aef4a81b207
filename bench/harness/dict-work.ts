import { check, secondsSince } from './serve.js';

/** What a dict and a Map have in common. */
interface Entries {
  get(key: number): unknown;
  set(key: number, value: unknown): unknown;
}

// A step that has no factor in common with the numbers of entries: keys do not come in the order in which they lie.
const STRIDE = 7919;

/** Reads or writes entries of a dict of so many. */
export function dictWork(dict: Entries, work: string, kind: string, entries: number): (count: number) => number {
  const make = (i: number) => (kind === 'object' ? { id: i, name: 'a name' } : i);
  for (let i = 0; i < entries; i++) dict.set(i, make(i));
  let next = 0;
  return (count) => {
    let found = 0;
    const start = performance.now();
    if (work === 'get') {
      for (let i = 0; i < count; i++) {
        next = (next + STRIDE) % entries;
        if (dict.get(next) !== undefined) found += 1;
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
