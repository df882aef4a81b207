import { SharedArray } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

const LENGTH = 1000;
const array = SharedArray('d', LENGTH);
let total = 0;

await serve((count) => {
  const start = performance.now();
  for (let left = count; left > 0; left -= LENGTH) {
    for (let i = 0, end = Math.min(left, LENGTH); i < end; i++) array.set(i, array.get(i) + 1);
  }
  const seconds = secondsSince(start);
  total += count;
  const sum = array.slice().reduce((a, b) => a + b, 0);
  check(sum === total, `${sum} instead of ${total}`);
  return seconds;
});
