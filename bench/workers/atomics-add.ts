import { Worker } from 'node:worker_threads';
import { check, secondsSince, serve } from '../harness/serve.js';
import { adding, addTo } from '../targets/atomics-adding.js';
import { bindToProcessor } from '../targets/processors.js';

// `Atomics.add` on a SharedArrayBuffer: alone, or with argument `contended` together with a worker thread.
const words = new Int32Array(new SharedArrayBuffer(adding.length * Int32Array.BYTES_PER_ELEMENT));
const partner =
  process.argv[2] === 'contended'
    ? new Worker(new URL('../targets/atomics-adding.js', import.meta.url), { workerData: words })
    : undefined;
if (partner !== undefined) bindToProcessor('first');

await serve((count) => {
  words[adding.counter] = 0;
  words[adding.theirs] = 0;
  if (partner !== undefined) {
    Atomics.store(words, adding.ready, 0);
    Atomics.store(words, adding.go, 0);
    Atomics.store(words, adding.goal, count);
    Atomics.notify(words, adding.goal);
    while (Atomics.load(words, adding.ready) === 0);
  }
  const start = performance.now();
  Atomics.store(words, adding.go, 1);
  const mine = addTo(count, words);
  const seconds = secondsSince(start);
  while (partner !== undefined && Atomics.load(words, adding.goal) !== 0);
  check(mine + words[adding.theirs]! === count, 'the counts differ');
  return seconds;
});

await partner?.terminate();
