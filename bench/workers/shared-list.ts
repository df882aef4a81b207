import { SharedList } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

const [kind, where] = process.argv.slice(2);
const LENGTH = 1000;
/** Not longer, so that both stay in the cache. */
const MOST = 100_000;
const numbers = Array.from({ length: LENGTH }, (_, i) => i);
const list = where === 'shared' ? SharedList(numbers) : undefined;
const array = [...numbers];
const at = (i: number): number => (list === undefined ? array[i]! : list.get(i));

function append(count: number): void {
  for (let i = 0; i < count; i++) {
    if (list === undefined) array.push(i);
    else list.append(i);
  }
}

await serve((count) => {
  let seconds = 0;
  if (kind === 'append') {
    for (let left = count; left > 0; left -= MOST) {
      const start = performance.now();
      append(Math.min(left, MOST));
      seconds += secondsSince(start);
      check(at(LENGTH) === 0, 'the first one appended is not there');
      if (list === undefined) array.length = LENGTH;
      else list.splice(LENGTH);
    }
    return seconds;
  }
  const start = performance.now();
  let sum = 0;
  if (kind === 'get') for (let i = 0; i < count; i++) sum += at(i % LENGTH);
  else for (let i = 0; i < count; i += LENGTH) for (const value of list ?? array) sum += value;
  seconds = secondsSince(start);
  check(sum >= count - LENGTH, `a sum of ${sum}`);
  return kind === 'iterate' ? (seconds * count) / (Math.ceil(count / LENGTH) * LENGTH) : seconds;
});
