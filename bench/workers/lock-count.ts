import { Lock, RawArray, RLock } from 'multiprocess';
import { check, serve } from '../harness/serve.js';
import { Counting } from '../targets/counting.js';
import { countAlongUnderLock, countTo } from '../targets/lock-counting.js';

const lock = process.argv[2] === 'RLock' ? new RLock() : new Lock();
const counter = RawArray('i', 1);
const counting = await Counting.start(countAlongUnderLock, lock, counter);

await serve((count) => {
  counter[0] = 0;
  const seconds = counting.run(count, (goal) => countTo(goal, lock, counter));
  check(counter[0] === count, 'steps were lost');
  return seconds;
});

await counting.end();
