// node sweep-and-stop.js: joins, and so sweeps; is stopped by SIGSTOP whenever it has looked at the blocks of a tree that is gone,
// which it has still locked. Then stays until its input ends. Stands on the modules themselves, to reach their hook.
import { once } from 'node:events';
import { onCrashPoint } from '../../src/os/index.js';
import { SharedMemory } from '../../src/shared-memory/index.js';

let stops = 0;
onCrashPoint((point) => {
  if (point !== 'sweep:blocks-done') return;
  stops += 1;
  process.stdout.write(`stopped ${stops}\n`);
  process.kill(process.pid, 'SIGSTOP');
});
using block = SharedMemory.create(1);
block.buf[0] = 1;
onCrashPoint(undefined);
console.log('swept');
process.stdin.resume();
await once(process.stdin, 'end');
