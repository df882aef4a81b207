import { Barrier, RawArray } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';
import { meet, meetAlong } from '../targets/barrier-meeting.js';
import { Baton } from '../targets/baton.js';
import { bindToProcessor } from '../targets/processors.js';

// Two processes meet at a barrier, again and again.
const barrier = Barrier(2);
const goal = RawArray('i', 1);
const { baton, partner } = await Baton.start(meetAlong, goal, barrier);
bindToProcessor('first');

await serve((count) => {
  goal[0] = count;
  baton.pass();
  const start = performance.now();
  meet(count, barrier);
  const seconds = secondsSince(start);
  baton.take();
  return seconds;
});
check(!barrier.broken, 'the barrier is broken');

goal[0] = 0;
baton.pass();
await partner.join();
