// The thread that sleeps for an environment (watch.ts). It takes nothing and changes nothing: it only says that there may
// be something to take, and passes a wake-up on when nobody answers.
import { parentPort, workerData } from 'node:worker_threads';
import { futexWaitAny, futexWake, type WaitWord } from '../os/index.js';
import { ENDED, HELPER_TABLE, helper, LOADING, NOT_BEGUN, RUNNING } from './watch-table.js';

// Whoever terminates this thread waits for it, at most so long.
const SLICE_NS = 100_000_000n;
const ANSWER_MS = 1;
const SLICE_MS = 100;

const { shared, doorbell } = workerData as { shared: SharedArrayBuffer; doorbell: bigint };
const table = new Int32Array(shared);
const addresses = new BigInt64Array(shared, HELPER_TABLE * 4);

// An environment that has ended before this point has taken the state to ENDED, and then koffi is not loaded any more.
if (Atomics.compareExchange(table, helper.state, NOT_BEGUN, LOADING) === NOT_BEGUN) {
  try {
    // The first calls load the native module and bind both functions; only then is this thread of any use.
    futexWake(doorbell, 0);
    futexWaitAny([{ address: doorbell, expected: 0 }], 0n);
    enter(RUNNING);
    parentPort?.postMessage('ready');
    while (Atomics.load(table, helper.stop) === 0) sleepOnce();
  } finally {
    enter(ENDED);
  }
}

function enter(state: number): void {
  Atomics.store(table, helper.state, state);
  Atomics.notify(table, helper.state);
}

/** One sleep in a function of its own, so that a thread which is being terminated gets out between two. */
function sleepOnce(): void {
  const version = Atomics.load(table, helper.version);
  if (version & 1) {
    Atomics.wait(table, helper.version, version, ANSWER_MS);
    return;
  }
  const words: WaitWord[] = [{ address: doorbell, expected: version }];
  const count = table[helper.count]!;
  for (let i = 0; i < count; i++) words.push({ address: addresses[i]!, expected: table[helper.expected + i]! });
  if (Atomics.load(table, helper.version) !== version) return;
  const outcome = futexWaitAny(words, process.hrtime.bigint() + SLICE_NS);
  if (outcome === 'unavailable') {
    parentPort?.postMessage('unavailable');
    Atomics.store(table, helper.stop, 1);
    return;
  }
  if (outcome === 'timeout' || outcome === 'interrupted') return;
  // The doorbell: the table has changed.
  if (Atomics.load(table, helper.version) !== version) return;
  parentPort?.postMessage('moved');
  if (Atomics.wait(table, helper.version, version, ANSWER_MS) !== 'timed-out') return;
  // The environment is busy. It may be the only one that was woken, so others get the chance meanwhile.
  for (const { address } of words.slice(1)) futexWake(address, 1);
  while (Atomics.load(table, helper.stop) === 0) {
    if (Atomics.wait(table, helper.version, version, SLICE_MS) !== 'timed-out') return;
  }
}
