import { Pool, Value } from 'multiprocess';
import { countWords } from './count-words.js';
import { showProgress } from './progress.js';
import { type Slice, splitText } from './split-text.js';
import { WordTable } from './word-table.js';

const SLICES_EACH = 4;

/**
 * Counts the words of a text in a pool of processes.
 *
 * @returns everything that they counted, put together.
 * @throws the first error of a process, or the signal's reason; by then all processes have ended.
 */
export async function countInProcesses(
  text: Uint8Array,
  processCount: number,
  signal: AbortSignal,
): Promise<WordTable> {
  const done = Value('q', 0);
  const label = processCount === 1 ? '1 process' : `${processCount} processes`;
  using _progress = showProgress(label, text.length, () => Number(done.value));

  await using pool = new Pool(processCount);
  // No module exports it, so it travels as its source, and what it uses goes along: the text and the number as the same memory.
  const count = (slice: Slice) => countWords(text, slice, done);
  const slices = splitText(text, SLICES_EACH * processCount);
  const merged = new WordTable(text);
  // Each process takes one slice after the other, so that none has to wait for one that was slow.
  for await (const table of pool.imapUnordered(count, slices, { signal })) merged.addAll(table);
  return merged;
}
