// What scripts/check-models.js checks: for each configuration of a model, what spin must find, what it is about, and its
// settings. With `FAIR` among them, fair cycles are searched for too.

export const SOUND = 'sound';
export const ASSERTION = 'assertion violated';
export const HANG = 'invalid end state';
export const LIVELOCK = 'non-progress cycle';

const row = (model, expected, about, settings, large = false) => ({ model, expected, about, settings, large });
/** To be searched to the end, without an error. */
const sound = (model, about, settings) => row(model, SOUND, about, settings);
/** The same, with so many states that it is left to `--all`. */
const large = (model, about, settings) => row(model, SOUND, about, settings, true);
/** Broken on purpose: spin must object, in just this way. */
const broken = row;

export const configurations = [
  sound('lock', 'two, and a joiner who gets the slot of one gone', 'KILLS=2'),
  sound('lock', 'the same, twice each', 'KILLS=2 ROUNDS=2'),
  sound('lock', 'two and one with a deadline', 'KILLS=2 KIND2=GIVES_UP KIND3=ABSENT'),
  sound('lock', 'two, one that only tries, and a joiner', 'KILLS=1 KIND2=TRIES'),
  sound('lock', 'nobody waits for ever', 'FAIR KILLS=2 ROUNDS=2'),
  sound('lock', 'nobody waits for ever: three', 'FAIR KILLS=2 KIND2=WAITS KIND3=ABSENT'),
  sound('lock', 'wake-ups alone do as long as nobody dies', 'NO_SLICE KILLS=0 KIND2=WAITS'),
  sound('lock', 'wake-ups alone: one with a deadline', 'NO_SLICE KILLS=0 KIND2=GIVES_UP'),
  large('lock', 'nobody waits for ever: one with a deadline', 'FAIR KILLS=2 KIND2=GIVES_UP KIND3=ABSENT'),
  large('lock', 'three and a joiner', 'KILLS=2 KIND2=WAITS'),
  large('lock', 'two, one with a deadline, and a joiner', 'KILLS=2 KIND2=GIVES_UP'),
  large('lock', 'two, one that only tries, and a joiner', 'KILLS=2 KIND2=TRIES'),
  large('lock', 'wake-ups alone, twice each', 'NO_SLICE KILLS=0 ROUNDS=2 KIND2=WAITS'),
  large('lock', 'wake-ups alone, twice each: one with a deadline', 'NO_SLICE KILLS=0 ROUNDS=2 KIND2=GIVES_UP'),
  large('lock', 'wake-ups alone, twice each: one that only tries', 'NO_SLICE KILLS=0 ROUNDS=2 KIND2=TRIES'),
  broken('lock', HANG, 'sleeps without slices: a death loses a wake-up', 'NO_SLICE KILLS=1'),
  broken('lock', HANG, 'the woken take the word without WAITERS', 'WOKEN_FORGETS_WAITERS NO_SLICE KILLS=0 KIND2=WAITS'),
  broken('lock', HANG, 'who gives up keeps a wake-up', 'KEEPS_WAKE_UP NO_SLICE KILLS=0 KIND2=GIVES_UP'),
  broken('lock', HANG, 'newcomers nap on the word, and swallow a wake-up', 'NAP_ON_WORD NO_SLICE KILLS=0 KIND2=WAITS'),
  broken('lock', HANG, 'a reservation has no end, and its maker dies', 'STAND_BACK_FOR_EVER KILLS=1'),
  broken('lock', LIVELOCK, 'sleepers do not ask whether the owner lives', 'FAIR NEVER_LOOKS KILLS=1'),
  broken('lock', ASSERTION, 'taken from the dead before the roll-back', 'ROB_WITHOUT_ROLLBACK KILLS=1'),
  broken('lock', ASSERTION, 'reaping without the byte of the slot', 'REAP_WITHOUT_BYTE KILLS=2'),
  broken('lock', ASSERTION, 'a joiner bumps the generation without a roll-back', 'JOIN_WITHOUT_ROLLBACK KILLS=1'),
  broken('lock', ASSERTION, 'a joiner goes by the generation of the dead', 'JOIN_KEEPS_GENERATION KILLS=1'),

  sound('journal', 'two writers and a reader', 'KILLS=2'),
  sound('journal', 'three writers, twice each', 'KILLS=2 ROUNDS=2 DOES2=WRITES'),
  sound('journal', 'a writer and two who take holds', 'KILLS=2 DOES1=MAKES DOES2=MAKES'),
  sound('journal', 'dead in the allocator, dead in the roots', 'KILLS=3 DOES0=PAGES DOES1=ROOTS DOES2=MAKES'),
  sound('journal', 'a joiner with an estate', 'KILLS=2 DOES1=MAKES DOES2=JOINS'),
  sound('journal', 'one leaves, one joins', 'KILLS=2 DOES0=MAKES DOES1=LEAVES DOES2=JOINS'),
  sound('journal', 'JavaScript cut short', 'KILLS=1 CUTS=1 DOES0=PAGES DOES2=WRITES'),
  large('journal', 'two writers and a reader, twice each', 'KILLS=2 ROUNDS=2'),
  large('journal', 'a writer and two who take holds, twice each', 'KILLS=2 ROUNDS=2 DOES1=MAKES DOES2=MAKES'),
  large('journal', 'dead in the allocator, dead in the roots', 'KILLS=3 ROUNDS=2 DOES0=PAGES DOES1=ROOTS DOES2=MAKES'),
  large('journal', 'a joiner with an estate', 'KILLS=3 ROUNDS=2 DOES1=MAKES DOES2=JOINS'),
  large('journal', 'one leaves, one joins', 'KILLS=3 DOES0=MAKES DOES1=LEAVES DOES2=JOINS'),
  large('journal', 'JavaScript cut short, twice each', 'KILLS=1 CUTS=1 ROUNDS=2 DOES0=PAGES DOES2=WRITES'),
  large('journal', 'JavaScript cut short, with estates', 'KILLS=1 CUTS=1 ROUNDS=2 DOES2=MAKES'),
  broken('journal', ASSERTION, 'estates settled within a transaction', 'ONE_STAGE KILLS=2 DOES0=PAGES DOES2=ABSENT'),
  broken(
    'journal',
    ASSERTION,
    'a lock let go of too early',
    'ALLOCATOR_LET_GO_BEFORE_COMMIT KILLS=1 DOES1=MAKES DOES2=ABSENT',
  ),
  broken('journal', ASSERTION, 'sequences that go up by one each time', 'NAIVE_SEQUENCE KILLS=1'),
  broken('journal', ASSERTION, 'a store after the commit', 'COMMIT_BEFORE_LAST_STORE KILLS=1 DOES2=ABSENT'),
  broken('journal', ASSERTION, 'a store that the log does not count yet', 'STORE_BEFORE_LENGTH KILLS=1 DOES2=ABSENT'),
  broken('journal', ASSERTION, 'the log emptied before all is restored', 'CUT_BEFORE_UNDO KILLS=2 DOES2=ABSENT'),
  broken('journal', ASSERTION, 'the log undone first entry first', 'UNDO_FORWARDS KILLS=1 DOES0=PAGES DOES2=ABSENT'),
  broken(
    'journal',
    ASSERTION,
    'a joiner bumps the generation before the roll-back',
    'BUMP_BEFORE_UNDO KILLS=1 DOES2=JOINS',
  ),
  broken(
    'journal',
    HANG,
    'a reaper cut short keeps the byte',
    'CUT_SHORT_KEEPS_BYTE KILLS=1 CUTS=1 ROUNDS=2 DOES0=PAGES DOES2=WRITES',
  ),

  sound('gate', 'two joiners and a sweeper', 'KILLS=2'),
  sound('gate', 'one joiner and three sweepers', 'KILLS=2 JOINERS=1 SWEEPERS=3'),
  large('gate', 'three joiners and a sweeper', 'KILLS=2 JOINERS=3'),
  broken('gate', ASSERTION, 'nobody takes the gate', 'NO_GATE'),
  broken('gate', ASSERTION, 'a joiner does not look again, once it has the gate', 'NO_RECHECK'),
  broken('gate', ASSERTION, 'a joiner compares inodes only', 'NO_LOOK_AT_ENDING'),
  broken('gate', ASSERTION, 'a joiner lets go of the gate too early', 'GATE_LET_GO_BEFORE_SLOT'),
  broken('gate', ASSERTION, 'a maker takes the gate too late', 'PUBLISH_BEFORE_GATE'),
  broken('gate', ASSERTION, 'a maker replaces what has the name', 'PUBLISH_REPLACES'),
  broken('gate', ASSERTION, 'a sweeper removes the segment first', 'SEGMENT_BEFORE_EXTENTS'),
  broken('gate', ASSERTION, 'extents without a segment listed too late', 'LIST_AFTER_LOOK'),
  broken('gate', ASSERTION, 'a sweeper does not compare inodes', 'NO_COMPARISON'),
  broken('gate', ASSERTION, 'a sweeper removes only extents that are counted', 'REMOVES_WHAT_COUNTS'),

  sound('condition', 'two wait, two notify', 'KILLS=2'),
  sound('condition', 'two wait, twice each; two notify, twice each', 'KILLS=1 ROUNDS=2'),
  sound('condition', 'one with a deadline, and one who looks after the dead', 'KILLS=2 KIND1=TIMED KIND3=REAPS'),
  sound('condition', 'one with a signal, one with a deadline', 'KILLS=2 KIND0=ABORTS KIND1=TIMED'),
  sound('condition', 'three wait, one notifies two', 'KILLS=2 KIND1=TIMED KIND2=WAITS KIND3=NOTIFIES_TWO'),
  sound('condition', 'nobody goes round in circles', 'FAIR KILLS=2 KIND1=TIMED KIND3=REAPS'),
  sound('condition', 'wake-ups alone do as long as nobody dies', 'NO_SLICE KILLS=0 ROUNDS=2 KIND1=ABORTS KIND2=TIMED'),
  large('condition', 'two wait, twice each; two notify, twice each', 'KILLS=3 ROUNDS=2'),
  large('condition', 'two with signals, twice each', 'KILLS=2 ROUNDS=2 KIND0=ABORTS KIND2=ABORTS'),
  large(
    'condition',
    'a signal, a deadline, one notifies two, twice each',
    'KILLS=2 ROUNDS=2 KIND0=ABORTS KIND1=TIMED KIND3=NOTIFIES_TWO',
  ),
  broken('condition', ASSERTION, 'a reaper does not pass a notification on', 'REAPER_KEEPS_GRANT KILLS=1'),
  broken(
    'condition',
    ASSERTION,
    'the state read in one transaction, the node removed in the next',
    'READS_BEFORE_REMOVAL KILLS=1 KIND1=TIMED KIND3=REAPS',
  ),
  broken(
    'condition',
    ASSERTION,
    'removed before it has the lock, by what it has seen',
    'REMOVES_BEFORE_LOCK KILLS=0 KIND0=TIMED',
  ),
  broken('condition', ASSERTION, 'a notification believed before it is committed', 'TRUSTS_LOOK KILLS=1'),
  broken(
    'condition',
    ASSERTION,
    'woken by what is undone then, it takes that for its deadline',
    'FALSE_WITHOUT_DEADLINE KILLS=1',
  ),
  broken(
    'condition',
    ASSERTION,
    'whose signal has come swallows a notification',
    'ABORT_SWALLOWS KILLS=0 KIND0=ABORTS',
  ),
  broken('condition', ASSERTION, 'notified outside of the transaction', 'GRANTS_OUTSIDE KILLS=1'),
  broken('condition', ASSERTION, 'a store into the node after the commit', 'BUMP_AFTER_COMMIT KILLS=1'),
  broken('condition', ASSERTION, 'the lock let go of before the node is there', 'RELEASES_FIRST KILLS=0'),
  broken('condition', HANG, 'sleeps without slices: a death loses a wake-up', 'NO_SLICE KILLS=1'),
  broken('condition', HANG, 'bumped before the grant can be seen', 'NO_SLICE BUMPS_FIRST KILLS=0'),
  broken('condition', HANG, 'falls asleep without comparing', 'NO_SLICE NO_COMPARISON KILLS=0'),
];
