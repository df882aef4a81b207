import { Event, Process, RawArray } from 'multiprocess';
import { check, serve } from '../harness/serve.js';
import { summarize } from '../harness/statistics.js';
import { answerLater, take } from '../targets/event-waking.js';
import { bindToProcessor } from '../targets/processors.js';

// How long after `set` a process goes on that sleeps in `waitSync`: the median.
const ours = Event();
const theirs = Event();
const ended = RawArray('i', 1);
const passed = RawArray('q', 1);
// Ten times as long as a waiter looks before it sleeps.
const PARKED_NS = 200_000n;

const partner = new Process({ target: answerLater, args: [theirs, ours, ended, passed, PARKED_NS], daemon: true });
partner.start();
bindToProcessor('first');

await serve((count) => {
  const delays = [];
  for (let i = 0; i < count; i++) {
    theirs.set();
    take(ours);
    const seconds = Number(process.hrtime.bigint() - passed[0]!) / 1e9;
    check(seconds > 0, `the event came ${seconds} s after it was set`);
    delays.push(seconds);
  }
  return summarize(delays).median * count;
});

Atomics.store(ended, 0, 1);
theirs.set();
await partner.join();
