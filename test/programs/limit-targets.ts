// What processes do with the objects of a manager whose memory is limited.
import type { DictProxy, ListProxy, Queue } from 'multiprocess';
import { randomFrom } from '../support/random.js';

const codeOf = (error: unknown) => (error as { code?: string }).code;

/**
 * Begins when all are there.
 *
 * @returns how many entries of its own have been set when there was no room for one more.
 */
export function fillDict(dict: DictProxy<string, string>, who: string, text: string, missing: Int32Array): number {
  Atomics.sub(missing, 0, 1);
  while (Atomics.load(missing, 0) > 0);
  for (let i = 0; ; i++) {
    try {
      dict.set(`${who} ${i}`, text);
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error;
      return i;
    }
  }
}

/** Works at the limit, where every operation may be refused, until it is killed. Cells that it owns say how far it is. */
export function workAtLimit(
  all: { dict: DictProxy<string, unknown>; list: ListProxy<unknown>; queue: Queue<unknown> },
  done: Int32Array,
  place: number,
  seed: number,
): void {
  const { dict, list, queue } = all;
  const random = randomFrom(seed);
  const below = (most: number) => Math.floor(random() * most);
  const value = () => 'x'.repeat(below(4) === 0 ? below(300_000) : below(3000));
  const ways = [
    () => dict.set(`key ${below(300)}`, value()),
    () => dict.set(`key ${below(300)}`, value()),
    () => dict.delete(`key ${below(300)}`),
    () => list.append(value()),
    () => list.extend([value(), value(), value()]),
    () => list.pop(below(2) - 1),
    () => list.reverse(),
    () => queue.putSync(value()),
    () => queue.tryGet(),
    () => queue.tryGet({ lease: true })?.ack(),
  ];
  for (;;) {
    try {
      ways[below(ways.length)]!();
      Atomics.add(done, 2 * place, 1);
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error;
      Atomics.add(done, 2 * place + 1, 1);
    }
  }
}
