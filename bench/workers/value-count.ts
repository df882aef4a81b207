import { Value } from 'multiprocess';
import { check, serve } from '../harness/serve.js';
import { Counting } from '../targets/counting.js';
import { addAlong, addTo, countAlongUnderLock, countTo } from '../targets/value-counting.js';

const adds = process.argv[2] === 'add';
const value = Value('i');
const counting = await Counting.start(adds ? addAlong : countAlongUnderLock, value);

await serve((count) => {
  value.value = 0;
  const seconds = counting.run(count, (goal) => (adds ? addTo : countTo)(goal, value));
  // Each of the two notices by a step too many that the goal is reached.
  check(value.value === (adds ? count + 2 : count), 'steps were lost');
  return seconds;
});

await counting.end();
