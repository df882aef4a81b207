// Checks the models in models/ with spin: the sound configurations must be free of errors and searched to the end, and the
// deliberately broken ones must fail, each in the way that is written beside it. A word on the command line selects those
// whose model, settings or description contain it.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOUND = 'sound';
const ASSERTION = 'assertion violated';
const HANG = 'invalid end state';
const LIVELOCK = 'non-progress cycle';
const AT_ONCE = 2;
const MEGABYTES = 2000;

/** Model, expectation, settings, what it is about. Searched for fair cycles, too, when `FAIR` is among the settings. */
const configurations = [
  ['lock', SOUND, 'KILLS=2', 'two, and a joiner who gets the slot of one gone'],
  ['lock', SOUND, 'KILLS=2 ROUNDS=2', 'the same, twice each'],
  ['lock', SOUND, 'KILLS=2 KIND2=WAITS', 'three and a joiner'],
  ['lock', SOUND, 'KILLS=2 KIND2=GIVES_UP', 'one with a deadline'],
  ['lock', SOUND, 'KILLS=2 KIND2=TRIES', 'one that only tries'],
  ['lock', SOUND, 'FAIR KILLS=2 ROUNDS=2', 'nobody waits for ever'],
  ['lock', SOUND, 'FAIR KILLS=2 KIND2=WAITS KIND3=ABSENT', 'nobody waits for ever: three'],
  ['lock', SOUND, 'FAIR KILLS=2 KIND2=GIVES_UP KIND3=ABSENT', 'nobody waits for ever: one with a deadline'],
  ['lock', SOUND, 'NO_SLICE KILLS=0 ROUNDS=2 KIND2=WAITS', 'wake-ups alone do as long as nobody dies'],
  ['lock', SOUND, 'NO_SLICE KILLS=0 ROUNDS=2 KIND2=GIVES_UP', 'wake-ups alone: one with a deadline'],
  ['lock', SOUND, 'NO_SLICE KILLS=0 ROUNDS=2 KIND2=TRIES', 'wake-ups alone: one that only tries'],
  ['lock', HANG, 'NO_SLICE KILLS=1', 'sleeps without slices: a death loses a wake-up'],
  ['lock', HANG, 'WOKEN_FORGETS_WAITERS NO_SLICE KILLS=0 KIND2=WAITS', 'the woken take the word without WAITERS'],
  ['lock', HANG, 'KEEPS_WAKE_UP NO_SLICE KILLS=0 KIND2=GIVES_UP', 'who gives up does not pass a wake-up on'],
  ['lock', HANG, 'NAP_ON_WORD NO_SLICE KILLS=0 KIND2=WAITS', 'newcomers nap on the word, and swallow a wake-up'],
  ['lock', HANG, 'STAND_BACK_FOR_EVER KILLS=1', 'a reservation has no end, and its maker dies'],
  ['lock', LIVELOCK, 'FAIR NEVER_LOOKS KILLS=1', 'sleepers do not ask whether the owner lives'],
  ['lock', ASSERTION, 'ROB_WITHOUT_ROLLBACK KILLS=1', 'taken from the dead before the roll-back'],
  ['lock', ASSERTION, 'REAP_WITHOUT_BYTE KILLS=2', 'reaping without the byte of the slot'],
  ['lock', ASSERTION, 'JOIN_WITHOUT_ROLLBACK KILLS=1', 'a joiner bumps the generation without a roll-back'],
  ['lock', ASSERTION, 'JOIN_KEEPS_GENERATION KILLS=1', 'a joiner goes by the generation of the dead'],

  ['journal', SOUND, 'KILLS=2', 'two writers and a reader'],
  ['journal', SOUND, 'KILLS=2 ROUNDS=2', 'the same, twice each'],
  ['journal', SOUND, 'KILLS=2 ROUNDS=2 DOES2=WRITES', 'three writers'],
  ['journal', SOUND, 'KILLS=2 ROUNDS=2 DOES1=MAKES DOES2=MAKES', 'a writer and two who take holds'],
  [
    'journal',
    SOUND,
    'KILLS=3 ROUNDS=2 DOES0=PAGES DOES1=ROOTS DOES2=MAKES',
    'dead in the allocator, dead in the roots',
  ],
  ['journal', SOUND, 'KILLS=3 ROUNDS=2 DOES1=MAKES DOES2=JOINS', 'a joiner with an estate'],
  ['journal', SOUND, 'KILLS=3 DOES0=MAKES DOES1=LEAVES DOES2=JOINS', 'one leaves, one joins'],
  ['journal', SOUND, 'KILLS=1 CUTS=1 ROUNDS=2 DOES0=PAGES DOES2=WRITES', 'JavaScript cut short'],
  ['journal', SOUND, 'KILLS=1 CUTS=1 ROUNDS=2 DOES2=MAKES', 'JavaScript cut short, with estates'],
  ['journal', ASSERTION, 'ONE_STAGE KILLS=2 DOES0=PAGES DOES2=ABSENT', 'estates settled within a transaction'],
  [
    'journal',
    ASSERTION,
    'ALLOCATOR_LET_GO_BEFORE_COMMIT KILLS=1 DOES1=MAKES DOES2=ABSENT',
    'a lock let go of too early',
  ],
  ['journal', ASSERTION, 'NAIVE_SEQUENCE KILLS=1', 'sequences that go up by one each time'],
  ['journal', ASSERTION, 'COMMIT_BEFORE_LAST_STORE KILLS=1 DOES2=ABSENT', 'a store after the commit'],
  ['journal', ASSERTION, 'STORE_BEFORE_LENGTH KILLS=1 DOES2=ABSENT', 'a store that the log does not count yet'],
  ['journal', ASSERTION, 'CUT_BEFORE_UNDO KILLS=2 DOES2=ABSENT', 'the log emptied before all is restored'],
  ['journal', ASSERTION, 'UNDO_FORWARDS KILLS=1 DOES0=PAGES DOES2=ABSENT', 'the log undone first entry first'],
  ['journal', ASSERTION, 'BUMP_BEFORE_UNDO KILLS=1 DOES2=JOINS', 'a joiner bumps the generation before the roll-back'],
  [
    'journal',
    HANG,
    'CUT_SHORT_KEEPS_BYTE KILLS=1 CUTS=1 ROUNDS=2 DOES0=PAGES DOES2=WRITES',
    'a reaper cut short keeps the byte',
  ],

  ['gate', SOUND, 'KILLS=2', 'two joiners and a sweeper'],
  ['gate', SOUND, 'KILLS=2 JOINERS=1 SWEEPERS=3', 'one joiner and three sweepers'],
  ['gate', SOUND, 'KILLS=2 JOINERS=3', 'three joiners and a sweeper'],
  ['gate', ASSERTION, 'NO_GATE', 'nobody takes the gate'],
  ['gate', ASSERTION, 'NO_RECHECK', 'a joiner does not look again, once it has the gate'],
  ['gate', ASSERTION, 'NO_LOOK_AT_ENDING', 'a joiner compares inodes only'],
  ['gate', ASSERTION, 'GATE_LET_GO_BEFORE_SLOT', 'a joiner lets go of the gate too early'],
  ['gate', ASSERTION, 'PUBLISH_BEFORE_GATE', 'a maker takes the gate too late'],
  ['gate', ASSERTION, 'PUBLISH_REPLACES', 'a maker replaces what has the name'],
  ['gate', ASSERTION, 'SEGMENT_BEFORE_EXTENTS', 'a sweeper removes the segment first'],
  ['gate', ASSERTION, 'LIST_AFTER_LOOK', 'extents without a segment listed too late'],
  ['gate', ASSERTION, 'NO_COMPARISON', 'a sweeper does not compare inodes'],
  ['gate', ASSERTION, 'REMOVES_WHAT_COUNTS', 'a sweeper removes only extents that are counted'],
];

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

async function check([model, expected, settings]) {
  const started = performance.now();
  const directory = await mkdtemp(join(tmpdir(), 'multiprocess-model-'));
  try {
    const words = settings.split(' ');
    const defines = words.map((word) => `-D${word}`);
    const [search, ...options] = words.includes('FAIR') ? ['-DNP', '-l', '-f'] : ['-DSAFETY'];
    const compilation = ['-O2', '-w', search, '-DCOLLAPSE', `-DMEMLIM=${MEGABYTES}`, '-o', 'pan', 'pan.c'];
    const translated = await outputOf('spin', ['-a', ...defines, `${models}${model}.pml`], directory);
    const compiled = await outputOf('cc', compilation, directory);
    const report = await outputOf('./pan', ['-n', '-m100000', ...options], directory).catch(() => 'pan is not there');
    const errors = /errors: (\d+)/.exec(report)?.[1];
    const incomplete = /search not completed|max search depth too small|out of memory|-DMEMLIM/i.test(report);
    const found = errors === '0' && !incomplete ? SOUND : /^pan:\d+: (.*?)(?: \(|$)/m.exec(report)?.[1];
    const asExpected = expected === SOUND ? found === SOUND : Number(errors) > 0 && found?.startsWith(expected);
    return {
      verdict: asExpected ? 'ok' : `UNEXPECTED: ${found ?? `not completed\n${translated}${compiled}${report}`}`,
      states: /(\d\S*) states, stored/.exec(report)?.[1] ?? '',
      seconds: ((performance.now() - started) / 1000).toFixed(1),
      asExpected,
    };
  } finally {
    await rm(directory, { recursive: true });
  }
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

const [, , wanted = ''] = process.argv;
const selected = configurations.filter((configuration) => configuration.some((text) => text.includes(wanted)));
const line = (model, about, settings, expected, states, seconds, verdict) =>
  console.log(
    `${model.padEnd(8)} ${settings.padEnd(72)} ${expected.padEnd(18)} ${states.padStart(12)} ${seconds.padStart(7)}  ${verdict.padEnd(4)} ${about}`,
  );
line('model', '', 'configuration', 'expected', 'states', 'seconds', '');
const running = selected.map(() => undefined);
let next = 0;
let surprises = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (next < selected.length) {
      const index = next++;
      running[index] = await check(selected[index]);
    }
  }),
);
for (const [index, { verdict, states, seconds, asExpected }] of running.entries()) {
  const [model, expected, settings, about] = selected[index];
  line(model, about, settings, expected, states, seconds, verdict);
  if (!asExpected) surprises += 1;
}
console.log(surprises === 0 ? `${selected.length} configurations, all as expected` : `${surprises} surprises`);
process.exitCode = surprises === 0 && selected.length > 0 ? 0 : 1;
