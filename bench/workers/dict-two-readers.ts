import { Process, Queue, SharedDict } from 'multiprocess';
import { dictWork } from '../harness/dict-work.js';
import { secondsSince, serve } from '../harness/serve.js';
import { readDict } from '../targets/dict-reading.js';
import { bindToProcessor } from '../targets/processors.js';

// node dict-two-readers.js one|two: as many reads as are wanted, all by this process, or half of them by another one.
const isShared = process.argv[2] === 'two';
const dict = SharedDict<number, number>();
const read = dictWork(dict, 'get', 'number', 1000);
const [counts, done] = [new Queue<number>(), new Queue<number>()];
const partner = new Process({ target: readDict, args: [dict, counts, done], daemon: true });
partner.start();
bindToProcessor('first');
done.getSync();

await serve((count) => {
  if (!isShared) return read(count);
  const others = Math.floor(count / 2);
  const start = performance.now();
  if (others > 0) counts.putSync(others);
  read(count - others);
  if (others > 0) done.getSync();
  return secondsSince(start);
});

counts.putSync(0);
await partner.join();
