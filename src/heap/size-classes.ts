import { PAGE_WORDS } from './layout.js';

// Small blocks come in these sizes, in words: steps of 16 bytes up to 128, then four to each doubling. Larger ones get
// whole pages.
const sizes: number[] = [];
for (let words = 4; words <= 32; words += 4) sizes.push(words);
for (let base = 32; base < PAGE_WORDS / 2; base *= 2) {
  for (let quarter = 1; quarter <= 4; quarter++) sizes.push(base + (base / 4) * quarter);
}

export const CLASS_WORDS: readonly number[] = sizes;
export const MAX_SMALL_WORDS = sizes[sizes.length - 1]!;

/** How many blocks of each class fit a page. */
export const CLASS_CAPACITY: readonly number[] = sizes.map((words) => Math.floor(PAGE_WORDS / words));

/** The smallest class for so many words. */
export function classOf(words: number): number {
  if (words <= 32) return Math.max(0, ((words + 3) >> 2) - 1);
  const shift = 31 - Math.clz32(words - 1); // 32 < words: the doubling it lies in
  const quarter = (words - 1 - (1 << shift)) >> (shift - 2);
  return 8 + (shift - 5) * 4 + quarter;
}
