import { Process, Queue } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';
import { bindToProcessor } from '../targets/processors.js';
import { sendBack } from '../targets/queue-consuming.js';

const [requests, answers] = [new Queue<number>(), new Queue<number>()];
const partner = new Process({ target: sendBack, args: [requests, answers], daemon: true });
partner.start();
bindToProcessor('first');
answers.getSync();

await serve((count) => {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    requests.putSync(i);
    check(answers.getSync() === i, 'another answer came');
  }
  return secondsSince(start) / 2;
});

requests.putSync(-1);
await partner.join();
