// Targets for torn-read tests of ShareableList: one writes, others read, all as fast as they can.
import type { ShareableItem, ShareableList } from 'multiprocess';

/** Values of every kind whose bytes would be garbage under another one's format. */
export const flipped: readonly ShareableItem[] = [
  1,
  -1.5,
  'a string of 24 bytes!!!!',
  'another one of 24 bytes.',
  true,
  null,
  new Uint8Array([1, 2, 3, 0, 0]),
  4607182418800017408n, // the bits of 1.0
  'short',
  123456789,
];

export function flip(list: ShareableList<ShareableItem>, stop: Int32Array): number {
  let writes = 0;
  while (Atomics.load(stop, 0) === 0) {
    list.set(0, flipped[writes % flipped.length]!);
    writes += 1;
  }
  return writes;
}

const PATIENCE_MS = 20_000;

/** Returns what was read that had never been written. Goes on beyond `reads` until the writer has been at work. */
export function watch(list: ShareableList<ShareableItem>, reads: number): { torn: string[]; kinds: number } {
  const show = (value: ShareableItem) => (value instanceof Uint8Array ? `bytes ${value}` : `${typeof value} ${value}`);
  const known = new Set(flipped.map(show));
  const torn: string[] = [];
  const kinds = new Set<string>();
  const deadline = performance.now() + PATIENCE_MS;
  for (let i = 0; i < reads || (kinds.size < flipped.length - 1 && performance.now() < deadline); i++) {
    const value = show(list.get(0));
    kinds.add(value);
    if (!known.has(value)) torn.push(value);
  }
  return { torn: torn.slice(0, 10), kinds: kinds.size };
}

export function readForever(list: ShareableList<ShareableItem>): never {
  for (;;) list.get(0);
}
