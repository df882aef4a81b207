import { ShareableList } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

const first = process.argv[2] === 'float' ? 2.5 : 2;
const list = new ShareableList([1, first, 3]);
let expected = first;

await serve((count) => {
  const start = performance.now();
  for (let i = 0; i < count; i++) list.set(1, list.get(1) + 1);
  const seconds = secondsSince(start);
  expected += count;
  check(list.get(1) === expected, `${list.get(1)} instead of ${expected}`);
  return seconds;
});

list.close();
list.unlink();
