import { Breather } from './interruption.js';
import { isLetter } from './split-text.js';
import type { WordTable } from './word-table.js';

const STEP_BYTES = 1024 * 1024;

/** Counts the same words in this process by quite other means, strings and a Map, to check the processes by. */
export async function countSimply(text: Uint8Array, signal: AbortSignal): Promise<Map<string, number>> {
  const breather = new Breather(signal);
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const counts = new Map<string, number>();
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + STEP_BYTES, bytes.length);
    while (end < bytes.length && isLetter(bytes[end]!)) end += 1;
    for (const [word] of bytes
      .toString('latin1', start, end)
      .toLowerCase()
      .matchAll(/[a-z]+/g)) {
      const count = counts.get(word);
      // A word found in a string keeps that whole string in memory; a copy of it does not.
      if (count === undefined) counts.set(Buffer.from(word, 'latin1').toString('latin1'), 1);
      else counts.set(word, count + 1);
    }
    start = end;
    await breather.pause();
  }
  return counts;
}

/** Where a table and the expected counts differ, in words; empty when they agree. */
export function findDifferences(table: WordTable, expected: ReadonlyMap<string, number>): string[] {
  const differences: string[] = [];
  const found = new Set<string>();
  for (const entry of table) {
    const word = table.word(entry);
    const count = expected.get(word) ?? 0;
    if (found.has(word)) differences.push(`${word}: more than one entry`);
    else if (entry.count !== count) differences.push(`${word}: ${entry.count} instead of ${count}`);
    found.add(word);
  }
  for (const [word, count] of expected) if (!found.has(word)) differences.push(`${word}: 0 instead of ${count}`);
  return differences;
}
