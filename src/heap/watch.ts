import type { Worker } from 'node:worker_threads';
import { lastAtExit, MAX_WAIT_WORDS } from '../os/index.js';
import { atomicStore } from './doors.js';
import type { Heap } from './heap.js';
import { slot, slotBase } from './layout.js';
import { wake } from './sleep.js';
import { ENDED, HELPER_TABLE, HELPER_WORDS, helper, LOADING, NOT_BEGUN } from './watch-table.js';

// Being told, without blocking the event loop, that a word of a heap has moved.
//
// One worker thread for each environment, started on first need, sleeps on all words that the environment watches and on a
// doorbell. It only notifies: what there is to take, the environment itself takes. Notifications may be spurious, late, or
// missing altogether (the thread may not be there yet, or futex_waitv be forbidden), so whoever watches looks now and then
// by itself. What the two threads tell each other lies in a table in their own shared memory, guarded by a version that is
// odd while it changes.

export interface Watch {
  cancel(): void;
}

interface Watched {
  readonly address: bigint;
  readonly expected: number;
  readonly changed: () => void;
}

const POLL_MS = 1;
/**
 * How long a worker thread polls before it starts a helper of its own. When a thread is terminated, its helper is too, and
 * koffi aborts the process if it is loading just then: so threads that live for a moment only start none.
 */
const PATIENCE_OF_THREADS_MS = 1000;
const PATIENCE_AT_EXIT_MS = 300;
const PATIENCE_WHILE_LOADING_MS = 10_000;

const watched = new Set<Watched>();
let table: Int32Array | undefined;
let addresses: BigInt64Array;
let doorbell: { heap: Heap; index: number } | undefined;
let starting = false;
let ready = false;
let without = false;
let flushing = false;

/** Calls `changed`, in a later turn of the loop, when the word is not `expected` any more, or somebody wakes its sleepers. */
export function watchWord(heap: Heap, address: number, expected: number, changed: () => void): Watch {
  const entry = { address: heap.memory.kernelAddress(address), expected, changed };
  watched.add(entry);
  if (table === undefined && !without) startHelperInTime(heap);
  flushSoon();
  const timer = ready ? undefined : setTimeout(changed, POLL_MS);
  return {
    cancel() {
      clearTimeout(timer);
      if (watched.delete(entry)) flushSoon();
    },
  };
}

/** For tests, and where starting a thread is not wanted: polls instead. */
export function watchWithoutHelper(): void {
  without = true;
}

function startHelperInTime(heap: Heap): void {
  const { isMainThread } = process.getBuiltinModule('node:worker_threads');
  if (isMainThread) return startHelper(heap);
  if (starting) return;
  starting = true;
  setTimeout(() => {
    starting = false;
    if (table !== undefined || without || watched.size === 0 || heap.left) return;
    startHelper(heap);
    flushSoon();
  }, PATIENCE_OF_THREADS_MS).unref();
}

function startHelper(heap: Heap): void {
  const shared = new SharedArrayBuffer(HELPER_WORDS * 4);
  table = new Int32Array(shared);
  addresses = new BigInt64Array(shared, HELPER_TABLE * 4, MAX_WAIT_WORDS);
  const index = slotBase(heap.participant.slot) + slot.doorbell;
  doorbell = { heap, index };
  atomicStore(heap.memory.segment, index, 0);
  let worker: Worker;
  try {
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    worker = new Worker(new URL('./wait-helper.js', import.meta.url), {
      name: 'multiprocess: waiting',
      workerData: { shared, doorbell: heap.memory.kernelAddress(index) },
      // None of the program's loaders and hooks: this thread runs only our own code.
      execArgv: [],
      env: {},
      stdin: false,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
    });
  } catch {
    giveUp();
    return;
  }
  worker.on('message', (message: string) => {
    if (message === 'ready') ready = true;
    if (message === 'unavailable') giveUp();
    for (const { changed } of [...watched]) changed();
    flushSoon();
  });
  worker.on('error', giveUp);
  worker.on('exit', giveUp);
  worker.unref();
  lastAtExit(stopHelper);
}

/** From here on watching is polling. */
function giveUp(): void {
  without = true;
  ready = false;
  for (const { changed } of [...watched]) changed();
}

/**
 * A thread that ends within a system call of its own would keep the process for the rest of a slice, so it is asked to. One
 * that is loading koffi is waited for as long as it takes: terminated there, it would abort the process.
 */
function stopHelper(): void {
  if (table === undefined) return;
  without = true;
  ready = false;
  Atomics.store(table, helper.stop, 1);
  flush();
  if (Atomics.compareExchange(table, helper.state, NOT_BEGUN, ENDED) === NOT_BEGUN) return;
  const begun = performance.now();
  for (;;) {
    const state = Atomics.load(table, helper.state);
    const left = (state === LOADING ? PATIENCE_WHILE_LOADING_MS : PATIENCE_AT_EXIT_MS) - (performance.now() - begun);
    if (state === ENDED || left <= 0) return;
    Atomics.wait(table, helper.state, state, left);
  }
}

function flushSoon(): void {
  if (flushing || table === undefined || without) return;
  flushing = true;
  queueMicrotask(() => {
    flushing = false;
    flush();
  });
}

function flush(): void {
  if (table === undefined || doorbell === undefined) return;
  Atomics.add(table, helper.version, 1); // odd: do not read
  let count = 0;
  for (const { address, expected } of watched) {
    // More are waited for than one thread can sleep on: the others are looked at in slices.
    if (count === MAX_WAIT_WORDS - 1) break;
    addresses[count] = address;
    table[helper.expected + count] = expected;
    count += 1;
  }
  table[helper.count] = count;
  const version = Atomics.add(table, helper.version, 1) + 1;
  Atomics.notify(table, helper.version);
  const { heap, index } = doorbell;
  atomicStore(heap.memory.segment, index, version);
  wake(heap.memory, index, 1);
}
