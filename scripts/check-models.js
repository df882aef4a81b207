// Checks the models in models/ with spin: the sound configurations must be free of errors and searched to the end, and the
// deliberately broken ones must fail, each in the way that models/configurations.js says. `--all` adds the large ones; a
// word selects those whose model, settings or description contain it, large ones included.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configurations, SOUND } from '../models/configurations.js';

const AT_ONCE = Number(process.env.AT_ONCE ?? 2);
const MEGABYTES = 6000;

const models = fileURLToPath(new URL('../models/', import.meta.url));
const execute = promisify(execFile);

/** Output of a command, also of one that fails. */
async function outputOf(command, args, cwd) {
  const { stdout, stderr } = await execute(command, args, { cwd, maxBuffer: 1 << 26 }).catch((error) => {
    if (error.code === 'ENOENT') throw error;
    return { stdout: error.stdout, stderr: `${error.stderr}\n${error.signal ?? ''}` };
  });
  return `${stdout}${stderr}`;
}

async function check({ model, expected, settings, large }) {
  const started = performance.now();
  const directory = await mkdtemp(join(tmpdir(), 'multiprocess-model-'));
  try {
    const words = settings.split(' ');
    const defines = words.map((word) => `-D${word}`);
    const [search, ...options] = words.includes('FAIR') ? ['-DNP', '-l', '-f'] : ['-DSAFETY'];
    // Optimizing takes longer than searching, and so does clearing large tables, except for what is large.
    const optimization = large ? '-O2' : '-O0';
    const sizes = large ? ['-w24', '-m1000000'] : ['-w21', '-m100000'];
    const compilation = [optimization, '-w', search, '-DCOLLAPSE', `-DMEMLIM=${MEGABYTES}`, '-o', 'pan', 'pan.c'];
    const translated = await outputOf('spin', ['-a', ...defines, `${models}${model}.pml`], directory);
    const compiled = await outputOf('cc', compilation, directory);
    const pan = await outputOf('./pan', ['-n', ...sizes, ...options], directory).catch(() => 'pan is not there');
    const found = judge(pan);
    return {
      found,
      asExpected: found === SOUND ? expected === SOUND : expected !== SOUND && found?.startsWith(expected) === true,
      report: `${translated}${compiled}${pan}`,
      states: /(\d\S*) states, stored/.exec(pan)?.[1] ?? '',
      seconds: ((performance.now() - started) / 1000).toFixed(1),
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** @returns SOUND, the error that was found, or undefined when the search came to no end. */
function judge(report) {
  const errors = /errors: (\d+)/.exec(report)?.[1];
  if (errors !== '0') return /^pan:\d+: (.*?)(?: \(at depth \d+\))?$/m.exec(report)?.[1];
  return /search not completed|max search depth too small|out of memory|-DMEMLIM/i.test(report) ? undefined : SOUND;
}

function line(model, states, seconds, verdict, expected, about) {
  const numbers = `${String(states).padStart(11)} ${seconds.padStart(8)}`;
  console.log(`${model.padEnd(9)} ${numbers}  ${verdict.padEnd(10)} ${expected.padEnd(18)} ${about}`);
}

for (const [command, argument] of [
  ['spin', '-V'],
  ['cc', '--version'],
]) {
  await outputOf(command, [argument]).catch(() => {
    console.error(`'${command}' is not installed. On Debian and Ubuntu: apt-get install spin gcc`);
    process.exit(1);
  });
}

const all = process.argv.includes('--all');
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const selected = configurations.filter(({ model, settings, about, large }) => {
  const text = `${model} ${settings} ${about}`;
  return wanted.length > 0 ? wanted.every((word) => text.includes(word)) : all || !large;
});

line('model', 'states', 'seconds', 'verdict', 'expected', 'what it is about (settings): what spin found');
const started = performance.now();
const waiting = [...selected];
let surprises = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { found, asExpected, report, states, seconds } = await check(next);
      const about = `${next.about} (${next.settings})${found === SOUND ? '' : `: ${found ?? 'it came to no end'}`}`;
      line(next.model, states, seconds, asExpected ? 'ok' : 'UNEXPECTED', next.expected, about);
      if (!asExpected) surprises += 1;
      if (found === undefined) console.log(report);
    }
  }),
);
const seconds = ((performance.now() - started) / 1000).toFixed(0);
const verdict =
  selected.length === 0 ? 'nothing checked' : surprises === 0 ? 'all as expected' : `${surprises} not as expected`;
console.log(`${selected.length} of ${configurations.length} configurations in ${seconds} s, ${verdict}`);
process.exitCode = surprises === 0 && selected.length > 0 ? 0 : 1;
