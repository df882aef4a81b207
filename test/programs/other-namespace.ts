// node other-namespace.js <handle of a lock> <handle of numbers> <add|hold|wait>: shares a heap with a process of another PID
// namespace. Says its own PID, which means nothing outside.
import { writeSync } from 'node:fs';
import { type Handle, type Lock, open } from 'multiprocess';

const [lockHandle = '', numbersHandle = '', what] = process.argv.slice(2);
const lock = open(lockHandle as Handle<Lock>);
const numbers = open(numbersHandle as Handle<Float64Array>);

if (what === 'add') {
  writeSync(1, `begins ${process.pid}\n`);
  for (let i = 0; i < 3000; i++) {
    lock.acquireSync();
    const before = numbers[0]!;
    for (let spin = 0; spin < 20; spin++) numbers[1]!;
    numbers[0] = before + 1;
    lock.release();
  }
  writeSync(1, 'done\n');
}
if (what === 'hold') {
  lock.acquireSync();
  writeSync(1, `holds ${process.pid}\n`);
  setInterval(() => {}, 1000);
}
if (what === 'wait' || what === 'wait without blocking') {
  writeSync(1, `begins ${process.pid}\n`);
  if (what === 'wait') lock.acquireSync();
  else await lock.acquire();
  // On the clock that all processes of the machine share.
  writeSync(1, `acquired ${process.hrtime.bigint()} ${lock.ownerDied}\n`);
  lock.release();
}
