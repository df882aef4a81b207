import { Process, Queue } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';
import { bindToProcessor } from '../targets/processors.js';
import { takeAll } from '../targets/queue-consuming.js';

// From the first put to the last get: one process puts, the other one gets.
const large = process.argv[2] === 'large';
const bytes = new Uint8Array(1024 * 1024).fill(7);
const messages = new Queue(large ? 4 : 1000);
const [counts, done] = [new Queue<number>(), new Queue<number>()];
const partner = new Process({ target: takeAll, args: [messages, counts, done], daemon: true });
partner.start();
bindToProcessor('first');
done.getSync();

await serve((count) => {
  counts.putSync(count);
  const start = performance.now();
  for (let i = 0; i < count; i++) messages.putSync(large ? bytes : i);
  const last = done.getSync();
  const seconds = secondsSince(start);
  check(last === (large ? bytes.length : count - 1), 'another message was the last');
  return seconds;
});

counts.putSync(0);
await partner.join();
