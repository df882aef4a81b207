import { Process, SharedMemory } from 'multiprocess';
import { countWords } from './count-words.js';
import { showProgress } from './progress.js';
import { splitText } from './split-text.js';
import { WordTable } from './word-table.js';

/**
 * Counts the words of a text in several processes.
 *
 * @returns everything that they counted, put together.
 * @throws the first error of a process, or the signal's reason; by then all processes have ended.
 */
export async function countInProcesses(
  text: Uint8Array,
  processCount: number,
  signal: AbortSignal,
): Promise<WordTable> {
  using counters = SharedMemory.create(processCount * BigInt64Array.BYTES_PER_ELEMENT);
  const done = counters.view(BigInt64Array);
  const readDone = () => done.reduce((sum, _, i) => sum + Number(Atomics.load(done, i)), 0);
  const label = processCount === 1 ? '1 process' : `${processCount} processes`;
  using _progress = showProgress(label, text.length, readDone);

  const processes = splitText(text, processCount).map(
    // As daemons they end with this process, even if it is killed.
    (slice, i) => new Process({ target: countWords, args: [text, slice, done, i], daemon: true }),
  );
  const endAll = () => {
    for (const process of processes) if (process.isAlive()) process.terminate();
  };
  signal.addEventListener('abort', endAll);
  try {
    for (const process of processes) process.start();
    const merged = new WordTable(text);
    await Promise.all(processes.map(async (process) => mergeTable(merged, await process.result())));
    return merged;
  } catch (error) {
    endAll();
    await discardTables(processes);
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', endAll);
  }
}

/** Takes over the table that a process has left in shared memory. */
function mergeTable(merged: WordTable, memory: SharedMemory | null): void {
  if (memory === null) return;
  // `using` alone would only close it: this object did not create the block. Its name can go at once, what is open stays.
  using table = memory;
  table.unlink();
  merged.addAll(table.view(Int32Array));
}

/** Waits until all have ended, and removes the tables of those that got so far. */
async function discardTables(processes: readonly Process<never, SharedMemory | null>[]): Promise<void> {
  const results = await Promise.allSettled(processes.map((process) => process.result()));
  for (const result of results) {
    if (result.status === 'rejected' || result.value === null) continue;
    try {
      result.value.unlink();
    } catch {
      // It had been merged before.
    }
  }
}
