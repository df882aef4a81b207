// What processes do with dicts and namespaces, for the tests of those.
import { type DictProxy, handleOf, RawArray, SharedDict, transact } from 'multiprocess';
import { History } from '../support/history.js';
import { register } from '../support/models.js';
import { randomFrom } from '../support/random.js';

export function setEntry(dict: DictProxy, key: unknown, value: unknown): number {
  dict.set(key, value);
  return dict.size;
}

export function giveBack(shared: object): { shared: object; handle: string } {
  return { shared, handle: handleOf(shared) };
}

export function incrementMany(dict: DictProxy, key: string, times: number): void {
  for (let i = 0; i < times; i++) dict.increment(key);
}

export function computeMany(dict: DictProxy, key: string, times: number): void {
  for (let i = 0; i < times; i++) dict.compute(key, (old: number | undefined) => (old ?? 0) + 1);
}

export function transferMany(dict: DictProxy, from: string, to: string, times: number): void {
  for (let i = 0; i < times; i++) {
    transact(dict, (d) => {
      d.set(from, d.get(from) - 1);
      d.set(to, d.get(to) + 1);
    });
  }
}

/** Writes two entries at once, over and over, until it is killed. */
export function writePairs(dict: DictProxy): void {
  for (let i = 0; ; i++) {
    transact(dict, (d) => {
      d.set('one', i);
      d.set('other', i);
    });
  }
}

/** Writes as fast as it can, until it is told to stop. */
export function writeUntil(dict: DictProxy, stop: Int32Array): void {
  for (let i = 0; Atomics.load(stop, 0) === 0; i++) dict.set('noise', i);
}

/** Replaces a value that is too large for a block, over and over, until it is told to stop. */
export function replaceLargeUntil(dict: DictProxy, key: string, stop: Int32Array): void {
  for (let i = 0; Atomics.load(stop, 0) === 0; i++) dict.set(key, new Uint8Array(70_000).fill(i));
}

/** Computes in the one dict, and within that writes the other. */
export function crossOver(one: DictProxy, other: DictProxy, times: number): void {
  for (let i = 0; i < times; i++) {
    one.compute('a', (old: number | undefined) => {
      other.increment('b');
      return (old ?? 0) + 1;
    });
    transact(one, () => {
      other.increment('c');
      one.increment('d');
    });
  }
}

export function setProperty(namespace: Record<string, unknown>, name: string, value: unknown): unknown {
  namespace[name] = value;
  return { ...namespace };
}

/** Random operations on a few keys, written down. */
export function recordHistory(
  dict: DictProxy,
  log: Float64Array,
  seed: number,
  ready: Int32Array,
  parties: number,
): void {
  const history = new History(log);
  const random = randomFrom(seed);
  const below = (most: number) => Math.floor(random() * most);
  Atomics.add(ready, 0, 1);
  while (Atomics.load(ready, 0) < parties);
  while (!history.isFull) {
    const key = below(3);
    const argument = 1 + below(5);
    switch (1 + below(5)) {
      case register.get:
        history.record(register.get, key, 0, () => dict.get(key, 0) as number);
        break;
      case register.set:
        history.record(register.set, key, argument, () => {
          dict.set(key, argument);
          return 0;
        });
        break;
      case register.delete:
        history.record(register.delete, key, 0, () => Number(dict.delete(key)));
        break;
      case register.increment:
        history.record(register.increment, key, argument, () => dict.increment(key, argument));
        break;
      default:
        history.record(register.compareAndSet, key, argument, () =>
          Number(dict.compareAndSet(key, argument === 1 ? undefined : argument - 1, argument)),
        );
    }
  }
}

export { RawArray, SharedDict };
