import { Process, Value } from 'multiprocess';
import { countWords } from './count-words.js';
import { showProgress } from './progress.js';
import { splitText } from './split-text.js';
import { WordTable } from './word-table.js';

const SLICES_EACH = 8;

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
  const next = Value('i', 0);
  const done = Value('q', 0);
  const label = processCount === 1 ? '1 process' : `${processCount} processes`;
  using _progress = showProgress(label, text.length, () => Number(done.value));

  // Each takes one after the other, so that none has to wait for one that was slow.
  const slices = splitText(text, SLICES_EACH * processCount);
  const processes = Array.from(
    { length: processCount },
    // As daemons they end with this process, even if it is killed.
    () => new Process({ target: countWords, args: [text, slices, next, done], daemon: true }),
  );
  const endAll = () => {
    for (const process of processes) if (process.isAlive()) process.terminate();
  };
  signal.addEventListener('abort', endAll);
  try {
    for (const process of processes) process.start();
    const merged = new WordTable(text);
    await Promise.all(processes.map(async (process) => merged.addAll(await process.result())));
    return merged;
  } catch (error) {
    endAll();
    await Promise.allSettled(processes.map((process) => process.result()));
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', endAll);
  }
}
