// node crash-at.js <operation> <step>: does one operation and is killed at the given step of it. Stands on the modules
// themselves, not on the published files, to reach their hook.

import { Process, ShareableList, SharedMemory } from '../../src/index.js';
import { onCrashPoint } from '../../src/os/index.js';
import { nothing } from './targets.js';

const [operation = '', step = '', name = ''] = process.argv.slice(2);
let left = Number(step);
const arm = () =>
  onCrashPoint((point) => {
    left -= 1;
    if (left !== 0) return;
    process.stdout.write(`killed at ${point}\n`);
    process.kill(process.pid, 'SIGKILL');
  });

/** Each prepares, arms the hook, and does what is to be killed. */
const operations: Record<string, () => unknown> = {
  'create-unnamed': () => {
    arm();
    SharedMemory.create(5000);
  },
  'create-named': () => {
    arm();
    SharedMemory.create(5000, { name });
  },
  'create-persistent': () => {
    arm();
    SharedMemory.create(5000, { name, persist: true });
  },
  'create-list': () => {
    arm();
    new ShareableList(['a', 1, 2.5], { name });
  },
  'create-second': () => {
    SharedMemory.create(10);
    arm();
    SharedMemory.create(5000, { name });
  },
  unlink: () => {
    const block = SharedMemory.create(5000, { name });
    block.buf[0] = 1;
    arm();
    block.unlink();
    block.close();
  },
  'attach-and-close': () => {
    arm();
    const block = SharedMemory.attach(name);
    block.buf[0] = 7;
    block.close();
  },
  'attach-and-exit': () => {
    const block = SharedMemory.attach(name);
    block.buf[0] = 7;
    arm();
  },
  'exit-with-blocks': () => {
    SharedMemory.create(10).buf[0] = 1;
    SharedMemory.create(10, { name });
    arm();
  },
  // Finds a tree that has been killed, and is killed while cleaning up after it.
  sweep: () => {
    arm();
    SharedMemory.create(1);
  },
  'start-process': async () => {
    using block = SharedMemory.create(10);
    arm();
    const child = new Process({ target: nothing, args: [block.buf] as never });
    child.start();
    await child.join();
  },
};

await operations[operation]!();
