import { Lock, RawArray, RLock } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';
import { Baton } from '../targets/baton.js';
import { countAlong, counting, countTo } from '../targets/lock-counting.js';
import { bindToProcessor } from '../targets/processors.js';

// Two processes count together to a number, each step under the lock. An operation is a step, whoever makes it.
const lock = process.argv[2] === 'RLock' ? new RLock() : new Lock();
const words = RawArray('i', counting.length);
// Between runs the partner sleeps, so as not to take from the others that are measured.
const { baton, partner } = await Baton.start(countAlong, lock, words);
bindToProcessor('first');

await serve((count) => {
  words[counting.counter] = 0;
  words[counting.goal] = count;
  Atomics.store(words, counting.ready, 0);
  Atomics.store(words, counting.go, 0);
  baton.pass();
  while (Atomics.load(words, counting.ready) === 0);
  const start = performance.now();
  Atomics.store(words, counting.go, 1);
  const mine = countTo(count, lock, words);
  const seconds = secondsSince(start);
  baton.take();
  check(mine + words[counting.theirs]! === count && words[counting.counter] === count, 'the counts differ');
  return seconds;
});

words[counting.goal] = -1;
baton.pass();
await partner.join();
