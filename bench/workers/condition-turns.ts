import { Condition, RawArray } from 'multiprocess';
import { secondsSince, serve } from '../harness/serve.js';
import { Baton } from '../targets/baton.js';
import { give, giveBack, OURS, THEIRS, take } from '../targets/condition-turns.js';
import { bindToProcessor } from '../targets/processors.js';

// Two processes pass a turn to each other: each waits on the condition until it is its own. An operation is half a round
// trip.
const condition = Condition();
const turn = RawArray('i', [OURS]);
const goal = RawArray('i', 1);
const { baton, partner } = await Baton.start(giveBack, goal, condition, turn);
bindToProcessor('first');

await serve((count) => {
  goal[0] = count;
  baton.pass();
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    condition.acquireSync();
    give(THEIRS, condition, turn);
    take(OURS, condition, turn);
    condition.release();
  }
  const seconds = secondsSince(start) / 2;
  baton.take();
  return seconds;
});

goal[0] = 0;
baton.pass();
await partner.join();
