import { Value } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

const value = Value('i');

function acquire(count: number): void {
  for (let i = 0; i < count; i++) {
    value.acquireSync();
    value.value += 1;
    value.release();
  }
}

function run(count: number): void {
  for (let i = 0; i < count; i++) {
    value.runSync(() => {
      value.value += 1;
    });
  }
}

function add(count: number): void {
  for (let i = 0; i < count; i++) value.add(1);
}

const how = process.argv[2];
const increment = how === 'run' ? run : how === 'add' ? add : acquire;

await serve((count) => {
  value.value = 0;
  const start = performance.now();
  increment(count);
  const seconds = secondsSince(start);
  check(value.value === count, `${value.value} instead of ${count}`);
  return seconds;
});
