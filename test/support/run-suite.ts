// Runs all tests, or those whose path contains one of the arguments, and looks that they have left nothing behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { orphans } from './orphans.js';
import { cleanEnvironment } from './run.js';
import { shmEntries } from './shm.js';
import { markedProcesses, watchdog } from './watchdog.js';

/** The longest file takes a quarter of it, on a machine at rest. Who asks for a long run gets one. */
const isLong = process.env['CRASH'] !== undefined || process.env['SECONDS'] !== undefined;
const OLDEST_PROCESS_MS = isLong ? Number.POSITIVE_INFINITY : 8 * 60_000;

const folder = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && (wanted.length === 0 || wanted.some((part) => file.includes(part))))
  .sort()
  .map((file) => folder + file);
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(' ')}.`);
  process.exit(1);
}

const entriesBefore = shmEntries();
const MARK = `MULTIPROCESS_SUITE=${process.pid}`;
const env = cleanEnvironment({ MULTIPROCESS_SUITE: String(process.pid) });
const failedList = join(tmpdir(), `multiprocess-failed-${process.pid}`);
const reporter = fileURLToPath(new URL('./failed-files.js', import.meta.url));

/** How many processes the watchdog had to kill. */
let overdue = 0;

/** Runs test files; answers which of them failed, or undefined when that cannot be told. */
async function runFiles(which: readonly string[], concurrency: number): Promise<string[] | undefined> {
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  reporters.push(`--test-reporter=${pathToFileURL(reporter)}`, `--test-reporter-destination=${failedList}`);
  const run = spawn(process.execPath, ['--test', `--test-concurrency=${concurrency}`, ...reporters, ...which], {
    stdio: 'inherit',
    env,
  });
  const stop = watchdog(MARK, OLDEST_PROCESS_MS, [process.pid, run.pid!]);
  const [code] = (await once(run, 'exit')) as [number | null];
  overdue += stop();
  if (code === 0) return [];
  const failed = new Set<string>();
  for (const file of readFileSync(failedList, 'utf8').split('\n')) {
    if (file === '') continue;
    const from = which.includes(file) ? [file] : which.filter((each) => mentions(each, file));
    if (from.length === 0) return undefined;
    for (const each of from) failed.add(each);
  }
  return failed.size > 0 ? [...failed] : undefined;
}

/** Whether a test file may be where that test comes from, which is defined in a file that several of them import. */
function mentions(testFile: string, definedIn: string): boolean {
  return readFileSync(testFile, 'utf8').includes(basename(definedIn));
}

let failed = await runFiles(files, 2);
// Where asked for (a CI machine with noisy neighbours), what failed gets one more try by itself, and is named if it
// passes then: an unsteady test is a defect to look into, but not the reason to throw away a day's work.
const secondTry = process.env['MULTIPROCESS_SECOND_TRY'] === '1';
if (secondTry && failed !== undefined && failed.length > 0) {
  const first = failed;
  console.log(`\nOnce more, alone: ${first.join(' ')}`);
  failed = await runFiles(first, 1);
  if (failed?.length === 0) console.log(`\nUNSTEADY, passed only the second time: ${first.join(' ')}`);
}
rmSync(failedList, { force: true });
const status = failed?.length === 0 ? 0 : 1;

const leftProcesses = () =>
  markedProcesses(MARK).map(({ pid, command, doing }) => `process ${pid}: ${command} (${doing})`);

function leftFiles(): string[] {
  const ours = [...shmEntries()].filter((entry) => !entriesBefore.has(entry) && entry.startsWith('mptest_'));
  return [...ours, ...orphans()].map((entry) => `/dev/shm/${entry}`);
}

// What has just been killed takes a moment to go.
let left: string[] = [];
for (let i = 0; i < 40; i++) {
  left = [...leftProcesses(), ...leftFiles()];
  if (left.length === 0) break;
  await delay(50);
}
if (overdue > 0) console.error(`\n${overdue} process(es) had to be killed, see above.`);
if (left.length > 0) console.error(`\nThe tests left behind:\n  ${left.join('\n  ')}`);
else console.log('\nLeft behind: no process, no /dev/shm entry.');
process.exit(left.length > 0 || (overdue > 0 && !secondTry) ? 1 : status);
