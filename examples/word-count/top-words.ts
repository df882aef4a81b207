import type { WordCount, WordTable } from './word-table.js';

/** The most frequent words; among equally frequent ones, those that come first in the alphabet. */
export function topWords(table: WordTable, howMany: number): { word: string; count: number }[] {
  const entries: WordCount[] = [...table].sort((a, b) => b.count - a.count);
  // Words are looked up for the few entries only that may be shown: those as frequent as the last place, or more.
  const least = entries[Math.min(howMany, entries.length) - 1]?.count ?? 0;
  return entries
    .filter(({ count }) => count >= least)
    .map((entry) => ({ word: table.word(entry), count: entry.count }))
    .sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1))
    .slice(0, howMany);
}
