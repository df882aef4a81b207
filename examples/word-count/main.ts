// Counts the words of all text files in a folder, with as many processes as there are processors.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuCount } from 'multiprocess';
import { findTextFiles } from './find-text-files.js';
import { abortOnSignals, Interrupted } from './interruption.js';
import { loadText, planText, roomForText } from './load-text.js';
import { countSimply, findDifferences } from './reference-count.js';
import { countInProcesses } from './run-processes.js';
import { topWords } from './top-words.js';
import type { WordTable } from './word-table.js';

const USAGE = `Usage: npm run demo -- [folder] [--processes N] [--top N]

Counts the words in all text files below the folder (default: node_modules of this project).

  --processes N   how many processes count (default: one for each processor, ${cpuCount()} here)
  --top N         how many words are shown (default: 20)
  --help          shows this
`;

/** Something the user did or has; said in one sentence, without a stack. */
class CannotRun extends Error {}

interface Options {
  readonly folder: string;
  readonly processes: number;
  readonly top: number;
  readonly help: boolean;
}

function readOptions(): Options {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { processes: { type: 'string' }, top: { type: 'string' }, help: { type: 'boolean' } },
    });
    if (positionals.length > 1) throw new Error('Only one folder can be given.');
    return {
      // Compiled, this file lies in build/examples/word-count.
      folder: resolve(positionals[0] ?? fileURLToPath(new URL('../../../node_modules', import.meta.url))),
      processes: wholeNumber('--processes', values.processes ?? String(cpuCount())),
      top: wholeNumber('--top', values.top ?? '20'),
      help: values.help ?? false,
    };
  } catch (error) {
    throw new CannotRun(`${(error as Error).message}\n\n${USAGE}`);
  }
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`${option} takes a whole number from 1 to 9999; got '${text}'.`);
  return Number(text);
}

/** @returns whether the check was passed. */
async function run({ folder, processes, top }: Options, signal: AbortSignal): Promise<boolean> {
  const found = await findTextFiles(folder, signal).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new CannotRun(`There is no folder ${folder}.`);
    if (error.code === 'ENOTDIR') throw new CannotRun(`${folder} is not a folder.`);
    if (error.code !== undefined) throw new CannotRun(`The folder ${folder} cannot be read: ${error.message}.`);
    throw error;
  });
  if (found.textFiles.length === 0) throw new CannotRun(`There is no text file in ${folder}.`);
  const room = roomForText();
  const plan = planText(found.textFiles, room);
  if (plan.leftOut.files > 0) {
    console.log(
      `Capped: /dev/shm has room for ${megabytes(room)} of text at present, so ` +
        `${grouped(plan.leftOut.files)} files with ${megabytes(plan.leftOut.bytes)} are left out.`,
    );
  }
  if (plan.files.length === 0) throw new CannotRun('No file fits. Free blocks in /dev/shm, or make it larger.');

  const loadStarted = performance.now();
  const loaded = await loadText(plan, signal);
  using memory = loaded.memory;
  const text = memory.buf;
  console.log(`Files:          ${grouped(loaded.files)} of text in ${folder}`);
  console.log(
    `Left out:       ${grouped(found.binaryFiles)} binary, ${found.unreadable + loaded.unreadable} unreadable`,
  );
  console.log(`Bytes:          ${grouped(loaded.bytes)}, read in ${seconds(loadStarted)}`);

  const runs: { table: WordTable; milliseconds: number }[] = [];
  for (const count of new Set([1, processes])) {
    const started = performance.now();
    const table = await countInProcesses(text, count, signal);
    runs.push({ table, milliseconds: performance.now() - started });
  }
  const first = runs[0]!;
  const last = runs.at(-1)!;
  console.log(`Words:          ${grouped(last.table.total)}`);
  console.log(`Distinct words: ${grouped(last.table.distinct)}`);

  console.log(`\nThe ${top} most frequent:`);
  for (const { word, count } of topWords(last.table, top)) console.log(`${grouped(count).padStart(12)}  ${word}`);

  console.log(`\n1 process:      ${(first.milliseconds / 1000).toFixed(2)} s`);
  if (processes > 1) {
    const speedUp = (first.milliseconds / last.milliseconds).toFixed(2);
    console.log(
      `${`${processes} processes:`.padEnd(15)} ${(last.milliseconds / 1000).toFixed(2)} s, ${speedUp} times as fast`,
    );
  }

  const checkStarted = performance.now();
  const expected = await countSimply(text, signal);
  const differences = runs.flatMap(({ table }) => findDifferences(table, expected));
  if (differences.length === 0) {
    console.log(`check: ok (a simple count without other processes took ${seconds(checkStarted)})`);
    return true;
  }
  console.log(`check: FAILED, ${grouped(differences.length)} differences`);
  for (const difference of differences.slice(0, 10)) console.log(`  ${difference}`);
  return false;
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(2)} s`;
}

function grouped(number: number): string {
  return number.toLocaleString('en');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

try {
  const options = readOptions();
  if (options.help) process.stdout.write(USAGE);
  else process.exitCode = (await run(options, abortOnSignals())) ? 0 : 1;
} catch (error) {
  // Shared memory can also fill up after its room was looked at; the library's message says what to do.
  const full = error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOSPC';
  if (!(error instanceof CannotRun || error instanceof Interrupted || full)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
}
