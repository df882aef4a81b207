// The work of mixed-stress.ts over containers that are broken on purpose: the test has to find out, or it would find nothing else
// either.
import type { SharedMemory } from 'multiprocess';
import { randomFrom } from '../support/random.js';
import { stress, type World } from './mixed-stress.js';

type Fn = (...args: any[]) => any;

/** What is wrong, now and then, with a method. */
interface Fault {
  readonly of: keyof World;
  readonly method: string;
  readonly wrong: (object: any, method: Fn, args: readonly any[]) => unknown;
  /** What the test has to say. */
  readonly found: RegExp;
}

const unwritten = /Cell \d+ of \d+ is |A pair is |In a snapshot: |: \d+:\d+ was not /;
const twice = /: \d+ was taken [1-9]\d* times before|The bag has something twice|: \d+ of \d+ has come after/;
const lost = /\d+ items are lost, and \d+ deaths may have lost one/;

export const faults: Readonly<Record<string, Fault>> = {
  'a dict forgets a write': { of: 'dict', method: 'set', wrong: (dict) => dict, found: unwritten },
  'a dict forgets to delete': { of: 'dict', method: 'delete', wrong: () => true, found: unwritten },
  'a list forgets a write': { of: 'list', method: 'set', wrong: () => undefined, found: unwritten },
  'a counter forgets to count': {
    of: 'counts',
    method: 'increment',
    wrong: (counts, _, [name]) => counts.get(name, 0),
    found: /increment: \d+, and from \d+ to \d+ are counted/,
  },
  'a list hands an item out and keeps it': {
    of: 'bag',
    method: 'pop',
    wrong: (bag, _, [index = -1]) => bag.at(index),
    found: twice,
  },
  'a list loses what is appended': { of: 'bag', method: 'append', wrong: () => undefined, found: lost },
  'a queue loses an item': {
    of: 'plain',
    method: 'tryGet',
    wrong: (_, tryGet) => void tryGet(),
    found: lost,
  },
  'a queue hands an item out twice': {
    of: 'plain',
    method: 'tryGet',
    wrong(queue, tryGet) {
      const found = tryGet();
      if (found !== undefined) queue.tryPut(found.value);
      return found;
    },
    found: twice,
  },
  'a queue says that it has taken an item, and has not': {
    of: 'plain',
    method: 'tryPut',
    wrong: () => true,
    found: lost,
  },
  'a leased item is lost': {
    of: 'leased',
    method: 'tryGet',
    wrong: (_, tryGet, args) => void tryGet(...args)?.ack(),
    found: /leased items are lost/,
  },
};

const ONE_IN = 4;

export function brokenStress(
  world: World,
  notes: SharedMemory,
  place: number,
  who: number,
  seed: number,
  name: string,
): Promise<string> {
  const { of, method, wrong } = faults[name]!;
  const random = randomFrom(seed + 1);
  const object = world[of] as Record<string, any>;
  const right = (object[method] as Fn).bind(object);
  const value = (...args: any[]) => (random() < 1 / ONE_IN ? wrong(object, right, args) : right(...args));
  Object.defineProperty(object, method, { value });
  return stress(world, notes, place, who, seed);
}
