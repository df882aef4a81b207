import { RawArray } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';
import { summarize } from '../harness/statistics.js';
import { Baton } from '../targets/baton.js';
import { keepAndPassOn, keepFor, passOn } from '../targets/lock-passing.js';
import { bindToProcessor } from '../targets/processors.js';

// How long a lock takes from one process to another that waits for it: half a round trip when both pass it on at once;
// else the median from `release()` to when the other has it.
const mode = process.argv[2];
const ended = RawArray('i', 1);
const passed = RawArray('q', 1);
// Ten times as long as a waiter looks before it sleeps; see hand_over.c.
const PARKED_NS = 200_000n;
// The turns of the event loop and the helper thread take their time before all sleep.
const ASYNC_NS = 1_000_000n;

const { baton, partner } = await (mode === 'busy'
  ? Baton.start(passOn, ended)
  : Baton.start(keepAndPassOn, ended, passed, mode === 'parked' ? PARKED_NS : ASYNC_NS));
// An async acquire has a helper thread, which would be bound along.
if (mode !== 'async') bindToProcessor('first');

function busy(count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    baton.pass();
    baton.take();
  }
  return secondsSince(start) / 2;
}

function parked(count: number): number {
  const delays = [];
  for (let i = 0; i < count; i++) {
    keepFor(PARKED_NS);
    baton.pass();
    baton.take();
    delays.push(secondsSincePassed());
  }
  return summarize(delays).median * count;
}

async function async(count: number): Promise<number> {
  const delays = [];
  for (let i = 0; i < count; i++) {
    baton.pass();
    await baton.takeAsync();
    delays.push(secondsSincePassed());
  }
  return summarize(delays).median * count;
}

function secondsSincePassed(): number {
  const seconds = Number(process.hrtime.bigint() - passed[0]!) / 1e9;
  check(seconds > 0, `the lock came ${seconds} s after its release`);
  return seconds;
}

await serve(mode === 'busy' ? busy : mode === 'parked' ? parked : async);

Atomics.store(ended, 0, 1);
baton.pass();
await partner.join();
