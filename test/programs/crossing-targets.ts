// For test/collections/crossing-over.test.ts.
import { type DictProxy, ListProxy, SharedDict, transact } from 'multiprocess';

/** What counts: computed, in transactions, and by others. */
export type Counted = DictProxy<string, number> | ListProxy<number> | Record<string, number>;

const isList = (object: Counted): object is ListProxy<number> => object instanceof ListProxy;
const isDict = (object: Counted): object is DictProxy<string, number> =>
  object instanceof (SharedDict as unknown as new () => object);

/** Counts in an object that this process is not in: atomically. */
function countFromOutside(object: Counted): void {
  if (isDict(object)) object.increment('c');
  else if (isList(object)) object.compute(2, (old) => old + 1);
  // A write of a namespace may meet the other's transaction, and is then one of two: so it counts on its own.
  else (object as Record<string, number>)['c'] = mine += 1;
}
let mine = 0;

/** Computes in the one and changes it in transactions, and within that touches the other. */
export function crossOver(one: Counted, other: Counted, times: number): void {
  const touch = () => {
    countFromOutside(other);
    if (isDict(other)) other.get('a');
    else if (isList(other)) other.copy();
    else ({ ...other });
  };
  const oneMore = (old: number | undefined) => {
    touch();
    return (old ?? 0) + 1;
  };
  for (let i = 0; i < times; i++) {
    if (isDict(one)) one.compute('a', oneMore);
    else if (isList(one)) one.compute(0, oneMore);
    transact(one as DictProxy<string, number>, () => {
      touch();
      if (isDict(one)) one.increment('b');
      else if (isList(one)) one.set(1, one.get(1) + 1);
      else {
        const space = one as Record<string, number>;
        space['b'] = (space['b'] ?? 0) + 1;
      }
    });
  }
}
