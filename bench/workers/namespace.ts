import { SharedNamespace } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

// node namespace.js get|set shared|object
const [work, where] = process.argv.slice(2);
const contents = { name: 'a name', count: 1, done: false };
const namespace = where === 'shared' ? SharedNamespace(contents) : contents;

await serve((count) => {
  let sum = 0;
  if (work === 'get') namespace.count = 1;
  const start = performance.now();
  if (work === 'get') for (let i = 0; i < count; i++) sum += namespace.count;
  else for (let i = 0; i < count; i++) namespace.count = i;
  const seconds = secondsSince(start);
  check(work === 'get' ? sum === count : namespace.count === count - 1, 'another number');
  return seconds;
});
