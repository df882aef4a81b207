// node parent-of.js <daemon|child> <exit|throw|kill|return|spin>: a parent that ends in the way that is said.
import { Process, SharedMemory } from 'multiprocess';
import { catchTerm, runForever, spinForever } from './targets.js';

const [kind, how] = process.argv.slice(2);
const block = SharedMemory.create(16);
const ready = block.view(Int32Array);
const target = how === 'spin' ? spinForever : how === 'tidy' ? catchTerm : runForever;
const child = new Process({
  target: target as typeof runForever,
  args: [ready],
  daemon: kind === 'daemon',
  stdio: 'ignore',
});
child.start();
while (Atomics.load(ready, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
block.unlink();
console.log(`child ${child.pid}`);
if (how === 'exit' || how === 'spin') process.exit(0);
if (how === 'throw') throw new Error('on purpose');
if (how === 'kill') process.kill(process.pid, 'SIGKILL');
